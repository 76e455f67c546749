import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hierarchyFromParents, integerMap } from './index.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
/** A root and its children. */
const star = (children: number) =>
  hierarchyFromParents(Int32Array.of(-1, ...Array<number>(children).fill(0))).tree;
const mapOf = (...estimates: number[]) => [
  ...integerMap(star(estimates.length - 1), Float64Array.from(estimates)),
];

/** Nearest point of {x >= 0, sum x = total} by bisection on the shift: slow and obviously right. */
function nearest(values: readonly number[], total: number): number[] {
  const at = (shift: number) => values.map((value) => Math.max(0, value - shift));
  let low = Math.min(...values) - total - 1;
  let high = Math.max(...values);
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (at(middle).reduce((a, b) => a + b, 0) > total) low = middle;
    else high = middle;
  }
  return at(high);
}

describe('integer map', () => {
  it('leaves additive integers alone', () => {
    expect(mapOf(14, 3, 0, 11)).toEqual([14, 3, 0, 11]);
  });

  it('gives the units left over to the largest remainders, ties to the first child', () => {
    expect(mapOf(10, 3.3, 3.3, 3.4)).toEqual([10, 3, 3, 4]);
    expect(mapOf(1, 0.25, 0.25, 0.25, 0.25)).toEqual([1, 1, 0, 0, 0]);
    expect(mapOf(3, 0.75, 0.75, 0.75, 0.75)).toEqual([3, 1, 1, 1, 0]);
  });

  it('moves what is below zero up and takes it from the others alike', () => {
    expect(mapOf(10, -2, 4, 8)).toEqual([10, 0, 3, 7]);
    expect(mapOf(5, -9, -1, 2)).toEqual([5, 0, 1, 4]);
  });

  it('is empty under an empty or negative total, and rounds the total to the nearest', () => {
    expect(mapOf(-7.2, 3, -10.2)).toEqual([0, 0, 0]);
    expect(mapOf(0.49, 3, -2.51)).toEqual([0, 0, 0]);
    expect(mapOf(0.5, 3, -2.5)).toEqual([1, 1, 0]);
    expect(mapOf(2.5, 2.5)).toEqual([3, 3]);
  });

  it('is within one unit of the nearest point, for families of 1 to 40', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -100, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (children, total) => {
          const [root, ...map] = mapOf(total, ...children);
          expect(root).toBe(total);
          expect(map.reduce((a, b) => a + b, 0)).toBe(total);
          nearest(children, total).forEach((value, k) => {
            expect(Math.abs((map[k] as number) - value)).toBeLessThan(1 + 1e-6);
            expect(map[k]).toBeGreaterThanOrEqual(0);
          });
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['wrong-length', () => integerMap(star(2), Float64Array.of(1))],
    ['not-finite', () => mapOf(Number.NaN, 1)],
    ['not-finite', () => mapOf(Infinity, 1)],
    ['count-overflow', () => mapOf(2 ** 31, 1)],
  ])('refuses with %s (%#)', (expected, run) => {
    expect(run).toThrow(code(expected));
  });
});
