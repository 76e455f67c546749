import { describe, expect, it } from '@jest/globals';
import { fairness } from './fairness.js';
import { planResolution } from './planner.js';

describe('fairness', () => {
  it('splits attention, hits, misses and misses by noise over quintiles', () => {
    const report = fairness({
      quintiles: Uint8Array.of(1, 1, 5, 5, 5),
      population: Float64Array.of(100, 100, 300, 300, 200),
      chosen: Uint8Array.of(1, 0, 1, 0, 0),
      chosenWithoutNoise: Uint8Array.of(1, 1, 0, 0, 0),
      actual: Float64Array.of(4, 3, 1, 0, 2),
    });
    expect(report).toEqual([
      {
        quintile: 1,
        patrolShare: 0.5,
        populationShare: 0.2,
        hits: 4,
        misses: 3,
        missesByNoise: 3,
        hitsByNoise: 0,
      },
      {
        quintile: 5,
        patrolShare: 0.5,
        populationShare: 0.8,
        hits: 1,
        misses: 2,
        missesByNoise: 0,
        hitsByNoise: 1,
      },
    ]);
  });

  it('says nothing about the noise when the choice without it is not known', () => {
    const [only] = fairness({
      quintiles: Uint8Array.of(0),
      population: Float64Array.of(0),
      chosen: Uint8Array.of(0),
      actual: Float64Array.of(0),
    });
    expect(only).toEqual({ quintile: 0, patrolShare: 0, populationShare: 0, hits: 0, misses: 0 });
    expect(() =>
      fairness({
        quintiles: Uint8Array.of(6),
        population: Float64Array.of(0),
        chosen: Uint8Array.of(0),
        actual: Float64Array.of(0),
      }),
    ).toThrow(/0\.\.5/);
  });
});

describe('planResolution', () => {
  const field = (resolution: number, cells: number, scale: number) => ({
    resolution,
    expected: Float64Array.from({ length: cells }, (_, i) =>
      i < cells / 100 ? 3 * scale : 0.02 * scale,
    ),
  });
  const fields = [field(7, 200, 20), field(8, 1400, 5), field(9, 10_000, 1)];

  it('goes coarser as the budget shrinks', () => {
    const finest = [0.5, 60, 900, 1e6].map(
      (noiseVariance) => planResolution({ fields, periods: 12, noiseVariance }).finest,
    );
    expect(finest).toEqual([9, 8, 7, undefined]);
  });

  it('goes finer with more periods', () => {
    const powerOf = (periods: number) =>
      planResolution({ fields, periods, noiseVariance: 20 }).resolutions[2]?.power as number;
    expect(powerOf(24)).toBeGreaterThan(powerOf(6));
    expect(() => planResolution({ fields: [], periods: 1, noiseVariance: 0 })).toThrow(/field/);
  });
});
