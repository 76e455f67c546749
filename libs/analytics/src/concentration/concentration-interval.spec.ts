import { describe, expect, it } from '@jest/globals';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { poissonDraws } from '../laws/random-variates.js';
import { forecast } from '../predict/forecast.js';
import { concentration } from './concentration.js';
import { concentrationUnderNoise } from './concentration-interval.js';

const cells = disk(cellAt(51.5, -0.1, 9), 8);
const neighbours = neighbourLists(cells);
const SHARES = [0.25, 0.5];
const optionsOf = (seed: string) => ({ random: seededRandom(seed), coverage: 0.95 });

describe('concentrationUnderNoise', () => {
  it('is within a few cells of the truth where counts are large', () => {
    const rates = Float64Array.from(cells, (_, i) => 20 + 15 * (i % 9) ** 2);
    const random = seededRandom('large');
    const periods = Array.from({ length: 6 }, () => poissonDraws(rates, random));
    const release = { periods, noiseVariance: 0, law: { mechanism: 'none' } as const };
    const found = concentrationUnderNoise(
      forecast(release, neighbours),
      optionsOf('large'),
      SHARES,
    ).holding;
    const truth = concentration(rates);
    [truth.cellsHolding25, truth.cellsHolding50].forEach((expected, k) => {
      expect(found?.[k]?.low).toBeLessThanOrEqual(expected);
      expect(found?.[k]?.high).toBeGreaterThanOrEqual(expected);
      expect((found?.[k]?.high ?? 99) - (found?.[k]?.low ?? 0)).toBeLessThan(8);
      expect(Math.abs((found?.[k]?.cells ?? 0) - expected)).toBeLessThan(4);
    });
  });

  it('gives the same for the same randomness, and reaches from few to many cells where counts are small', () => {
    const random = seededRandom('small');
    const rates = Float64Array.from(cells, (_, i) => (i % 7 === 0 ? 2 : 0.2));
    const periods = Array.from({ length: 6 }, () => poissonDraws(rates, random));
    const release = { periods, noiseVariance: 0, law: { mechanism: 'none' } as const };
    const of = () =>
      concentrationUnderNoise(forecast(release, neighbours), optionsOf('again'), SHARES);
    const { gini, holding } = of();
    expect(of()).toEqual({ gini, holding });
    const [quarter, half] = holding ?? [];
    expect(quarter?.low).toBeLessThan(quarter?.high ?? 0);
    expect(half?.low).toBeGreaterThan(quarter?.low ?? 999);
  });

  it('gives no cells where noise is all there is', () => {
    const nothing = { periods: [new Float64Array(cells.length)], noiseVariance: 1e6 };
    expect(concentrationUnderNoise(forecast(nothing, neighbours), optionsOf('no'), SHARES)).toEqual(
      { gini: { gini: 0, low: 0, high: 1, isIdentified: false }, holding: undefined },
    );
  });
});
