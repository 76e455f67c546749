/**
 * Several agencies into one tree. Each measured every node of its own tree, so at a node that agencies share the sum of
 * their noisy values measures the sum of their true counts, with the sum of their variances, and families stay
 * consistent. Places outside every agency's domain are known to hold nothing of what was asked: variance 0, and no
 * contributor, which must be shown as "no data" and never as zero.
 */
import { ConcordatError } from '#libs/bytes';
import { type NoisyCounts, noisyCountsFromWire } from './count.js';
import type { Hierarchy } from './hierarchy.js';
import type { Rational } from './rational.js';
import { rationalToNumberUp } from './rounding.js';

/** How one agency measured: where its nodes lie in the large tree, and the variance of each of its levels. */
export interface Contributor {
  /** Node of the large tree for every node of the agency's tree (`embed` of the grid lib). Levels keep their depth. */
  readonly embedding: Int32Array;
  /** By level from the root down; null: that level was not measured. Levels the agency lacks may be left out. */
  readonly levelVariances: readonly (Rational | null)[];
}

export interface Composition {
  /** Variance of the summed value of each node, as `planEstimate` takes it. */
  readonly variances: Float64Array;
  /** Number of contributors whose domain reaches each node: its coverage; 0 is no data. */
  readonly contributors: Uint16Array;
}

const refuse = (code: string, message: string): never => {
  throw new ConcordatError(code, message);
};

/**
 * Variances and coverage of the composed tree. Depends on who contributes and not on their values: compute it once for
 * all vectors with the same contributors. A node that one of its contributors did not measure is unmeasured. Throws
 * `no-contribution`, `unknown-node` (an embedding that leaves the tree, changes level or repeats a node), `wrong-length`,
 * `invalid-variance`.
 */
export function composeVariances(tree: Hierarchy, agencies: readonly Contributor[]): Composition {
  const nodes = tree.parent.length;
  const levels = tree.levelStart.length - 1;
  if (agencies.length === 0) refuse('no-contribution', 'at least one contribution is needed');
  const variances = new Float64Array(nodes);
  const contributors = new Uint16Array(nodes);
  for (const { embedding, levelVariances } of agencies) {
    if (levelVariances.length > levels) refuse('wrong-length', 'more levels than the tree has');
    const byLevel = levelVariances.map((variance) => {
      if (variance === null) return Number.POSITIVE_INFINITY;
      if (variance.num <= 0n) refuse('invalid-variance', 'a variance is positive');
      return rationalToNumberUp(variance);
    });
    let level = 0;
    let previous = -1;
    for (const node of embedding) {
      // Both trees are numbered alike, so a valid embedding ascends.
      if (node <= previous || node >= nodes)
        refuse('unknown-node', 'not an embedding into the tree');
      while (node >= (tree.levelStart[level + 1] as number)) level++;
      if (level >= byLevel.length) refuse('wrong-length', 'a variance is needed for every level');
      variances[node] = (variances[node] as number) + (byLevel[level] as number);
      contributors[node] = (contributors[node] as number) + 1;
      previous = node;
    }
    if (embedding[0] !== 0) refuse('unknown-node', 'an embedding maps root to root');
  }
  return { variances, contributors };
}

/** One agency's noisy values, by the nodes of its own tree. */
export interface Contribution {
  readonly embedding: Int32Array;
  readonly noisy: NoisyCounts;
}

/** Summed noisy values of the composed tree. Throws `wrong-length`, `unknown-node`, `count-overflow` (32-bit signed). */
export function composeCounts(
  tree: Hierarchy,
  contributions: readonly Contribution[],
): NoisyCounts {
  const nodes = tree.parent.length;
  const sums = new Int32Array(nodes);
  for (const { embedding, noisy } of contributions) {
    if (noisy.length !== embedding.length) refuse('wrong-length', 'one value per node is needed');
    for (let i = 0; i < embedding.length; i++) {
      const node = embedding[i] as number;
      if (!(node >= 0 && node < nodes)) refuse('unknown-node', 'not an embedding into the tree');
      const sum = (sums[node] as number) + (noisy[i] as number);
      if (sum !== (sum | 0)) refuse('count-overflow', 'a sum does not fit 32 bits');
      sums[node] = sum;
    }
  }
  return noisyCountsFromWire(sums);
}
