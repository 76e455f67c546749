import { describe, expect, it } from '@jest/globals';
import { commonCourse } from './common-course.js';

const CELLS = 400;
const YEAR = 12;
const mean = Float64Array.from({ length: CELLS }, (_, i) => 5 + (i % 7));
const months = (of: (i: number, t: number) => number, count = 12): Float64Array[] =>
  Array.from({ length: count }, (_, t) => mean.map((m, i) => m * of(i, t)));

describe('commonCourse', () => {
  it('goes on with the rise that all cells share', () => {
    const course = commonCourse(
      months((_, t) => 1 + 0.03 * (t - 5.5)),
      mean,
      0,
    );
    expect(course.perPeriod).toBeCloseTo(0.03, 2);
    const { factor, variance } = course.ahead(1);
    expect(factor).toBeCloseTo(1 + 0.03 * 6.5, 1);
    expect(Math.sqrt(variance)).toBeLessThan(0.03);
    expect(course.gap(11, 0)).toBeCloseTo(0.33 ** 2, 2);
  });

  it('is not that of one cell that boils over', () => {
    const { ahead } = commonCourse(
      months((i, t) => (i === 7 ? 40 * t : 1)),
      mean,
      0,
    );
    const { factor, variance } = ahead(1);
    expect(Math.abs(factor - 1)).toBeLessThan(Math.sqrt(variance));
  });

  it('stays what it was before where noise hides it', () => {
    const { ahead, perPeriod } = commonCourse(
      months((_, t) => 1 + 0.03 * (t - 5.5)),
      mean,
      1e7,
      YEAR,
    );
    expect(Math.abs(perPeriod)).toBeLessThan(0.001);
    const { factor, variance } = ahead(1);
    expect(factor).toBeCloseTo(1, 2);
    expect(Math.sqrt(variance)).toBeGreaterThan(0.2);
    expect(Math.sqrt(variance)).toBeLessThan(0.5);
  });

  it.each([0, 1, 2, 3])('follows a calendar of quarter %d from one year to the next', (quarter) => {
    const shared = (t: number) => 1 + 0.3 * Math.cos(2 * Math.PI * (t / YEAR + quarter / 4));
    const seen = months((_, t) => shared(t), 24);
    const known = commonCourse(seen, mean, 4, YEAR);
    const blind = commonCourse(seen, mean, 4);
    for (const horizon of [1, 4]) {
      const truth = shared(23 + horizon);
      const { factor, variance } = known.ahead(horizon);
      expect(Math.abs(factor - truth)).toBeLessThan(3 * Math.sqrt(variance));
      expect(Math.sqrt(variance)).toBeLessThan(0.04);
      expect(blind.ahead(horizon).variance).toBeGreaterThan(2 * variance);
    }
  });

  it('counts what moves all cells in single months as scatter, not as growth', () => {
    const { ahead, perPeriod } = commonCourse(
      months((_, t) => (`+--++-+--+-+`[t] === '+' ? 1.2 : 0.8)),
      mean,
      0,
    );
    expect(Math.abs(perPeriod)).toBeLessThan(0.01);
    const { variance } = ahead(1);
    expect(Math.sqrt(variance)).toBeGreaterThan(0.15);
    expect(Math.sqrt(variance)).toBeLessThan(0.4);
  });

  it('takes a cell from the months that it stands on', () => {
    const { ahead } = commonCourse(
      months((_, t) => 1 + 0.03 * (t - 5.5)),
      mean,
      0,
    );
    const newest = new Float64Array(12);
    newest[11] = 1;
    expect(ahead(1, newest).factor).toBeCloseTo((1 + 0.03 * 6.5) / (1 + 0.03 * 5.5), 2);
    expect(ahead(1, newest).variance).toBeLessThan(ahead(1).variance);
  });

  it('takes every cell over the months that it has', () => {
    const gaps = months((i, t) => (i % 2 === 0 && t < 6 ? Number.NaN : 1));
    gaps[3] = new Float64Array(CELLS).fill(Number.NaN);
    const { perPeriod, ahead } = commonCourse(gaps, mean, 0, YEAR);
    expect(perPeriod).toBeCloseTo(0, 10);
    expect(ahead(1).factor).toBeCloseTo(1, 10);
  });
});
