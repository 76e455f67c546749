import { describe, expect, it } from '@jest/globals';
import { planResolution } from './planner.js';

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
