import { describe, expect, it } from '@jest/globals';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { giStarOnGrid } from './getis-ord.js';
import { drawnSums, giStarTails } from './permutation-law.js';

/** All sums of k of the values, one by one. */
function allSums(values: readonly number[], k: number): number[] {
  if (k === 0) return [0];
  return values.flatMap((value, i) =>
    allSums(values.slice(i + 1), k - 1).map((sum) => sum + value),
  );
}

describe('drawnSums', () => {
  it('counts every way of drawing without replacement', () => {
    const values = [-4, -4, 0, 1, 1, 1, 3, 9, 30, -12];
    const law = drawnSums(Float64Array.from(values));
    for (const k of [1, 3, 7]) {
      const sums = allSums(values, k);
      for (const sum of new Set(sums)) {
        const { atLeast, above } = law.tails(k, sum);
        expect(atLeast).toBeCloseTo(sums.filter((one) => one >= sum).length / sums.length, 12);
        expect(above).toBeCloseTo(sums.filter((one) => one > sum).length / sums.length, 12);
      }
    }
  });

  it('refuses what has no exact law', () => {
    const refuses = (values: number[], code: string) =>
      expect(() => drawnSums(Float64Array.from(values))).toThrow(
        expect.objectContaining({ code }) as unknown as Error,
      );
    refuses([1, 2, 3], 'too-few-places');
    refuses([], 'too-few-places');
    refuses([1, 2, 3, 4, 5, 6, 7.5], 'invalid-count');
    refuses([0, 1e9, 3, 4, 5, 6, 7], 'values-too-wide');
  });
});

describe('giStarTails', () => {
  const neighbours = neighbourLists(disk(cellAt(51.5, -0.1, 9), 20));
  const cells = neighbours.degrees.length;
  const values = Float64Array.from({ length: cells }, (_, i) => ((i * 7919) % 13) - 3);

  it('orders cells as G_i* does and leaves missing ones out', () => {
    const gaps = values.map((value, i) => (i % 50 === 0 ? Number.NaN : value));
    const p = giStarTails(gaps, neighbours);
    const z = giStarOnGrid(gaps, neighbours);
    expect(p[0]).toBeNaN();
    const hottest = z.reduce((best, value, i) => (value > (z[best] as number) ? i : best), 1);
    expect(p[hottest]).toBe(
      p.reduce((least, value, i) => ((z[i] as number) > 0 ? Math.min(least, value) : least), 1),
    );
  });

  it('randomises between the neighbouring exact p-values', () => {
    const plain = giStarTails(values, neighbours);
    const randomised = giStarTails(values, neighbours, seededRandom('p'));
    randomised.forEach((p, i) => {
      expect(p).toBeGreaterThanOrEqual(0);
      expect(p).toBeLessThanOrEqual((plain[i] as number) + 1e-12);
    });
  });
});
