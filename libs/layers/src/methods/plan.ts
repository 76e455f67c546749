import { denoise, planResolution } from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import {
  formatRho,
  levelShares,
  multiplyRational,
  parseRho,
  type Rational,
  type Resolution,
  rational,
  rationalToNumberDown,
  rationalToNumberUp,
  rhoOf,
  sumRationals,
  zcdpEpsilon,
} from '#libs/dp';
import { parentOf } from '#libs/grid';
import type { Category } from '#libs/query';
import { type CellSeries, readSeries } from '../cell-series.js';
import { decimalText } from '../decimal.js';
import type { LayerMethod } from '../method.js';
import { stepOf } from '../periods.js';
import { chooseQueries, type Need } from '../query-plan.js';
import type { OpenRelease } from '../release-blobs.js';
import { asRelease, MISSING, RECORDED } from '../series-summary.js';

const RESOLUTIONS: readonly Resolution[] = [9, 8, 7, 6, 5, 4];
/** Budgets are planned in thousandths of rho. */
const STEPS = 1000n;
const DELTA = 1e-6;

const shareOf = (resolution: Resolution): Rational =>
  levelShares(resolution).at(-1)?.share ?? rational(1n, 1n);

/** Periods that a year has, on average. */
const PERIODS_PER_YEAR = { month: 12, week: 365.25 / 7 };

/** Expected count a run of every cell when `runs` runs share the year evenly, at `finest` and summed to each coarser resolution. */
function fieldsOf(
  series: CellSeries,
  finest: Resolution,
  runs: number,
): Map<Resolution, Float64Array> {
  const perRun = PERIODS_PER_YEAR[stepOf(series.names)] / runs;
  const rates = denoise(asRelease(series), series.neighbours).map((rate) => rate * perRun);
  const fields = new Map<Resolution, Float64Array>();
  for (const resolution of RESOLUTIONS) {
    if (resolution > finest) continue;
    const sums = new Map<bigint, number>();
    for (let i = 0; i < rates.length; i++) {
      const cell = parentOf(series.cells[i] as bigint, resolution);
      sums.set(cell, (sums.get(cell) ?? 0) + (rates[i] as number));
    }
    fields.set(resolution, Float64Array.from(sums.values()));
  }
  return fields;
}

/** Squared L2 sensitivity of one level that the noise of a series tells: sigma^2 = Delta^2 / (2 rho share). */
function sensitivityOf(series: CellSeries, release: OpenRelease, finest: Resolution): number {
  const spent = rationalToNumberUp(
    multiplyRational(parseRho(release.header.query.rho), shareOf(finest)),
  );
  return 2 * spent * series.typicalSigma2;
}

interface Wanted {
  readonly runs: number;
  readonly top: number;
  readonly power: number;
  readonly most: number;
}

/** Power at a budget of `steps` a run, over the counts of all runs of the year. */
function powerAt(
  expected: Float64Array,
  resolution: Resolution,
  sensitivity: number,
  steps: number,
  { runs, top }: Wanted,
): number {
  const rho = (steps / Number(STEPS)) * rationalToNumberDown(shareOf(resolution));
  const { resolutions } = planResolution({
    fields: [{ resolution, expected }],
    periods: runs,
    noiseVariance: sensitivity / (2 * rho),
    top,
  });
  return resolutions[0]?.power ?? 0;
}

/** Least steps with enough power, by bisection; undefined when `most` is not enough. */
function leastSteps(
  powerOf: (steps: number) => number,
  { most, power }: Wanted,
): number | undefined {
  if (powerOf(most) < power) return undefined;
  let low = 0;
  let high = most;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (powerOf(middle) >= power) high = middle;
    else low = middle;
  }
  return high;
}

const rhoOfSteps = (steps: number): Rational => rational(BigInt(steps), STEPS);

export const planLayer: LayerMethod<'plan'> = {
  description: {
    question: 'How fine may each category be asked, and with which budget?',
    citation:
      'Power of the exact test of one cell in its normal limit; zCDP composition: Bun and Steinke 2016, Lemma 2.3.',
    uncertainty:
      'power: chance that a typical cell among the `top` share is told from an average one at 1 %, one-sided, with the counts of all runs of the year added up.',
    listed:
      'One row a category and resolution: least rho a run, when that is the finest of the question; null when the budget is not enough.',
  },
  async compute(parameters, context) {
    const { from, to, rhoPerYear, runs } = parameters;
    const releases = context.releases;
    const held = new Set(
      releases.flatMap(({ header }) => header.groups.map(({ category }) => category)),
    );
    const categories: Category[] = (parameters.categories ?? [...held]).slice().sort();
    const year = parseRho(rhoPerYear);
    const most = Number((year.num * STEPS) / (year.den * BigInt(runs)));
    if (most < 1) {
      throw new ConcordatError(
        'budget-too-small',
        'the budget of the year leaves less than a thousandth of rho a run: plan fewer runs',
      );
    }
    const wanted: Wanted = {
      runs,
      top: Number(parameters.top),
      power: Number(parameters.power),
      most,
    };
    const needs: Need[] = [];
    const rows: (string | number | null)[][] = [];
    for (const [c, category] of categories.entries()) {
      const own = releases.filter(({ header }) =>
        header.groups.some((group) => group.category === category),
      );
      const finest = Math.min(9, ...own.map(({ header }) => header.query.resolution)) as Resolution;
      const series = await readSeries(own, { category, resolution: finest, from, to });
      const sensitivity = sensitivityOf(series, own[0] as OpenRelease, finest);
      for (const [resolution, expected] of fieldsOf(series, finest, runs)) {
        const powerOf = (steps: number): number =>
          powerAt(expected, resolution, sensitivity, steps, wanted);
        const steps = leastSteps(powerOf, wanted);
        if (steps !== undefined) needs.push({ category, resolution, steps });
        rows.push([
          category,
          resolution,
          steps === undefined ? null : formatRho(rhoOf(rhoOfSteps(steps))),
          decimalText(powerOf(most)),
        ]);
      }
      await context.progress((c + 1) / categories.length);
    }
    const queries = chooseQueries(needs, most);
    const perYear = sumRationals(queries.map(({ steps }) => rhoOfSteps(steps * runs)));
    const planned = new Set(queries.flatMap((query) => query.categories));
    return {
      limitations: [
        RECORDED,
        MISSING,
        'A run is one question of its share of the year: a month with 12 runs, about a week with 53. Each question charges its whole rho in every run; the plan is greedy, not proved to be the best.',
        'Noise is taken to be that of the agencies in these releases, whose unit and bounds it carries over.',
        'A cell among the hottest is told from the average; two hot cells are harder to tell apart.',
      ],
      summary: {
        queries: queries.map(({ resolution, steps, categories: asked }) => ({
          categories: [...asked],
          resolution,
          rho: formatRho(rhoOf(rhoOfSteps(steps))),
        })),
        notWithinBudget: categories.filter((category) => !planned.has(category)),
        runs,
        rhoPerYear: queries.length === 0 ? '0' : formatRho(rhoOf(perYear)),
        epsilonPerYear:
          queries.length === 0 ? '0' : decimalText(zcdpEpsilon(rhoOf(perYear), DELTA)),
        delta: '0.000001',
      },
      columns: ['category', 'resolution', 'leastRho', 'powerAtWholeBudget'],
      rows,
    };
  },
};
