/**
 * The hierarchy of a domain in flat typed arrays: the domain total (root), then its cells at resolutions 4 to `finest`.
 * Nodes are numbered breadth first and each level ascends by cell, so the children of a node are consecutive and every
 * pass over the tree is one linear loop. Parents come from index bits, never from a second look-up of a coordinate.
 */
import { ConcordatError } from '#libs/bytes';
import { type Resolution, resolutionOf } from './cell.js';
import { ancestorHigh, ancestorLow, HIGH, LOW, wordsOf } from './cell-index.js';
import type { Domain } from './domain.js';

export interface GridTree {
  /** Hash of the domain the tree was built from. */
  readonly domainHash: string;
  readonly nodeCount: number;
  /** First node of each level, and `nodeCount` at the end: level l is `levelStart[l] .. levelStart[l + 1] - 1`. */
  readonly levelStart: Uint32Array;
  /** Resolution of each level; -1 for the root. */
  readonly levelResolution: Int8Array;
  /** Parent of each node; -1 for the root. */
  readonly parent: Int32Array;
  /** One longer than there are nodes: the children of v are `firstChild[v] .. firstChild[v + 1] - 1`, none for a leaf. */
  readonly firstChild: Uint32Array;
  /** Cell of each node; 0 for the root. */
  readonly cells: BigUint64Array;
}

/** Resolutions of a tree's levels under the root. */
export interface TreeResolutions {
  readonly coarsest?: Resolution;
  readonly finest: Resolution;
}

interface Level {
  readonly cells: BigUint64Array;
  /** Position in the finer level of each cell's first descendant there. */
  readonly firsts: Uint32Array;
}

/** Distinct ancestors at `resolution` of ascending cells, and where each one's run begins. */
function ancestors(cells: BigUint64Array, resolution: number): Level {
  const words = wordsOf(cells);
  const firsts = new Uint32Array(cells.length);
  let length = 0;
  let lastHigh = -1;
  let lastLow = -1;
  for (let i = 0; i < cells.length; i++) {
    const high = ancestorHigh(words[2 * i + HIGH] as number, resolution);
    const low = ancestorLow(words[2 * i + LOW] as number, resolution);
    if (low !== lastLow || high !== lastHigh) {
      firsts[length++] = i;
      lastHigh = high;
      lastLow = low;
    }
  }
  const out = new BigUint64Array(length);
  const outWords = wordsOf(out);
  for (let k = 0; k < length; k++) {
    const i = firsts[k] as number;
    outWords[2 * k + HIGH] = ancestorHigh(words[2 * i + HIGH] as number, resolution);
    outWords[2 * k + LOW] = ancestorLow(words[2 * i + LOW] as number, resolution);
  }
  return { cells: out, firsts: firsts.slice(0, length) };
}

/** Distinct ancestors at `resolution` (not finer than the cells) of ascending cells of one resolution, ascending. */
export const parentsOf = (cells: BigUint64Array, resolution: Resolution): BigUint64Array =>
  ancestors(cells, resolution).cells;

/**
 * Tree of a domain: root, `coarsest` (default 4) .. `finest`. With `finest` below 9 the leaves are the ancestors of the
 * domain's cells. Linear. Throws `invalid-resolution` unless 0 <= coarsest <= finest <= 9.
 */
export function buildTree(domain: Domain, resolutions: TreeResolutions): GridTree {
  const { coarsest = 4, finest } = resolutions;
  if (!(coarsest >= 0 && coarsest <= finest && finest <= domain.finest)) {
    throw new ConcordatError(
      'invalid-resolution',
      `levels run from 0 at the coarsest to ${domain.finest}`,
    );
  }
  const levels: Level[] = [
    finest === domain.finest
      ? { cells: domain.cells, firsts: new Uint32Array() }
      : { cells: parentsOf(domain.cells, finest), firsts: new Uint32Array() },
  ];
  for (let resolution = finest - 1; resolution >= coarsest; resolution--) {
    levels.unshift(ancestors((levels[0] as Level).cells, resolution));
  }
  levels.unshift({ cells: BigUint64Array.of(0n), firsts: Uint32Array.of(0) });

  const levelStart = new Uint32Array(levels.length + 1);
  levels.forEach((level, l) => {
    levelStart[l + 1] = (levelStart[l] as number) + level.cells.length;
  });
  const nodeCount = levelStart[levels.length] as number;
  const parent = new Int32Array(nodeCount).fill(-1);
  const firstChild = new Uint32Array(nodeCount + 1).fill(nodeCount);
  const cells = new BigUint64Array(nodeCount);
  levels.forEach(({ cells: levelCells, firsts }, l) => {
    const start = levelStart[l] as number;
    const below = levelStart[l + 1] as number;
    cells.set(levelCells, start);
    for (let k = 0; k < firsts.length; k++) {
      const first = below + (firsts[k] as number);
      firstChild[start + k] = first;
      const end =
        k + 1 < firsts.length ? below + (firsts[k + 1] as number) : (levelStart[l + 2] as number);
      parent.fill(start + k, first, end);
    }
  });
  const levelResolution = Int8Array.from(levels, (_, l) => (l === 0 ? -1 : coarsest + l - 1));
  return {
    domainHash: domain.hash,
    nodeCount,
    levelStart,
    levelResolution,
    parent,
    firstChild,
    cells,
  };
}

/** Position of `cell` among `cells[from .. to - 1]`, or of the first greater one. */
function lowerBound(cells: BigUint64Array, cell: bigint, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cells[middle] as bigint) < cell) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Node of a cell, or -1 when the tree does not hold it. */
export function indexOf(tree: GridTree, cell: bigint): number {
  const level = tree.levelResolution.indexOf(resolutionOf(cell), 1);
  if (level < 0) return -1;
  const end = tree.levelStart[level + 1] as number;
  const at = lowerBound(tree.cells, cell, tree.levelStart[level] as number, end);
  return at < end && tree.cells[at] === cell ? at : -1;
}

/**
 * Node of `tree` for every node of `subTree`; root goes to root. `subTree` must begin at the same resolution, be no finer
 * and lie inside; otherwise throws `not-a-subtree`.
 */
export function embed(subTree: GridTree, tree: GridTree): Int32Array {
  const refuse = (): never => {
    throw new ConcordatError(
      'not-a-subtree',
      'the smaller tree must have the same coarsest level and only cells of the larger one',
    );
  };
  const { levelStart, levelResolution } = subTree;
  const map = new Int32Array(subTree.nodeCount);
  const wanted = wordsOf(subTree.cells);
  const held = wordsOf(tree.cells);
  for (let l = 1; l < levelResolution.length; l++) {
    if (levelResolution[l] !== tree.levelResolution[l]) refuse();
    const end = tree.levelStart[l + 1] as number;
    const start = levelStart[l] as number;
    let at = lowerBound(
      tree.cells,
      subTree.cells[start] as bigint,
      tree.levelStart[l] as number,
      end,
    );
    for (let v = start; v < (levelStart[l + 1] as number); v++) {
      const high = wanted[2 * v + HIGH] as number;
      const low = wanted[2 * v + LOW] as number;
      while (at < end && isBelow(held, at, high, low)) at++;
      if (at === end || held[2 * at + HIGH] !== high || held[2 * at + LOW] !== low) refuse();
      map[v] = at++;
    }
  }
  return map;
}

const isBelow = (words: Uint32Array, at: number, high: number, low: number): boolean => {
  const difference = (words[2 * at + HIGH] as number) - high;
  return difference < 0 || (difference === 0 && (words[2 * at + LOW] as number) < low);
};

/**
 * Counts of all nodes from the counts of the leaves (one per node of the last level, in its order): every node is the sum
 * of its children. Throws `wrong-length` and `count-overflow` (beyond 32-bit signed).
 */
export function rollUp(tree: GridTree, leafCounts: Int32Array): Int32Array {
  const { nodeCount, levelStart, firstChild } = tree;
  const leafStart = levelStart[levelStart.length - 2] as number;
  if (leafCounts.length !== nodeCount - leafStart) {
    throw new ConcordatError('wrong-length', 'one count is needed for every leaf of the tree');
  }
  const counts = new Int32Array(nodeCount);
  counts.set(leafCounts, leafStart);
  for (let v = leafStart - 1; v >= 0; v--) {
    let sum = 0;
    for (let c = firstChild[v] as number; c < (firstChild[v + 1] as number); c++) {
      sum += counts[c] as number;
    }
    if (sum !== (sum | 0)) {
      throw new ConcordatError('count-overflow', 'a sum of counts exceeds the 32-bit range');
    }
    counts[v] = sum;
  }
  return counts;
}
