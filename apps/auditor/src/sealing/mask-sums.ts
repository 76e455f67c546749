/** The sums of the masks of a set of contributors, a group at a time, where the coordinator sums the masked vectors. */

import { setImmediate } from 'node:timers/promises';
import { ConcordatError } from '#libs/bytes';
import { buildTree, embed, type Resolution, unionDomains } from '#libs/grid';
import { aesKeyStream } from '#libs/host';
import type { Group, ManifestAgency, Seed, Unmasked } from '#libs/protocol';
import { addMask, maskedToBytes } from '#libs/sealing';
import type { AgencyTrees } from './agency-trees.js';

/** One contributor's seed, opened. */
export interface OpenedSeed {
  readonly agency: ManifestAgency;
  readonly seed: Seed;
  readonly bytes: Uint8Array;
}

interface Member {
  readonly opened: OpenedSeed;
  /** Nodes of its own tree, each as a node of the tree of the union. */
  readonly positions: Int32Array;
}

const nameOf = ({ category, period }: Group): string => `${category} ${period}`;

/** Every group that any contributor has, in the order of every release vector. */
function groupsOf(seeds: readonly OpenedSeed[]): Group[] {
  const all = new Map(
    seeds.flatMap(({ seed }) => seed.groups.map((group) => [nameOf(group), group])),
  );
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

/** Members and size of the tree that those who answered a group share. */
async function openUnion(
  seeds: readonly OpenedSeed[],
  finest: Resolution,
  trees: AgencyTrees,
): Promise<{ readonly members: readonly Member[]; readonly nodeCount: number }> {
  const domains = await Promise.all(seeds.map(({ agency }) => trees.domain(agency)));
  const union = buildTree(unionDomains('union', domains), { finest });
  const members: Member[] = [];
  for (const opened of seeds) {
    const positions = embed(await trees.tree(opened.agency, finest), union);
    members.push({ opened, positions });
  }
  return { members, nodeCount: union.nodeCount };
}

/**
 * Sums the masks over the contributors of each group and gives each sum to `store`, which names it. All seeds are of one question. Works on
 * one group at a time. Throws `wrong-resolution` for seeds that do not fit together.
 */
export async function sumMasks(
  seeds: readonly OpenedSeed[],
  trees: AgencyTrees,
  store: (sum: Uint8Array) => Promise<string>,
): Promise<Unmasked['sums']> {
  const finest = seeds[0]?.seed.resolution as Resolution;
  if (seeds.some(({ seed }) => seed.resolution !== finest)) {
    throw new ConcordatError('wrong-resolution', 'the seeds of one round are for one resolution');
  }
  const unions = new Map<string, Awaited<ReturnType<typeof openUnion>>>();
  const sums: Unmasked['sums'] = [];
  for (const group of groupsOf(seeds)) {
    const name = nameOf(group);
    const answered = seeds.filter(({ seed }) => seed.groups.some((own) => nameOf(own) === name));
    const key = answered.map(({ agency }) => agency.id).join();
    const union = unions.get(key) ?? (await openUnion(answered, finest, trees));
    unions.set(key, union);
    const sum = new BigUint64Array(union.nodeCount);
    for (const { opened, positions } of union.members) {
      const at = opened.seed.groups.findIndex((own) => nameOf(own) === name);
      addMask(sum, opened.bytes, at * positions.length, positions, aesKeyStream);
    }
    sums.push({ ...group, digest: await store(maskedToBytes(sum)) });
    // Lets seeds and health checks through between groups.
    await setImmediate();
  }
  return sums;
}
