import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { benchmark } from './benchmarking.js';

/** A root, two areas, three cells in each. */
const tree = {
  levelStart: Uint32Array.of(0, 1, 3, 9),
  parent: Int32Array.of(-1, 0, 0, 1, 1, 1, 2, 2, 2),
};
const CELLS = 6;
const sums = (cells: ArrayLike<number>): [number, number, number] => {
  const of = (from: number) => (cells[from] ?? 0) + (cells[from + 1] ?? 0) + (cells[from + 2] ?? 0);
  return [of(0) + of(3), of(0), of(3)];
};
const tie = (fitted: readonly number[], [all, first, second]: number[], variance: number[]) => {
  const totals = Float64Array.of(all ?? 0, first ?? 0, second ?? 0, ...new Array(CELLS).fill(0));
  const variances = Float64Array.from(totals, (_, node) => variance[Math.min(node, 2)] ?? 0);
  const factors = benchmark({ tree, fitted: Float64Array.from(fitted), totals, variances });
  return sums(factors.map((factor, i) => factor * (fitted[i] as number)));
};

describe('benchmarking', () => {
  it('takes a fit that is far too high down to exact totals, each area by its own', () => {
    const [all, first, second] = tie([4e4, 4e4, 2e4, 1e4, 5e4, 4e4], [4e4, 1e4, 3e4], [1, 1, 1]);
    expect(Math.abs(all / 4e4 - 1)).toBeLessThan(0.01);
    expect(Math.abs(first / 1e4 - 1)).toBeLessThan(0.02);
    expect(Math.abs(second / 3e4 - 1)).toBeLessThan(0.02);
  });

  it('keeps a fit that nothing surer speaks against', () => {
    expect(tie([1, 2, 3, 1, 2, 3], [900, -700, 1600], [1e9, 1e9, 1e9])[0]).toBeCloseTo(12, 1);
    const [all, first] = tie([10, 20, 30, 10, 20, 30], [120, 60, 60], [1, 1, 1]);
    expect(all).toBeCloseTo(120, 6);
    expect(first).toBeCloseTo(60, 6);
  });

  it('leaves something where a total is below zero', () => {
    const [all, first] = tie([9, 9, 9, 9, 9, 9], [-3, -5, 2], [4, 4, 4]);
    expect(all).toBeGreaterThan(0);
    expect(all).toBeLessThan(9);
    expect(first).toBeGreaterThan(0);
  });

  it('gives finite factors from 0, whatever is released, that respect each parent', () => {
    const count = fc.double({ min: 0, max: 1e6, noNaN: true });
    const total = fc.double({ min: -1e7, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(count, { minLength: CELLS, maxLength: CELLS }),
        fc.array(total, { minLength: 9, maxLength: 9 }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (fitted, totals, variance) => {
          const factors = benchmark({
            tree,
            fitted: Float64Array.from(fitted),
            totals: Float64Array.from(totals),
            variances: new Float64Array(9).fill(variance),
          });
          expect(factors.every((factor) => factor >= 0 && factor < Number.POSITIVE_INFINITY)).toBe(
            true,
          );
          expect(factors[0]).toBe(factors[2]);
          expect(factors[3]).toBe(factors[5]);
        },
      ),
      {
        // squares below the least double
        examples: [[[1.6e-162, 0, 0, 0, 0, 0], [0, -4e-8, 0, 0, 0, 0, 0, 0, 0], 0]],
      },
    );
  });

  it('refuses vectors that are not of the tree', () => {
    const totals = new Float64Array(9);
    for (const fitted of [new Float64Array(5), new Float64Array(6).fill(-1)]) {
      expect(() => benchmark({ tree, fitted, totals, variances: totals })).toThrow(/fitted count/);
    }
  });
});
