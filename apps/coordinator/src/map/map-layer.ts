import { type ChunkColumns, COVERAGE, type GridTree, indexOf, resolutionOf } from '#libs/grid';
import type { GroupColumns, ReleaseHeader } from '../releases/release-reader.js';

/** Name that stands for the sum over all categories, or over all periods. */
const ALL = 'all';

/** Groups of a release that a layer and a period ask for; `undefined` when the release has no such layer or period. */
export function groupsOf(
  { groups }: ReleaseHeader,
  layer: string,
  period: string,
): readonly number[] | undefined {
  const chosen = [...groups.keys()].filter(
    (i) =>
      (layer === ALL || groups[i]?.category === layer) &&
      (period === ALL || groups[i]?.period === period),
  );
  return chosen.length > 0 ? chosen : undefined;
}

/**
 * Sum of groups over every node of the tree. Groups are released with independent noise, so estimates and variances
 * both add and the sum is exact; integers add because every group's map is additive. A node that only some groups cover is
 * covered in part: its value stands for those groups.
 */
export class LayerSum {
  readonly coverage: Uint8Array;
  readonly estimate: Float64Array;
  readonly variance: Float64Array;
  readonly integer: Int32Array;
  readonly #covering: Uint16Array;

  constructor(
    nodes: number,
    readonly groups: number,
  ) {
    this.coverage = new Uint8Array(nodes);
    this.estimate = new Float64Array(nodes);
    this.variance = new Float64Array(nodes);
    this.integer = new Int32Array(nodes);
    this.#covering = new Uint16Array(nodes);
  }

  add(group: GroupColumns): void {
    const { coverage, estimate, variance, integer } = this;
    const covering = this.#covering;
    for (let i = 0; i < coverage.length; i++) {
      if (group.covered[i] !== 1) continue;
      estimate[i] = (estimate[i] ?? 0) + (group.estimate[i] ?? 0);
      variance[i] = (variance[i] ?? 0) + (group.variance[i] ?? 0);
      integer[i] = (integer[i] ?? 0) + (group.integer[i] ?? 0);
      const count = (covering[i] ?? 0) + 1;
      covering[i] = count;
      coverage[i] = count === this.groups ? COVERAGE.full : COVERAGE.part;
    }
  }

  /** Columns of the nodes `start` to before `end`, as a chunk holds them, and their integers of the additive map (0 where not covered). */
  slice(start: number, end: number): LayerColumns {
    const coverage = this.coverage.subarray(start, end);
    const estimate = this.estimate.slice(start, end);
    const standardError = this.variance.slice(start, end);
    for (let i = 0; i < coverage.length; i++) {
      const covered = coverage[i] !== COVERAGE.none;
      standardError[i] = covered ? Math.sqrt(standardError[i] ?? 0) : Number.NaN;
      if (!covered) estimate[i] = Number.NaN;
    }
    return { coverage, estimate, standardError, integer: this.integer.subarray(start, end) };
  }
}

/** What a chunk holds, and the additive map: whole, never negative. */
export interface LayerColumns extends ChunkColumns {
  readonly integer: Int32Array;
}

/** A run of nodes: `start` to before `end`. */
export interface NodeRange {
  readonly start: number;
  readonly end: number;
}

/** Nodes of one resolution; `undefined` when the tree has none. */
export function levelOf(tree: GridTree, resolution: number): NodeRange | undefined {
  // Level 0 is the domain total and has no resolution of its own.
  const level = tree.levelResolution.indexOf(resolution, 1);
  if (level < 0) return undefined;
  return { start: tree.levelStart[level] ?? 0, end: tree.levelStart[level + 1] ?? 0 };
}

/** Nodes of `resolution` under a valid cell that is not finer; `undefined` when the tree does not hold the cell. */
export function nodesUnder(
  tree: GridTree,
  resolution: number,
  parent: bigint,
): NodeRange | undefined {
  let start = indexOf(tree, parent);
  if (start < 0) return undefined;
  let end = start + 1;
  for (let depth = resolutionOf(parent); depth < resolution; depth++) {
    start = tree.firstChild[start] ?? 0;
    end = tree.firstChild[end] ?? 0;
  }
  return { start, end };
}
