/**
 * A fitted map made to agree with totals that are known better than their parts: the sum over a large area of counts estimated cell by cell
 * adds the error of every cell, while a release has the area's own total with the noise of a few draws. From the root down, the share
 * that each node has of its parent is moved towards what its total says, as far as that total is surer than the fit; then the children of
 * a node are scaled to its own figure. In small area estimation this is benchmarking, hierarchical and with priors of each level's own
 * (Pfeffermann 2013, Statistical Science 28, section 6.4; Datta, Ghosh, Steorts, Maples 2011, TEST 20).
 */
import { ConcordatError } from '#libs/bytes';
import type { Hierarchy } from '#libs/dp';
import { normalDensity, normalUpperTail } from './laws/normal.js';

export interface BenchmarkQuestion {
  /** Nodes breadth first: the root, then level by level to the cells. */
  readonly tree: Pick<Hierarchy, 'levelStart' | 'parent'>;
  /** Fitted counts of the cells, the nodes of the last level, summed over the same periods as the totals. */
  readonly fitted: Float64Array;
  /** Released total of every node, and the variance of its noise. What the cells have is not looked at: their fit rests on it. */
  readonly totals: Float64Array;
  readonly variances: Float64Array;
}

/** How far the sum of a whole map may be off before its total is seen, as a share of it squared. */
const ROOT_SPREAD = 1;
/** A level whose totals scatter more than this, over the squared fit, has next to no fit: more would overflow and say nothing. */
const MOST_SPREAD = 1e12;
/** Further below zero than this a normal tail is not computed. */
const FURTHEST = -30;

/** Mean of a normal variable given that it is positive. */
function positiveMean(mean: number, variance: number): number {
  if (!(variance > 0)) return Math.max(0, mean);
  const deviation = Math.sqrt(variance);
  const z = mean / deviation;
  // Mills' ratio: what is left is about exponential.
  if (z < FURTHEST) return deviation / -z;
  return mean + (deviation * normalDensity(z)) / normalUpperTail(-z);
}

/** Figure between the expected count and the released total of a node; `spread`: variance of the true count over the expected one squared. */
function towardsTotal(expected: number, total: number, variance: number, spread: number): number {
  if (!(expected > 0 && spread > 0)) return expected;
  const error = variance + expected;
  const weight = (spread * expected * expected) / (spread * expected * expected + error);
  const mean = expected + weight * (total - expected);
  // A count cannot be negative: that lifts a low figure, but not above both fit and total.
  return Math.min(positiveMean(mean, weight * error), Math.max(mean, expected));
}

/** Sums over the tree of values of the last level. */
function rolledUp({ levelStart, parent }: BenchmarkQuestion['tree'], leaves: Float64Array) {
  const sums = new Float64Array(parent.length);
  sums.set(leaves, levelStart.at(-2) as number);
  for (let node = sums.length - 1; node > 0; node--) {
    const above = parent[node] as number;
    sums[above] = (sums[above] as number) + (sums[node] as number);
  }
  return sums;
}

/**
 * Factor of every cell: fitted counts times it add up to figures that the totals support, each node's to its parent's. Throws
 * `invalid-benchmark` unless there is one fitted count a cell, finite and not negative, and one total and variance a node.
 */
export function benchmark({ tree, fitted, totals, variances }: BenchmarkQuestion): Float64Array {
  const { levelStart, parent } = tree;
  const nodes = parent.length;
  const cellsFrom = levelStart.at(-2) as number;
  if (
    fitted.length !== nodes - cellsFrom ||
    totals.length !== nodes ||
    variances.length !== nodes ||
    !fitted.every((value) => value >= 0 && value < Number.POSITIVE_INFINITY)
  ) {
    throw new ConcordatError(
      'invalid-benchmark',
      'a fitted count from 0 is needed for every cell, a total and a variance for every node',
    );
  }
  const sums = rolledUp(tree, fitted);
  const figures = new Float64Array(nodes);
  if ((sums[0] as number) > 0) {
    figures[0] = towardsTotal(
      sums[0] as number,
      totals[0] as number,
      variances[0] as number,
      ROOT_SPREAD,
    );
  }
  /** Share of its parent's figure that the fit gives a node. */
  const expectedOf = (node: number): number => {
    const above = parent[node] as number;
    if (sums[above] === 0) return 0;
    return ((figures[above] as number) * (sums[node] as number)) / (sums[above] as number);
  };
  for (let level = 1; level < levelStart.length - 2; level++) {
    const [from, to] = [levelStart[level] as number, levelStart[level + 1] as number];
    let departures = 0;
    let squares = 0;
    for (let node = from; node < to; node++) {
      const expected = expectedOf(node);
      departures +=
        ((totals[node] as number) - expected) ** 2 - (variances[node] as number) - expected;
      squares += expected * expected;
    }
    const spread = squares > 0 ? Math.min(MOST_SPREAD, Math.max(0, departures / squares)) : 0;
    const families = new Float64Array(from);
    for (let node = from; node < to; node++) {
      const figure = towardsTotal(
        expectedOf(node),
        totals[node] as number,
        variances[node] as number,
        spread,
      );
      figures[node] = figure;
      const above = parent[node] as number;
      families[above] = (families[above] as number) + figure;
    }
    for (let node = from; node < to; node++) {
      const above = parent[node] as number;
      const family = families[above] as number;
      if (family > 0) {
        figures[node] = ((figures[node] as number) * (figures[above] as number)) / family;
      }
    }
  }
  return Float64Array.from(fitted, (_, i) => {
    const above = parent[cellsFrom + i] as number;
    return sums[above] === 0 ? 1 : (figures[above] as number) / (sums[above] as number);
  });
}
