import { ConcordatError } from '#libs/bytes';
import type { Hierarchy } from './hierarchy.js';

/** A tree and where its nodes came from: `position[v]` is the place of node v in the list given. */
export interface OrderedHierarchy {
  readonly tree: Hierarchy;
  readonly position: Int32Array;
}

const refuse = (code: string, message: string): never => {
  throw new ConcordatError(code, message);
};

/**
 * Tree from a list that names each node's parent by place in the list (-1 for the root), in any order. Siblings keep the
 * order of the list. Linear. Throws `no-root`, `several-roots`, `unknown-parent`, `cyclic-tree`.
 */
export function hierarchyFromParents(parents: Int32Array): OrderedHierarchy {
  const nodes = parents.length;
  const root = parents.indexOf(-1);
  if (root < 0) refuse('no-root', 'exactly one node has no parent: the total');
  if (parents.indexOf(-1, root + 1) >= 0)
    refuse('several-roots', 'only one node may have no parent');

  // Children by parent: a counting sort, which keeps their order.
  const childStart = new Uint32Array(nodes + 1);
  for (const parent of parents) {
    if (parent < -1 || parent >= nodes) refuse('unknown-parent', 'a parent is not in the list');
    if (parent >= 0) childStart[parent + 1] = (childStart[parent + 1] as number) + 1;
  }
  for (let i = 0; i < nodes; i++) {
    childStart[i + 1] = (childStart[i + 1] as number) + (childStart[i] as number);
  }
  const next = childStart.slice();
  const children = new Uint32Array(nodes);
  parents.forEach((parent, i) => {
    if (parent < 0) return;
    const at = next[parent] as number;
    children[at] = i;
    next[parent] = at + 1;
  });

  const position = new Int32Array(nodes);
  const parent = new Int32Array(nodes);
  const firstChild = new Uint32Array(nodes + 1);
  const levelStart = [0];
  position[0] = root;
  parent[0] = -1;
  let end = 1;
  for (let v = 0, levelEnd = 1; v < end; v++) {
    if (v === levelEnd) {
      levelStart.push(v);
      levelEnd = end;
    }
    firstChild[v] = end;
    const at = position[v] as number;
    for (let k = childStart[at] as number; k < (childStart[at + 1] as number); k++) {
      parent[end] = v;
      position[end++] = children[k] as number;
    }
  }
  if (end < nodes)
    refuse('cyclic-tree', 'some nodes are not under the root: their parents go in a circle');
  firstChild[nodes] = nodes;
  levelStart.push(nodes);
  return {
    tree: { levelStart: Uint32Array.from(levelStart), parent, firstChild },
    position,
  };
}
