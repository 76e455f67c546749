/**
 * How often intervals hold the truth, in every setting of `worlds.fixture-spec.ts`: a grid fixed before any figure was looked at, and
 * three sets written down later. Seeded. With CONCORDAT_NIGHTLY=1 a hundred worlds of each of the 136 settings (twenty of those of 2,000 cells;
 * CONCORDAT_COVERAGE_WORLDS: as many of each), every setting judged by itself and printed as a JSON line (docs/analytics/measured/intervals.md holds them); else
 * one of each of half the grid, and one of every phase of six courses, judged together.
 * Bounds are the promised 93 to 97 %, with the false-alarm probability of 1e-6 per assertion around them.
 */
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { clopperPearson, seededRandom } from '#libs/testing';
import { concentration } from './concentration/concentration.js';
import { concentrationUnderNoise } from './concentration/concentration-interval.js';
import { forecast } from './predict/forecast.js';
import { countInterval, type Interval, rateInterval } from './predict/forecast-interval.js';
import {
  FIELDS,
  FOURTH_FIELDS,
  FOURTH_SETTINGS,
  madeUpWorld,
  neighboursOf,
  OTHER_FIELDS,
  OTHER_SETTINGS,
  PHASES,
  SETTINGS,
  type Setting,
  THIRD_FIELDS,
  THIRD_SETTINGS,
} from './worlds.fixture-spec.js';

const nightly = process.env.CONCORDAT_NIGHTLY === '1';
const asked = Number(process.env.CONCORDAT_COVERAGE_WORLDS ?? 0);
const isCourse = ({ field }: Setting): boolean =>
  (FOURTH_FIELDS as readonly string[]).includes(field);
function worldsOf(setting: Setting): number {
  if (!nightly) return isCourse(setting) ? PHASES.length : 1;
  return asked || ((setting.size ?? 0) > 1000 ? 20 : 100);
}
/** Settings of every run; all in the nightly one. */
const isUsual = (setting: Setting): boolean =>
  isCourse(setting)
    ? setting.size === undefined && setting.months === undefined
    : setting.epsilon === 0.5 || setting.epsilon === 2;
/** Shares of all incidents whose fewest cells are counted. */
const HELD_SHARES = [0.25, 0.5];
const COVERAGE = 0.95;
/** Share of the counts of one world that is called well held. */
const WELL = 0.9;
const LEAST = 0.93;
const MOST = 0.97;
/** Standard errors of a two-sided normal test at 1e-6. */
const WIDE = 4.9;

interface Held {
  /** Share of the cells of each world. */
  readonly rates: number[];
  readonly counts: number[];
  /** 1 or 0 a world. */
  readonly ginis: number[];
  /** 1 or 0 a world and share: whether the fewest cells that hold it lie inside. */
  readonly holdings: number[];
  readonly unidentified: number;
}

const shareHeld = (truth: Float64Array, { low, high }: Interval): number =>
  truth.reduce(
    (sum, value, i) => sum + (value >= (low[i] as number) && value <= (high[i] as number) ? 1 : 0),
    0,
  ) / truth.length;

function measure(setting: Setting): Held {
  const held: Held & { unidentified: number } = {
    rates: [],
    counts: [],
    ginis: [],
    holdings: [],
    unidentified: 0,
  };
  for (let seed = 0; seed < worldsOf(setting); seed++) {
    const world = madeUpWorld(setting, seed);
    const random = seededRandom(`coverage ${JSON.stringify(setting)} ${seed}`);
    const result = forecast(world.release, neighboursOf(setting));
    held.rates.push(shareHeld(world.nextRates, rateInterval(result, COVERAGE)));
    held.counts.push(shareHeld(world.nextCounts, countInterval(result, COVERAGE, random)));
    // The fourth set is about what is to come; its Ginis are those of gamma rates.
    if (isCourse(setting)) continue;
    const { gini, holding } = concentrationUnderNoise(
      result,
      { random, coverage: COVERAGE },
      HELD_SHARES,
    );
    const truth = concentration(world.rates);
    held.ginis.push(truth.gini >= gini.low - 1e-9 && truth.gini <= gini.high ? 1 : 0);
    [truth.cellsHolding25, truth.cellsHolding50].forEach((cells, k) => {
      const of = holding?.[k];
      held.holdings.push(!of || (cells >= of.low && cells <= of.high) ? 1 : 0);
    });
    if (!gini.isIdentified) held.unidentified++;
  }
  return held;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const standardError = (values: readonly number[]): number =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) / (values.length - 1));

/** The mean over worlds is within the promise, as far as so many worlds can tell. */
function expectPromised(shares: readonly number[], most = MOST): void {
  const slack = WIDE * standardError(shares);
  expect(mean(shares)).toBeGreaterThan(LEAST - slack);
  expect(mean(shares)).toBeLessThan(most + slack);
}

function expectHeld(ones: readonly number[], most = MOST): void {
  if (ones.length === 0) return;
  const held = ones.reduce((sum, one) => sum + one, 0);
  const { lower, upper } = clopperPearson(held, ones.length, 1e-6);
  expect(upper).toBeGreaterThan(LEAST);
  expect(lower).toBeLessThanOrEqual(most);
}

/** Fields judged together in a short run; one by one in the nightly one. */
const GROUPS: readonly (readonly [string, readonly Setting['field'][]])[] = [
  ...(nightly ? [...FIELDS, ...OTHER_FIELDS, ...THIRD_FIELDS, ...FOURTH_FIELDS] : FIELDS).map(
    (field) => [field, [field]] as const,
  ),
  ...(nightly ? [] : [['on one course', FOURTH_FIELDS] as const]),
];

describe.each(GROUPS)('95 %% intervals where rates are %s', (name, fields) => {
  const measured = (): (Setting & Held)[] =>
    [...SETTINGS, ...OTHER_SETTINGS, ...THIRD_SETTINGS, ...FOURTH_SETTINGS]
      .filter((setting) => fields.includes(setting.field) && (nightly || isUsual(setting)))
      .map((setting) => {
        const held = measure(setting);
        if (nightly) {
          process.stdout.write(
            `${JSON.stringify({
              ...setting,
              worlds: worldsOf(setting),
              rates: mean(held.rates),
              counts: mean(held.counts),
              ...(isCourse(setting)
                ? { worldsWellHeld: mean(held.counts.map((share) => Number(share >= WELL))) }
                : {
                    ginis: mean(held.ginis),
                    holdings: mean(held.holdings),
                    giniUnidentified: held.unidentified / worldsOf(setting),
                  }),
            })}\n`,
          );
        }
        return { ...setting, ...held };
      });

  it('hold what they promise', () => {
    const settings = measured();
    const groups = nightly ? settings.map((setting) => [setting]) : [settings];
    // No interval of positive width can miss a rate that all cells share in five of a hundred cells; and after one month at one and a half
    // times all others a forecast allows for another, which never comes here.
    const mostRates = name === 'homogeneous' || name === 'campaign' ? 1 : MOST;
    for (const group of groups) {
      expectPromised(
        group.flatMap(({ rates }) => rates),
        mostRates,
      );
      expectPromised(group.flatMap(({ counts }) => counts));
      expectHeld(group.flatMap(({ ginis }) => ginis));
      // Intervals of whole cells hold more often.
      expectHeld(
        group.flatMap(({ holdings }) => holdings.filter((_, k) => k % 2 === 0)),
        1,
      );
      expectHeld(
        group.flatMap(({ holdings }) => holdings.filter((_, k) => k % 2 === 1)),
        1,
      );
    }
  }, 3_000_000);
});
