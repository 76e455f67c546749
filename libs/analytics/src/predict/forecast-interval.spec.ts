import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import { madeUpWorld, neighboursOf } from '../worlds.fixture-spec.js';
import { forecast } from './forecast.js';
import { countInterval, intervalOfCounts, rateInterval } from './forecast-interval.js';

/** P(a <= count <= b) of a Poisson count. */
function within(mean: number, low: number, high: number): number {
  let term = Math.exp(-mean);
  let sum = 0;
  for (let k = 0; k <= high; k++) {
    if (k >= low) sum += term;
    term *= mean / (k + 1);
  }
  return sum;
}

describe('intervals of counts', () => {
  const CELLS = 20_000;
  const of = (mean: number, variance = 0) =>
    intervalOfCounts(
      {
        mean: new Float64Array(CELLS).fill(mean),
        variance: new Float64Array(CELLS).fill(variance),
      },
      0.95,
      seededRandom(`ends ${mean}`),
    );

  it.each([0.2, 0.7, 3, 20, 150])(
    'holds 95 %% of Poisson counts of mean %d, over cells',
    (mean) => {
      const { low, high } = of(mean);
      const held = low.reduce((sum, from, i) => sum + within(mean, from, high[i] as number), 0);
      // Twenty thousand settled ends, each worth at most the chance of one count.
      expect(held / CELLS).toBeGreaterThan(0.946);
      expect(held / CELLS).toBeLessThan(0.954);
    },
  );

  it('is 0 alone where a cell is nearly sure to be empty', () => {
    const { low, high } = of(0.01);
    expect(Math.max(...low, ...high)).toBe(0);
  });

  it('is wider where the rate is less sure, and normal for large counts', () => {
    expect((of(10, 25).high[0] as number) - (of(10).high[0] as number)).toBeGreaterThan(2);
    const { low, high } = of(10_000);
    expect(low[0]).toBeGreaterThan(9790);
    expect(low[0]).toBeLessThan(9820);
    expect(high[0]).toBeGreaterThan(10_180);
    expect(high[0]).toBeLessThan(10_210);
  });

  it('refuses a coverage that is none', () => {
    const setting = { epsilon: 1, density: 'medium', field: 'gamma', size: 150 } as const;
    const rates = forecast(madeUpWorld(setting, 0).release, neighboursOf(setting));
    expect(() => countInterval(rates, 1, seededRandom('none'))).toThrow(/between 0 and 1/);
    expect(() => rateInterval(rates, 0)).toThrow(/between 0 and 1/);
  });
});
