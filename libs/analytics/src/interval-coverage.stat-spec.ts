/**
 * How often intervals hold the truth, in every setting of `worlds.fixture-spec.ts`: a grid fixed before any figure was looked at, and
 * two sets written down later. Seeded. With CONCORDAT_NIGHTLY=1 a hundred worlds of each of the 94 settings (twenty of those of 2,000 cells), every
 * setting judged by itself and printed as a JSON line (docs/analytics/intervals.md holds them); else one of each of half the grid, judged together.
 * Bounds are the promised 93 to 97 %, with the false-alarm probability of 1e-6 per assertion around them.
 */
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { clopperPearson, seededRandom } from '#libs/testing';
import { concentration } from './concentration.js';
import { concentrationUnderNoise } from './concentration-interval.js';
import { forecast } from './forecast.js';
import { countInterval, type Interval, rateInterval } from './forecast-interval.js';
import {
  FIELDS,
  madeUpWorld,
  neighboursOf,
  OTHER_FIELDS,
  OTHER_SETTINGS,
  SETTINGS,
  type Setting,
  THIRD_FIELDS,
  THIRD_SETTINGS,
} from './worlds.fixture-spec.js';

const nightly = process.env.CONCORDAT_NIGHTLY === '1';
const worldsOf = ({ size = 0 }: Setting): number => (!nightly ? 1 : size > 1000 ? 20 : 100);
/** Settings of every run; all in the nightly one. */
const isUsual = ({ epsilon }: Setting): boolean => epsilon === 0.5 || epsilon === 2;
/** Shares of all incidents whose fewest cells are counted. */
const HELD_SHARES = [0.25, 0.5];
const COVERAGE = 0.95;
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
    const { gini, holding } = concentrationUnderNoise(
      result,
      { random, draws: 100, coverage: COVERAGE },
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
  const held = ones.reduce((sum, one) => sum + one, 0);
  const { lower, upper } = clopperPearson(held, ones.length, 1e-6);
  expect(upper).toBeGreaterThan(LEAST);
  expect(lower).toBeLessThanOrEqual(most);
}

describe.each(nightly ? [...FIELDS, ...OTHER_FIELDS, ...THIRD_FIELDS] : FIELDS)(
  '95 %% intervals where rates are %s',
  (field) => {
    const measured = (): (Setting & Held)[] =>
      [...SETTINGS, ...OTHER_SETTINGS, ...THIRD_SETTINGS]
        .filter((setting) => setting.field === field && (nightly || isUsual(setting)))
        .map((setting) => {
          const held = measure(setting);
          if (nightly) {
            process.stdout.write(
              `${JSON.stringify({
                ...setting,
                worlds: worldsOf(setting),
                rates: mean(held.rates),
                counts: mean(held.counts),
                ginis: mean(held.ginis),
                holdings: mean(held.holdings),
                giniUnidentified: held.unidentified / worldsOf(setting),
              })}\n`,
            );
          }
          return { ...setting, ...held };
        });

    it('hold what they promise', () => {
      const settings = measured();
      const groups = nightly ? settings.map((setting) => [setting]) : [settings];
      // No interval of positive width can miss a rate that all cells share in five of a hundred cells.
      const mostRates = field === 'homogeneous' ? 1 : MOST;
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
  },
);
