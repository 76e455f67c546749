import { describe, expect, it } from '@jest/globals';
import { commonGrowth } from './common-growth.js';

const CELLS = 400;
const mean = Float64Array.from({ length: CELLS }, (_, i) => 5 + (i % 7));
const months = (of: (i: number, t: number) => number): Float64Array[] =>
  Array.from({ length: 12 }, (_, t) => mean.map((m, i) => m * of(i, t)));

describe('commonGrowth', () => {
  it('is the rise that all cells share', () => {
    const { perPeriod, variance } = commonGrowth(
      months((_, t) => 1 + 0.03 * (t - 5.5)),
      mean,
      0,
    );
    expect(perPeriod).toBeCloseTo(0.03, 3);
    expect(Math.sqrt(variance)).toBeLessThan(0.002);
  });

  it('is not that of one cell that boils over', () => {
    const { perPeriod } = commonGrowth(
      months((i, t) => (i === 7 ? 40 * t : 1)),
      mean,
      0,
    );
    expect(perPeriod).toBeLessThan(0.01);
  });

  it('stays what it was before where noise hides it, and without enough periods', () => {
    const hidden = commonGrowth(
      months((_, t) => 1 + 0.03 * (t - 5.5)),
      mean,
      1e7,
    );
    expect(Math.abs(hidden.perPeriod)).toBeLessThan(0.001);
    expect(Math.sqrt(hidden.variance)).toBeCloseTo(0.02, 4);
    expect(commonGrowth(months((_, t) => 1 + t).slice(0, 3), mean, 0).perPeriod).toBe(0);
  });

  it('counts what moves all cells in single months as scatter, not as growth', () => {
    const season = commonGrowth(
      months((_, t) => 1 + 0.3 * Math.sin(t)),
      mean,
      0,
    );
    expect(Math.sqrt(season.excess)).toBeGreaterThan(0.15);
    expect(Math.sqrt(season.excess)).toBeLessThan(0.3);
  });

  it('takes every cell over the months that it has', () => {
    const gaps = months((i, t) => (i % 2 === 0 && t < 6 ? Number.NaN : 1));
    const { perPeriod, excess } = commonGrowth(gaps, mean, 0);
    expect(perPeriod).toBeCloseTo(0, 10);
    expect(excess).toBeCloseTo(0, 10);
  });
});
