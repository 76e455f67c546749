import { describe, expect, it } from '@jest/globals';
import { mannKendall, trends } from './trend.js';

describe('mannKendall', () => {
  it('equals hand-worked values with a tie', () => {
    // S: 21 pairs, 1 tie, 18 up, 2 down. Var = (7 * 6 * 19 - 2 * 1 * 9) / 18.
    const { s, var: variance, z, slope } = mannKendall(Float64Array.of(4, 5, 3, 8, 9, 9, 12));
    expect(s).toBe(16);
    expect(variance).toBeCloseTo((7 * 6 * 19 - 2 * 9) / 18, 12);
    expect(z).toBeCloseTo(15 / Math.sqrt((7 * 6 * 19 - 2 * 9) / 18), 12);
    // scipy.stats.theilslopes
    expect(slope).toBeCloseTo(4 / 3, 12);
  });

  it('has the classic variance without ties', () => {
    const up = mannKendall(Float64Array.from({ length: 10 }, (_, i) => i * i));
    expect([up.s, up.var]).toEqual([45, 125]);
    expect(up.z).toBeCloseTo(44 / Math.sqrt(125), 12);
    expect(mannKendall(Float64Array.of(3, 3, 3, 3))).toMatchObject({
      s: 0,
      z: 0,
      var: 0,
      slope: 0,
    });
  });

  it('keeps a missing period as missing: slopes use real time, ranks only what is there', () => {
    const full = mannKendall(Float64Array.of(0, 1, 2, 3, 4, 5));
    const gap = mannKendall(Float64Array.of(0, 1, Number.NaN, 3, 4, 5));
    expect(gap.slope).toBe(1);
    expect(gap.s).toBe(10);
    expect(gap.var).toBeLessThan(full.var);
  });

  it('says what the noise alone does to a slope', () => {
    const { slopeNoiseSe } = mannKendall(Float64Array.of(1, 2, 3, 4, 5), 8);
    expect(slopeNoiseSe).toBeCloseTo(Math.sqrt(8 / 10), 12);
  });

  it('refuses short series and impossible variances', () => {
    expect(() => mannKendall(Float64Array.of(1, Number.NaN, 3))).toThrow(/three periods/);
    expect(() => mannKendall(Float64Array.of(1, 2, 3), -1)).toThrow(/from 0/);
  });
});

describe('trends', () => {
  it('equals mannKendall cell by cell', () => {
    const periods = Array.from({ length: 12 }, (_, t) =>
      Float64Array.from({ length: 40 }, (_, i) => ((i * 31 + t * t * 7 + i * t) % 17) - 5),
    );
    const field = trends(periods);
    for (let i = 0; i < 40; i++) {
      const one = mannKendall(Float64Array.from(periods, (period) => period[i] as number));
      expect(field.z[i]).toBeCloseTo(one.z, 12);
      expect(field.slope[i]).toBeCloseTo(one.slope, 12);
    }
  });
});
