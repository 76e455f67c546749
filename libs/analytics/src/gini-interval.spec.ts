import { describe, expect, it } from '@jest/globals';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { lorenz } from './concentration.js';
import { forecast } from './forecast.js';
import { giniUnderNoise } from './gini-interval.js';
import { poissonDraws } from './random-variates.js';

const cells = disk(cellAt(51.5, -0.1, 9), 8);
const neighbours = neighbourLists(cells);
const options = { random: seededRandom('gini'), draws: 100, coverage: 0.95 };

const counted = (rates: Float64Array, noiseVariance: number, seed: string) => {
  const random = seededRandom(seed);
  const periods = Array.from({ length: 6 }, () => poissonDraws(rates, random));
  return giniUnderNoise(
    forecast({ periods, noiseVariance, law: { mechanism: 'none' } }, neighbours),
    options,
  );
};

describe('giniUnderNoise', () => {
  it('is narrow around the truth where counts are large', () => {
    const rates = Float64Array.from(cells, (_, i) => 20 + 15 * (i % 9));
    const { gini, low, high, isIdentified } = counted(rates, 0, 'large');
    expect(isIdentified).toBe(true);
    expect(Math.abs(gini - lorenz(rates).gini)).toBeLessThan(0.01);
    expect(high - low).toBeLessThan(0.02);
    expect(low).toBeLessThanOrEqual(gini);
    expect(gini).toBeLessThanOrEqual(high);
  });

  it('does not take chance for concentration', () => {
    const { low } = counted(new Float64Array(cells.length).fill(0.5), 0, 'even');
    expect(low).toBeLessThan(0.1);
  });

  it('says that nothing is known where noise is all there is', () => {
    const flat = { periods: [new Float64Array(cells.length).fill(0)], noiseVariance: 1e6 };
    const nothing = giniUnderNoise(forecast(flat, neighbours), options);
    expect(nothing).toEqual({ gini: 0, low: 0, high: 1, isIdentified: false });
  });

  it('refuses too few draws', () => {
    const any = forecast(
      { periods: [new Float64Array(cells.length).fill(3)], noiseVariance: 0 },
      neighbours,
    );
    expect(() => giniUnderNoise(any, { ...options, draws: 3 })).toThrow(/twenty draws/);
  });
});
