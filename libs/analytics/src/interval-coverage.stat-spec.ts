/**
 * How often intervals hold the truth, in every setting of `worlds.fixture-spec.ts`: a grid fixed before any figure was looked at, and
 * settings on which no method was revised. Seeded. With CONCORDAT_NIGHTLY=1 a hundred worlds of each of the 64 settings, every
 * setting judged by itself and printed as a JSON line (docs/analytics/intervals.md holds them); else one of the grid's, judged together.
 * Bounds are the promised 93 to 97 %, with the false-alarm probability of 1e-6 per assertion around them.
 */
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { clopperPearson, seededRandom } from '#libs/testing';
import { lorenz } from './concentration.js';
import { forecast } from './forecast.js';
import { countInterval, type Interval, rateInterval } from './forecast-interval.js';
import { giniUnderNoise } from './gini-interval.js';
import {
  cells,
  FIELDS,
  madeUpWorld,
  neighbours,
  OTHER_FIELDS,
  OTHER_SETTINGS,
  SETTINGS,
  type Setting,
} from './worlds.fixture-spec.js';

const nightly = process.env.CONCORDAT_NIGHTLY === '1';
const WORLDS = nightly ? 100 : 1;
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
    unidentified: 0,
  };
  for (let seed = 0; seed < WORLDS; seed++) {
    const world = madeUpWorld(setting, `coverage ${seed}`);
    const random = seededRandom(`coverage ${JSON.stringify(setting)} ${seed}`);
    const result = forecast(world.release, neighbours);
    held.rates.push(shareHeld(world.nextRates, rateInterval(result, COVERAGE)));
    held.counts.push(shareHeld(world.nextCounts, countInterval(result, COVERAGE, random)));
    const gini = giniUnderNoise(result, { random, draws: 100, coverage: COVERAGE });
    const truth = lorenz(world.rates).gini;
    held.ginis.push(truth >= gini.low - 1e-9 && truth <= gini.high ? 1 : 0);
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

function expectGinisHeld(ginis: readonly number[]): void {
  const held = ginis.reduce((sum, one) => sum + one, 0);
  const { lower, upper } = clopperPearson(held, ginis.length, 1e-6);
  expect(upper).toBeGreaterThan(LEAST);
  expect(lower).toBeLessThan(MOST);
}

describe.each(nightly ? [...FIELDS, ...OTHER_FIELDS] : FIELDS)(
  '95 %% intervals where rates are %s',
  (field) => {
    const measured = (): (Setting & Held)[] =>
      [...SETTINGS, ...OTHER_SETTINGS]
        .filter((setting) => setting.field === field)
        .map((setting) => {
          const held = measure(setting);
          if (nightly) {
            process.stdout.write(
              `${JSON.stringify({
                ...setting,
                cells: cells.length,
                worlds: WORLDS,
                rates: mean(held.rates),
                counts: mean(held.counts),
                ginis: mean(held.ginis),
                giniUnidentified: held.unidentified / WORLDS,
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
        expectGinisHeld(group.flatMap(({ ginis }) => ginis));
      }
    }, 3_000_000);
  },
);
