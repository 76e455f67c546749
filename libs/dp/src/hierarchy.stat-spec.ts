/**
 * Statistics of the estimate under the real mechanism (seeded). False alarms: each coverage assertion allows 0.5 % around
 * 95 % with 120,000 independent trees, at least 7.9 standard errors of the mean; what is tested is that the true
 * coverage lies well inside. Bias assertions allow 5 standard errors: 6e-7 each.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { buildTree, findArea, parseAreas, rollUp } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import {
  confidenceInterval,
  discreteGaussian,
  estimateHierarchy,
  type Hierarchy,
  hierarchyFromParents,
  integerMap,
  levelVariances,
  noisyCountsFromWire,
  parseRho,
  planEstimate,
  varianceOfSum,
} from './index.js';

const LEVELS = levelVariances({ rho: parseRho('1/8'), finest: 9, l2SensitivitySquared: 1n });

/** Noise of every level into `noisy`, on top of `exact`. */
function measure(tree: Hierarchy, sigma2: readonly { num: bigint; den: bigint }[], seed: string) {
  const random = seededRandom(seed);
  const samplers = sigma2.map((value) => discreteGaussian({ sigma2: value }));
  return (exact: Int32Array, noisy: Int32Array): void => {
    samplers.forEach((sampler, level) => {
      sampler.sampleInto(
        noisy.subarray(tree.levelStart[level], tree.levelStart[level + 1]),
        random,
      );
    });
    for (let v = 0; v < noisy.length; v++) noisy[v] = (noisy[v] as number) + (exact[v] as number);
  };
}

const SIZES = [7, 3, 1, 5, 2, 6, 4];
/** A root over families of 1 to 7, four levels: coasts, a chain of only children, full inland families. */
function coastalTree(): Hierarchy {
  const parents = [-1];
  let level = [0];
  for (let depth = 0, at = 0; depth < 3; depth++) {
    const next: number[] = [];
    for (const parent of level) {
      for (let k = 0; k < (SIZES[at % SIZES.length] as number); k++)
        next.push(parents.push(parent) - 1);
      at++;
    }
    level = next;
  }
  return hierarchyFromParents(Int32Array.from(parents)).tree;
}

describe('coverage of 95 % intervals', () => {
  const tree = coastalTree();
  const nodes = tree.parent.length;
  const leafStart = tree.levelStart[3] as number;
  const levels = [0, 1, 2, 3];
  const sigma2 = LEVELS.slice(3).map((level) => level.sigma2);
  const plan = planEstimate(tree, sigma2);
  const DRAWS = 120_000;

  it('is 94.5 to 95.5 % on every level and for random unions of cells', () => {
    const choose = new Uint32Array(nodes);
    const random = seededRandom('unions');
    const unions = Array.from({ length: 12 }, (_, i) => {
      random.fillWords(choose);
      return Array.from({ length: nodes - leafStart }, (_, k) => leafStart + k).filter(
        (v) => (choose[v] as number) / 2 ** 32 < (i + 1) / 14,
      );
    });
    const half = (variance: number) => confidenceInterval(0, variance).high;
    const halfOfNode = Float64Array.from(plan.variance, half);
    const halfOfUnion = unions.map((union) => half(varianceOfSum(plan, union)));

    // The estimate is linear and unbiased, so truth 0 everywhere stands for every truth.
    const exact = new Int32Array(nodes);
    const noisy = noisyCountsFromWire(new Int32Array(nodes));
    const estimates = new Float64Array(nodes);
    const draw = measure(tree, sigma2, 'coverage');
    const covered = new Float64Array(levels.length);
    const coveredUnions = new Float64Array(unions.length);
    for (let i = 0; i < DRAWS; i++) {
      draw(exact, noisy);
      estimateHierarchy(plan, noisy, estimates);
      for (const level of levels) {
        const start = tree.levelStart[level] as number;
        const end = tree.levelStart[level + 1] as number;
        let inside = 0;
        for (let v = start; v < end; v++) {
          if (Math.abs(estimates[v] as number) <= (halfOfNode[v] as number)) inside++;
        }
        covered[level] = (covered[level] as number) + inside / (end - start);
      }
      unions.forEach((union, u) => {
        let sum = 0;
        for (const v of union) sum += estimates[v] as number;
        if (Math.abs(sum) <= (halfOfUnion[u] as number)) {
          coveredUnions[u] = (coveredUnions[u] as number) + 1;
        }
      });
    }
    for (const count of [...covered, ...coveredUnions]) {
      expect(count / DRAWS).toBeGreaterThan(0.945);
      expect(count / DRAWS).toBeLessThan(0.955);
    }
  });
});

describe('bias over 200 draws on a real coast', () => {
  const file = new URL('../../../samples/grid/areas.json.gz', import.meta.url);
  const areas = parseAreas(gunzipSync(readFileSync(file)).toString());
  const tree = buildTree(findArea(areas, 'authority', 'isle-of-wight').domain(), { finest: 9 });
  const leafStart = tree.levelStart[6] as number;
  const leaves = tree.nodeCount - leafStart;
  const sigma2 = LEVELS.map((level) => level.sigma2);
  const plan = planEstimate(tree, sigma2);
  const DRAWS = 200;
  /** 66 incidents in a handful of cells: a rare category, where every clip shows. */
  const truth = new Int32Array(leaves);
  for (let i = 0; i < 66; i++) {
    const at = (i * i * 7) % leaves;
    truth[at] = (truth[at] as number) + 1;
  }
  const exact = rollUp(tree, truth);

  /** Mean error of a total over the draws, in standard errors of that mean. */
  function biasOf(total: (estimates: Float64Array, noisy: Int32Array) => number): number {
    const draw = measure(tree, sigma2, 'bias');
    const noisy = noisyCountsFromWire(new Int32Array(tree.nodeCount));
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < DRAWS; i++) {
      draw(exact, noisy);
      const error = total(estimateHierarchy(plan, noisy), noisy) - (exact[0] as number);
      sum += error;
      squares += error * error;
    }
    const mean = sum / DRAWS;
    return mean / Math.sqrt((squares / DRAWS - mean * mean) / (DRAWS - 1));
  }
  const sumOfLeaves = (values: ArrayLike<number>, each: (value: number) => number) => {
    let sum = 0;
    for (let v = leafStart; v < tree.nodeCount; v++) sum += each(values[v] as number);
    return sum;
  };

  it('is none for the total, the sum of all cells, and the integer map', () => {
    expect(Math.abs(biasOf((estimates) => estimates[0] as number))).toBeLessThan(4);
    expect(Math.abs(biasOf((estimates) => sumOfLeaves(estimates, (x) => x)))).toBeLessThan(4);
    expect(
      Math.abs(biasOf((estimates) => sumOfLeaves(integerMap(tree, estimates), (x) => x))),
    ).toBeLessThan(4);
  });

  it('catches the mutants that clip at zero', () => {
    expect(biasOf((estimates) => sumOfLeaves(estimates, (x) => Math.max(0, x)))).toBeGreaterThan(
      100,
    );
    expect(
      biasOf((_, noisy) => {
        const clipped = noisyCountsFromWire(noisy.map((value) => Math.max(0, value)));
        return estimateHierarchy(plan, clipped)[0] as number;
      }),
    ).toBeGreaterThan(5);
  });

  it('leaves an additive map in every family of the coast', () => {
    const draw = measure(tree, sigma2, 'families');
    const noisy = noisyCountsFromWire(new Int32Array(tree.nodeCount));
    draw(exact, noisy);
    const map = integerMap(tree, estimateHierarchy(plan, noisy));
    expect(map).toEqual(rollUp(tree, map.slice(leafStart)));
    expect(Math.min(...map)).toBe(0);
    const sizes = new Set<number>();
    for (let v = 0; v < leafStart; v++) {
      sizes.add((tree.firstChild[v + 1] as number) - (tree.firstChild[v] as number));
    }
    expect([...sizes].sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
