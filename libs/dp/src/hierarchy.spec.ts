import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  estimateHierarchy,
  type Hierarchy,
  integerMap,
  noisyCountsFromWire,
  planEstimate,
  rational,
  varianceOfSum,
} from './index.js';

const code = (expected: string) => expect.objectContaining({ code: expected });

/** Tree from the sizes of its families, breadth first: [2, 2, 2] is a root with two children of two leaves each. */
function treeOf(families: readonly number[]): Hierarchy {
  const parent = [-1];
  const firstChild: number[] = [];
  const depth = [0];
  for (let v = 0; v < parent.length; v++) {
    firstChild.push(parent.length);
    for (let k = 0; k < (families[v] ?? 0); k++) {
      parent.push(v);
      depth.push((depth[v] as number) + 1);
    }
  }
  const levels = (depth.at(-1) as number) + 1;
  const starts = Array.from({ length: levels }, (_, level) => depth.indexOf(level));
  return {
    levelStart: Uint32Array.of(...starts, parent.length),
    parent: Int32Array.from(parent),
    firstChild: Uint32Array.of(...firstChild, parent.length),
  };
}

const noisy = (...values: number[]) => noisyCountsFromWire(Int32Array.from(values));

const leavesUnder = (tree: Hierarchy, v: number): number[] => {
  const children = Array.from(tree.parent.keys()).filter((c) => tree.parent[c] === v);
  return children.length === 0 ? [v] : children.flatMap((c) => leavesUnder(tree, c));
};

/** Inverse of a symmetric positive definite matrix by Gauss-Jordan elimination. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let i = 0; i < n; i++) {
    const pivot = rows[i] as number[];
    const scale = pivot[i] as number;
    for (let k = 0; k < 2 * n; k++) pivot[k] = (pivot[k] as number) / scale;
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = row[i] as number;
      for (let k = 0; k < 2 * n; k++) row[k] = (row[k] as number) - factor * (pivot[k] as number);
    }
  }
  return rows.map((row) => row.slice(n));
}

const times = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] =>
  a.map((row) =>
    (b[0] as readonly number[]).map((_, j) =>
      row.reduce((sum, value, k) => sum + value * ((b[k] as readonly number[])[j] as number), 0),
    ),
  );

/**
 * The textbook answer: minimise sum (y_v - sum of leaves under v)^2 / s_v over the leaves, by the normal equations. What is
 * not determined gets variance of the order of `VAGUE` from a vague prior on every leaf.
 */
const VAGUE = 1e7;
function denseLeastSquares(tree: Hierarchy, values: Int32Array, variances: Float64Array) {
  const leaves = leavesUnder(tree, 0);
  const design = Array.from(tree.parent.keys()).map((v) => {
    const under = new Set(leavesUnder(tree, v));
    return leaves.map((leaf) => (under.has(leaf) ? 1 : 0));
  });
  const precision = leaves.map((_, i) =>
    leaves.map((_, j) =>
      design.reduce(
        (sum, row, v) => sum + ((row[i] ?? 0) * (row[j] ?? 0)) / (variances[v] as number),
        i === j ? 1 / VAGUE : 0,
      ),
    ),
  );
  const right = leaves.map((_, i) => [
    design.reduce((sum, row, v) => {
      const s = variances[v] as number;
      return s === Infinity ? sum : sum + ((row[i] ?? 0) * (values[v] as number)) / s;
    }, 0),
  ]);
  const covarianceOfLeaves = inverse(precision);
  const estimates = times(design, times(covarianceOfLeaves, right)).map((row) => row[0] as number);
  const transposed = leaves.map((_, j) => design.map((row) => row[j] as number));
  return { estimates, covariance: times(times(design, covarianceOfLeaves), transposed) };
}

/** Random trees of up to some 25 leaves, families of 1..20 children; each node measured with its own variance or not. */
const family = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 4 }) },
  fc.constantFrom(7, 20),
);
const problem = fc
  .array(family, { minLength: 1, maxLength: 12 })
  .map((families) => treeOf(families))
  .chain((tree) => {
    const nodes = tree.parent.length;
    const variance = fc.oneof(
      { weight: 4, arbitrary: fc.double({ min: 0.05, max: 50, noNaN: true }) },
      fc.constant(Number.POSITIVE_INFINITY),
    );
    return fc.record({
      tree: fc.constant(tree),
      values: fc.array(fc.integer({ min: -20, max: 60 }), { minLength: nodes, maxLength: nodes }),
      variances: fc.array(variance, { minLength: nodes, maxLength: nodes }),
      picks: fc.array(fc.nat({ max: nodes - 1 }), { minLength: 1, maxLength: 8 }),
      weights: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 8, maxLength: 8 }),
    });
  });

describe('published examples', () => {
  it('repeats [Hay10] figure 2', () => {
    const tree = treeOf([2, 2, 2]);
    const plan = planEstimate(tree, [rational(1n), rational(1n), rational(1n)]);
    const estimates = estimateHierarchy(plan, noisy(13, 3, 11, 4, 1, 12, 1));
    [14, 3, 11, 3, 0, 11, 0].forEach((value, v) => {
      expect(estimates[v]).toBeCloseTo(value, 12);
    });
    expect(integerMap(tree, estimates)).toEqual(Int32Array.of(14, 3, 11, 3, 0, 11, 0));
  });

  it('spreads the discrepancy of seven children evenly', () => {
    const tree = treeOf([7]);
    const plan = planEstimate(tree, new Float64Array(8).fill(1));
    const estimates = estimateHierarchy(plan, noisy(100, 10, 12, 9, 0, 3, 30, 20));
    [98, 12, 14, 11, 2, 5, 32, 22].forEach((value, v) => {
      expect(estimates[v]).toBeCloseTo(value, 10);
      expect(plan.variance[v]).toBeCloseTo(0.875, 12);
    });
  });
});

describe('estimate against dense weighted least squares', () => {
  it('agrees in value, variance and covariance of any combination', () => {
    let determined = 0;
    let vague = 0;
    fc.assert(
      fc.property(problem, ({ tree, values, variances, picks, weights }) => {
        const y = noisyCountsFromWire(Int32Array.from(values));
        const s = Float64Array.from(variances);
        const plan = planEstimate(tree, s);
        const estimates = estimateHierarchy(plan, y);
        const dense = denseLeastSquares(tree, y, s);
        dense.estimates.forEach((value, v) => {
          const variance = (dense.covariance[v] as number[])[v] as number;
          if (variance > VAGUE / 1e3) {
            vague++;
            expect(plan.variance[v]).toBe(Infinity);
          } else {
            determined++;
            expect(plan.variance[v]).toBeGreaterThan(variance * (1 - 1e-3));
            expect(plan.variance[v]).toBeLessThan(variance * (1 + 1e-3) + 1e-6);
            expect(Math.abs((estimates[v] as number) - value)).toBeLessThan(0.05);
          }
        });
        const nodes = [...new Set(picks)];
        const sum = varianceOfSum(plan, nodes, weights.slice(0, nodes.length));
        const expected = nodes.reduce(
          (total, a, i) =>
            total +
            nodes.reduce(
              (row, b, j) =>
                row +
                (weights[i] as number) *
                  (weights[j] as number) *
                  ((dense.covariance[a] as number[])[b] as number),
              0,
            ),
          0,
        );
        if (expected > VAGUE / 1e3) expect(sum).toBe(Infinity);
        else expect(Math.abs(sum - expected)).toBeLessThan(1e-3 * Math.max(1, expected));
      }),
      { numRuns: 400 },
    );
    // The generator reaches both kinds of node, or the property would say nothing about one of them.
    expect(Math.min(determined, vague)).toBeGreaterThan(500);
  });

  it('adds up in every family, whatever is measured', () => {
    fc.assert(
      fc.property(problem, ({ tree, values, variances }) => {
        const plan = planEstimate(tree, Float64Array.from(variances));
        const estimates = estimateHierarchy(plan, noisy(...values));
        const map = integerMap(tree, estimates);
        for (let v = 0; v < tree.parent.length; v++) {
          const children = Array.from(tree.parent.keys()).filter((c) => tree.parent[c] === v);
          expect(map[v]).toBeGreaterThanOrEqual(0);
          if (children.length === 0) continue;
          const sum = (of: Float64Array | Int32Array) =>
            children.reduce((a, c) => a + (of[c] as number), 0);
          expect(sum(estimates)).toBeCloseTo(estimates[v] as number, 6);
          expect(sum(map)).toBe(map[v]);
        }
        expect(map[0]).toBe(Math.max(0, Math.floor((estimates[0] as number) + 0.5)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('plan', () => {
  const tree = treeOf([3, 2, 1, 4]);

  it('is the same from level variances as from the same variances by node', () => {
    const levels = [rational(7n), rational(5n, 2n), rational(1n, 3n)];
    const byNode = Float64Array.of(7, 2.5, 2.5, 2.5, ...Array(7).fill(1 / 3));
    const perLevel = planEstimate(tree, levels);
    const perNode = planEstimate(tree, byNode);
    for (const field of ['ownWeight', 'gain', 'variance'] as const) {
      perLevel[field].forEach((value, v) => {
        expect(value).toBeCloseTo(perNode[field][v] as number, 12);
      });
    }
  });

  it('does without a level that was not measured', () => {
    const plan = planEstimate(tree, [rational(4n), null, rational(1n)]);
    const estimates = estimateHierarchy(
      plan,
      noisy(70, 9999, -9999, 0, 10, 10, 10, 10, 10, 10, 10),
    );
    // 70 with variance 4 against a sum of 70.
    expect([...estimates]).toEqual([70, 20, 10, 40, 10, 10, 10, 10, 10, 10, 10]);
  });

  it('takes variance 0 as known', () => {
    const outside = planEstimate(tree, Float64Array.of(4, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1));
    const estimates = estimateHierarchy(outside, noisy(30, 11, 0, 19, 5, 5, 0, 5, 5, 5, 5));
    expect([estimates[2], estimates[6], outside.variance[2], outside.variance[6]]).toEqual([
      0, 0, 0, 0,
    ]);
    expect((estimates[1] as number) + (estimates[3] as number)).toBeCloseTo(
      estimates[0] as number,
      12,
    );
  });

  it.each([
    ['wrong-length', () => planEstimate(tree, [rational(1n)])],
    ['wrong-length', () => planEstimate(tree, Float64Array.of(1))],
    ['invalid-variance', () => planEstimate(tree, new Float64Array(11).fill(Number.NaN))],
    ['invalid-variance', () => planEstimate(tree, new Float64Array(11).fill(-1))],
    ['invalid-variance', () => planEstimate(tree, [rational(1n), rational(0n), rational(1n)])],
    ['wrong-length', () => estimateHierarchy(planEstimate(tree, new Float64Array(11)), noisy(1))],
    ['unknown-node', () => varianceOfSum(planEstimate(tree, new Float64Array(11)), [11])],
    ['unknown-node', () => varianceOfSum(planEstimate(tree, new Float64Array(11)), [3, 3])],
    ['unknown-node', () => varianceOfSum(planEstimate(tree, new Float64Array(11)), [0.5])],
    ['wrong-length', () => varianceOfSum(planEstimate(tree, new Float64Array(11)), [1], [])],
  ])('refuses with %s (%#)', (expected, run) => {
    expect(run).toThrow(code(expected));
  });
});
