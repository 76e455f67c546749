/** From a paid reservation to a release in the log: noise is drawn before a count is read, and both are durable before anything is sent. */
import {
  addNoise,
  discreteGaussian,
  drawTreeNoise,
  type ExactCounts,
  exactCounts,
  type Resolution,
} from '#libs/dp';
import { type GridTree, rollUp } from '#libs/grid';
import type { Reservation } from '#libs/ledger';
import type { Task } from '#libs/protocol';
import type { QueryGroup } from '#libs/query';
import type { EntryOf } from '#libs/tlog';
import type { AnswerPrivacy } from './answer-privacy.js';
import { blinded } from './blinded.js';
import type { Node } from './node.js';
import { about } from './task.js';

/** What is to be counted of which data, whom the answer protects and with how much noise on every level. */
export interface ReleasePlan {
  readonly task: Task;
  readonly dataset: string;
  readonly versionDigest: string;
  readonly groups: readonly QueryGroup[];
  readonly privacy: Pick<Extract<AnswerPrivacy, { ok: true }>, 'unit' | 'levels'>;
}

/** A release as it stands in the log. */
export interface Released {
  readonly index: bigint;
  readonly entry: EntryOf<'release.made'>;
}

/** Draws, counts, stores and logs what `logged` has paid for. Throws for faults of the machine; nothing has left then. */
export async function release(
  { task, dataset, versionDigest, groups, privacy }: ReleasePlan,
  logged: Reservation,
  node: Node,
): Promise<Released> {
  const tree = node.tree(task.query.resolution as Resolution);
  const levels = privacy.levels.map(({ sigma2 }, level) => ({
    nodes: (tree.levelStart[level + 1] as number) - (tree.levelStart[level] as number),
    sampler: discreteGaussian({ sigma2 }),
  }));
  const noise = drawTreeNoise(levels, groups.length, node.random);
  const leaves = tree.cells.subarray(tree.levelStart[levels.length - 1] as number);
  const counts = await node.records.count({
    dataset,
    version: versionDigest,
    measure: task.query.measure === 'people' ? 'people' : 'incidents',
    groups,
    bounds: { perMonth: privacy.unit.maxPerRelease, perYear: privacy.unit.maxPerYear },
    leaves,
    resolution: task.query.resolution as Resolution,
  });
  const noisy = addNoise(treeCounts(tree, counts, groups.length), noise);
  const vector = new Uint8Array(noisy.buffer, noisy.byteOffset, noisy.byteLength);
  const valueDigest = await node.blobs.put(
    task.sealed ? blinded(vector, logged.index, node) : vector,
  );
  const entry: EntryOf<'release.made'> = {
    kind: 'release.made',
    verb: 'disclosure',
    ...about(task, node),
    versionDigest,
    dataset,
    rho: logged.entry.rho,
    grant: logged.entry.grant,
    policyDigest: logged.entry.policyDigest,
    valueDigest,
    blob: valueDigest,
    ...(task.sealed ? { sealed: true } : {}),
    mechanism: 'discrete-gaussian',
    privacy: privacy.unit,
    reservation: String(logged.index),
  };
  const index = await node.append(entry);
  return { index, entry };
}

/** Counts of every node, group after group, from leaf counts (groups x leaves). */
function treeCounts(tree: GridTree, leafCounts: ExactCounts, groups: number): ExactCounts {
  const leaves = leafCounts.length / groups;
  const counts = new Int32Array(groups * tree.nodeCount);
  for (let g = 0; g < groups; g++) {
    counts.set(rollUp(tree, leafCounts.subarray(g * leaves, (g + 1) * leaves)), g * tree.nodeCount);
  }
  return exactCounts(counts);
}
