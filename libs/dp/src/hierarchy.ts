/**
 * Least-squares estimate of a tree of counts from noisy counts of its nodes: Hay, Rastogi, Miklau, Suciu 2010 [Hay10,
 * section 4.1] for any variances and family sizes, as in [GLS] arXiv 2404.13164. Derivation, line by line with the names
 * used here: docs/privacy/estimator.md. Two parts: a *plan* depends on the tree and the variances only and serves every
 * vector measured the same way; `estimateHierarchy` applies it to one vector. Both are linear in the nodes.
 *
 * This runs on noisy values only, so it may use floating point: it costs no privacy.
 */
import { ConcordatError } from '#libs/bytes';
import type { NoisyCounts } from './count.js';
import type { Rational } from './rational.js';
import { rationalToNumberUp } from './rounding.js';

/** A tree in flat arrays, numbered breadth first (node 0 is the root), so that the children of a node are consecutive. */
export interface Hierarchy {
  /** First node of each level, and the number of nodes at the end. */
  readonly levelStart: Uint32Array;
  /** Parent of each node; -1 for the root. */
  readonly parent: Int32Array;
  /** One longer than there are nodes: the children of v are `firstChild[v] .. firstChild[v + 1] - 1`, none for a leaf. */
  readonly firstChild: Uint32Array;
}

/**
 * Variances of the measurements: one per level (null: level not measured), or one per node in a `Float64Array`, where
 * Infinity says "not measured" and 0 "known exactly" (as the count of a place outside every contributor's domain is).
 */
export type Variances = readonly (Rational | null)[] | Float64Array;

/** All arrays have one entry a node. */
export interface EstimatePlan {
  readonly tree: Hierarchy;
  /** Weight of a node's own measurement against the sum of its children, 0..1. */
  readonly ownWeight: Float64Array;
  /** Variance u of the estimate from the node and what is under it; Infinity when they do not determine it. */
  readonly subtreeVariance: Float64Array;
  /** Share of its family's discrepancy that a child takes; the shares of a family sum to 1. */
  readonly gain: Float64Array;
  /** Variance of the final estimate; Infinity when no combination of measurements determines the node. */
  readonly variance: Float64Array;
}

/**
 * Prepares the estimate. Throws `wrong-length` (one variance per level or per node), `invalid-variance` (NaN, negative;
 * per level also zero).
 */
export function planEstimate(tree: Hierarchy, variances: Variances): EstimatePlan {
  const nodes = tree.parent.length;
  const plan: EstimatePlan = {
    tree,
    ownWeight: new Float64Array(nodes),
    subtreeVariance: new Float64Array(nodes),
    gain: new Float64Array(nodes),
    variance: new Float64Array(nodes),
  };
  combineUpward(plan, variances instanceof Float64Array ? checked(variances, nodes) : variances);
  distributeDownward(plan);
  return plan;
}

function checked(variances: Float64Array, nodes: number): Float64Array {
  if (variances.length !== nodes) throw wrongLength('one variance per node');
  for (let v = 0; v < nodes; v++) {
    if (!((variances[v] as number) >= 0)) throw invalidVariance();
  }
  return variances;
}

const wrongLength = (need: string) =>
  new ConcordatError('wrong-length', `the estimate needs ${need}`);
const invalidVariance = () =>
  new ConcordatError(
    'invalid-variance',
    'give the variance of every measurement as a positive number',
  );

/** Variance of each level as a double, never below the exact one; Infinity for a level that is not measured. */
function levelNumbers(tree: Hierarchy, variances: readonly (Rational | null)[]): Float64Array {
  if (variances.length !== tree.levelStart.length - 1) throw wrongLength('one variance per level');
  return Float64Array.from(variances, (variance) => {
    if (variance === null) return Number.POSITIVE_INFINITY;
    if (variance.num <= 0n) throw invalidVariance();
    return rationalToNumberUp(variance);
  });
}

/** Estimator.md, step 1: own weight a = U / (s + U) and subtree variance u = s a, U the sum of the children's u. */
function combineUpward(plan: EstimatePlan, variances: Variances): void {
  const { tree, ownWeight, subtreeVariance } = plan;
  const { levelStart, firstChild } = tree;
  const perNode = variances instanceof Float64Array ? variances : null;
  const perLevel = variances instanceof Float64Array ? null : levelNumbers(tree, variances);
  for (let level = levelStart.length - 2; level >= 0; level--) {
    let s = perLevel === null ? 0 : (perLevel[level] as number);
    for (let v = (levelStart[level + 1] as number) - 1; v >= (levelStart[level] as number); v--) {
      if (perNode !== null) s = perNode[v] as number;
      const first = firstChild[v] as number;
      const end = firstChild[v + 1] as number;
      let below = first === end ? Number.POSITIVE_INFINITY : 0;
      for (let c = first; c < end; c++) below += subtreeVariance[c] as number;
      // The four cases are the limits of the formula in the last line.
      if (s === Number.POSITIVE_INFINITY) {
        subtreeVariance[v] = below;
      } else if (below === Number.POSITIVE_INFINITY) {
        ownWeight[v] = 1;
        subtreeVariance[v] = s;
      } else if (below > 0) {
        const own = below / (s + below);
        ownWeight[v] = own;
        subtreeVariance[v] = s * own;
      }
    }
  }
}

/** Estimator.md, step 2: gain g = u / U and variance p = u (1 - g) + g^2 p(parent), from the root down. */
function distributeDownward({ tree, subtreeVariance, gain, variance }: EstimatePlan): void {
  const { firstChild, parent } = tree;
  gain[0] = 1;
  variance[0] = subtreeVariance[0] as number;
  for (let v = 0; v < parent.length; v++) {
    const first = firstChild[v] as number;
    const end = firstChild[v + 1] as number;
    let determined = 0;
    let undetermined = 0;
    for (let c = first; c < end; c++) {
      const u = subtreeVariance[c] as number;
      if (u === Number.POSITIVE_INFINITY) undetermined++;
      else determined += u;
    }
    const p = variance[v] as number;
    for (let c = first; c < end; c++) {
      const u = subtreeVariance[c] as number;
      if (undetermined === 0) {
        const g = determined > 0 ? u / determined : 0;
        gain[c] = g;
        // p is infinite only above an undetermined child.
        variance[c] = u * (1 - g) + g * g * p;
      } else if (u < Number.POSITIVE_INFINITY) {
        variance[c] = u;
      } else {
        // One undetermined child is its parent less its siblings; of several only the sum is known.
        gain[c] = 1 / undetermined;
        variance[c] = undetermined === 1 ? p + determined : Number.POSITIVE_INFINITY;
      }
    }
  }
}

/**
 * Best linear unbiased estimate of every node from the noisy values of all nodes (values of unmeasured nodes are not
 * read). Every node equals the sum of its children up to rounding of doubles. A node that the measurements do not
 * determine (`plan.variance` Infinity) holds a filler: equal parts of what is left of its family. `into` is overwritten.
 * Throws `wrong-length`.
 */
export function estimateHierarchy(
  plan: EstimatePlan,
  noisy: NoisyCounts,
  into = new Float64Array(noisy.length),
): Float64Array {
  const { ownWeight, gain } = plan;
  const { firstChild, parent } = plan.tree;
  const nodes = parent.length;
  if (noisy.length !== nodes || into.length !== nodes) throw wrongLength('one value per node');
  for (let v = nodes - 1; v >= 0; v--) {
    const end = firstChild[v + 1] as number;
    let sum = 0;
    for (let c = firstChild[v] as number; c < end; c++) sum += into[c] as number;
    const own = ownWeight[v] as number;
    into[v] = own * (noisy[v] as number) + (1 - own) * sum;
  }
  for (let v = 0; v < nodes; v++) {
    const first = firstChild[v] as number;
    const end = firstChild[v + 1] as number;
    let discrepancy = into[v] as number;
    for (let c = first; c < end; c++) discrepancy -= into[c] as number;
    for (let c = first; c < end; c++) {
      into[c] = (into[c] as number) + (gain[c] as number) * discrepancy;
    }
  }
  return into;
}
