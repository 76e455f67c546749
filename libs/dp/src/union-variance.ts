import { ConcordatError } from '#libs/bytes';
import type { EstimatePlan } from './hierarchy.js';

/** Coefficient of a node's estimation error in the combination, and the variance the nodes under it add. */
interface Share {
  coefficient: number;
  variance: number;
}

/**
 * Variance of the sum (or of any linear combination) of node estimates, exactly, with all covariances: two nodes vary
 * together through the path over their lowest common ancestor. `nodes` are distinct; `weights` default to 1. Infinity
 * when the measurements do not determine the combination. Derivation: docs/privacy/estimator.md, step 3. Cost: the nodes
 * and their ancestors. Throws `unknown-node` (out of range or listed twice) and `wrong-length`.
 */
export function varianceOfSum(
  plan: EstimatePlan,
  nodes: ArrayLike<number>,
  weights?: ArrayLike<number>,
): number {
  const shares = new Map<number, Share>();
  const ancestors = new Set<number>();
  if (weights !== undefined && weights.length !== nodes.length) {
    throw new ConcordatError('wrong-length', 'one weight per node is needed');
  }
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as number;
    if (!(Number.isInteger(node) && node >= 0 && node < plan.variance.length) || shares.has(node)) {
      throw new ConcordatError('unknown-node', 'name nodes of the tree, each once');
    }
    shares.set(node, {
      coefficient: weights === undefined ? 1 : (weights[i] as number),
      variance: 0,
    });
    for (let v = plan.tree.parent[node] as number; v >= 0 && !ancestors.has(v); ) {
      ancestors.add(v);
      v = plan.tree.parent[v] as number;
    }
  }
  // Breadth-first numbers: a child comes after its parent, so descending order sees all children first.
  for (const v of Uint32Array.from(ancestors).sort().reverse()) {
    const family = foldFamily(plan, v, shares);
    const own = shares.get(v);
    shares.set(v, {
      coefficient: family.coefficient + (own?.coefficient ?? 0),
      variance: family.variance,
    });
  }
  const root = shares.get(0);
  if (root === undefined || root.variance === Number.POSITIVE_INFINITY) return root?.variance ?? 0;
  // Avoids 0 * Infinity: a combination that does not move with the root does not need it determined.
  const { coefficient } = root;
  return root.variance + (coefficient === 0 ? 0 : coefficient ** 2 * (plan.variance[0] as number));
}

/**
 * Error of child c is g_c * error(parent) + eta_c, where the eta of one family have covariance diag(u) - U g g' and are
 * independent of everything above. So the family passes on the mean coefficient m = sum g_c a_c, and adds
 * sum u_c (a_c - m)^2. A child with infinite u must have coefficient m, or the combination is not determined.
 */
function foldFamily(plan: EstimatePlan, v: number, shares: ReadonlyMap<number, Share>): Share {
  const { subtreeVariance, gain, tree } = plan;
  const first = tree.firstChild[v] as number;
  const end = tree.firstChild[v + 1] as number;
  let coefficient = 0;
  let variance = 0;
  for (let c = first; c < end; c++) {
    const share = shares.get(c);
    if (share === undefined) continue;
    coefficient += (gain[c] as number) * share.coefficient;
    variance += share.variance;
  }
  for (let c = first; c < end; c++) {
    const distance = (shares.get(c)?.coefficient ?? 0) - coefficient;
    const u = subtreeVariance[c] as number;
    if (u < Number.POSITIVE_INFINITY) variance += u * distance ** 2;
    else if (Math.abs(distance) > 1e-12) variance = Number.POSITIVE_INFINITY;
  }
  return { coefficient, variance };
}
