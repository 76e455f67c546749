import { describe, expect, it } from '@jest/globals';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { gammaDraw, poissonDraws, uniforms } from '../laws/random-variates.js';
import { forecast } from '../predict/forecast.js';
import { lorenz } from './concentration.js';
import { giniUnderNoise } from './gini-interval.js';

const cells = disk(cellAt(51.5, -0.1, 9), 8);
const neighbours = neighbourLists(cells);
const options = { random: seededRandom('gini'), coverage: 0.95 };

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

  it('takes rates of ten thousand a month, and one place with most of a thin field', () => {
    const uniform = uniforms(seededRandom('skewed'));
    const skewed = Float64Array.from(cells, () => gammaDraw(1.5, uniform));
    const high = skewed.map((rate) => 1e4 * rate);
    const one = skewed.map((rate, i) => (i === 7 ? 9000 : rate));
    for (const rates of [high, one]) {
      const { low, high: most } = counted(rates, 0, 'far apart');
      expect(low).toBeLessThan(lorenz(rates).gini);
      expect(most).toBeGreaterThan(lorenz(rates).gini);
      expect(most - low).toBeLessThan(0.01);
    }
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

  it('encloses the truth of few cells, and of some with missing months', () => {
    const few = disk(cellAt(51.5, -0.1, 9), 2);
    const random = seededRandom('gaps');
    const rates = Float64Array.from(few, (_, i) => 30 * 1.2 ** i);
    const periods = Array.from({ length: 6 }, (_, t) =>
      poissonDraws(rates, random).map((count, i) => ((i + t) % 7 === 0 ? Number.NaN : count)),
    );
    const { gini, low, high } = giniUnderNoise(
      forecast({ periods, noiseVariance: 0, law: { mechanism: 'none' } }, neighbourLists(few)),
      options,
    );
    expect(low).toBeLessThan(lorenz(rates).gini);
    expect(high).toBeGreaterThan(lorenz(rates).gini);
    expect(high - low).toBeLessThan(0.1);
    expect(gini).toBeGreaterThan(low);
  });

  it('takes noise of which only the variance is known as normal', () => {
    const rates = Float64Array.from(cells, (_, i) => 20 + 15 * (i % 9));
    const random = seededRandom('no law');
    const periods = Array.from({ length: 6 }, () => poissonDraws(rates, random));
    const of = (noiseVariance: number) =>
      giniUnderNoise(forecast({ periods, noiseVariance }, neighbours), options);
    const narrow = of(1);
    const wide = of(400);
    expect(Math.abs(narrow.gini - lorenz(rates).gini)).toBeLessThan(0.02);
    expect(wide.high - wide.low).toBeGreaterThan(narrow.high - narrow.low);
    expect(wide.gini).toBeLessThan(narrow.gini);
  });

  it('refuses a coverage that is none', () => {
    const any = forecast(
      { periods: [new Float64Array(cells.length).fill(3)], noiseVariance: 0 },
      neighbours,
    );
    expect(() => giniUnderNoise(any, { ...options, coverage: 1 })).toThrow(/between 0 and 1/);
  });
});
