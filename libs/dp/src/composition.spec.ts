import { describe, expect, it } from '@jest/globals';
import {
  type Contributor,
  composeCounts,
  composeVariances,
  estimateHierarchy,
  hierarchyFromParents,
  noisyCountsFromWire,
  planEstimate,
  rational,
} from './index.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const noisy = (...values: number[]) => noisyCountsFromWire(Int32Array.from(values));

/** Root 0; 1 and 2 under it; leaves 3, 4, 5 under 1 and 6, 7 under 2. */
const { tree } = hierarchyFromParents(Int32Array.of(-1, 0, 0, 1, 1, 1, 2, 2));
const levels = (...variances: (bigint | null)[]) =>
  variances.map((v) => (v === null ? null : rational(v)));
/** Holds leaves 3 and 4. */
const west: Contributor = {
  embedding: Int32Array.of(0, 1, 3, 4),
  levelVariances: levels(8n, 4n, 2n),
};
/** Holds leaves 4 and 6: it shares leaf 4 with the west. */
const east: Contributor = {
  embedding: Int32Array.of(0, 1, 2, 4, 6),
  levelVariances: levels(80n, 40n, 20n),
};

describe('composition', () => {
  it('adds variances where agencies overlap and knows what nobody covers', () => {
    const { variances, contributors } = composeVariances(tree, [west, east]);
    expect([...variances]).toEqual([88, 44, 40, 2, 22, 0, 20, 0]);
    expect([...contributors]).toEqual([2, 2, 1, 1, 2, 0, 1, 0]);
  });

  it('adds values, and exact ones come out as they went in', () => {
    const sums = composeCounts(tree, [
      { embedding: west.embedding, noisy: noisy(7, 7, 3, 4) },
      { embedding: east.embedding, noisy: noisy(30, 10, 20, 10, 20) },
    ]);
    expect([...sums]).toEqual([37, 17, 20, 3, 14, 0, 20, 0]);
    const plan = planEstimate(tree, composeVariances(tree, [west, east]).variances);
    estimateHierarchy(plan, sums).forEach((value, v) => {
      expect(value).toBeCloseTo(sums[v] as number, 10);
    });
    expect(plan.variance[5]).toBe(0);
  });

  it('treats a node as unmeasured when one of its contributors skipped its level', () => {
    const skipped = { ...east, levelVariances: levels(80n, null, 20n) };
    const { variances } = composeVariances(tree, [west, skipped]);
    expect([...variances]).toEqual([88, Infinity, Infinity, 2, 22, 0, 20, 0]);
  });

  it('composes one agency to what it would estimate alone', () => {
    const alone = hierarchyFromParents(Int32Array.of(-1, 0, 1, 1)).tree;
    const values = noisy(9, 6, 1, 4);
    const own = planEstimate(alone, west.levelVariances);
    const expected = estimateHierarchy(own, values);
    const { variances } = composeVariances(tree, [west]);
    const plan = planEstimate(tree, variances);
    const sums = composeCounts(tree, [{ embedding: west.embedding, noisy: values }]);
    const estimates = estimateHierarchy(plan, sums);
    west.embedding.forEach((node, v) => {
      expect(estimates[node]).toBeCloseTo(expected[v] as number, 10);
      expect(plan.variance[node]).toBeCloseTo(own.variance[v] as number, 10);
    });
    expect([...estimates].filter((_, v) => !west.embedding.includes(v))).toEqual([0, 0, 0, 0]);
  });

  it.each([
    ['no-contribution', () => composeVariances(tree, [])],
    ['unknown-node', () => composeVariances(tree, [{ ...west, embedding: Int32Array.of(0, 8) }])],
    ['unknown-node', () => composeVariances(tree, [{ ...west, embedding: Int32Array.of(1, 3) }])],
    [
      'unknown-node',
      () => composeVariances(tree, [{ ...west, embedding: Int32Array.of(0, 3, 3) }]),
    ],
    ['unknown-node', () => composeVariances(tree, [{ ...west, embedding: Int32Array.of(-1, 0) }])],
    ['wrong-length', () => composeVariances(tree, [{ ...west, levelVariances: levels(1n, 1n) }])],
    [
      'wrong-length',
      () => composeVariances(tree, [{ ...west, levelVariances: levels(1n, 1n, 1n, 1n) }]),
    ],
    [
      'invalid-variance',
      () => composeVariances(tree, [{ ...west, levelVariances: levels(1n, 0n, 1n) }]),
    ],
    ['wrong-length', () => composeCounts(tree, [{ embedding: west.embedding, noisy: noisy(1) }])],
    ['unknown-node', () => composeCounts(tree, [{ embedding: Int32Array.of(9), noisy: noisy(1) }])],
    [
      'count-overflow',
      () => {
        const large = { embedding: Int32Array.of(0), noisy: noisy(2 ** 31 - 1) };
        return composeCounts(tree, [large, large]);
      },
    ],
  ])('refuses with %s (%#)', (expected, run) => {
    expect(run).toThrow(code(expected));
  });
});
