/** The auditor's share of one sealed answer: checked, kept, and only then acknowledged. */
import { ConcordatError, canonicalBytes, fromBase64url, parseCanonicalJson } from '#libs/bytes';
import type { Resolution } from '#libs/grid';
import { verifySignature } from '#libs/keystore';
import {
  layoutDigest,
  type ManifestAgency,
  openEnvelope,
  Seed,
  SignedSeed,
  type SignedSeedReceipt,
  seal,
  sealFault,
} from '#libs/protocol';
import { SEED_BYTES } from '#libs/sealing';
import { about, type Sealing } from './sealing.js';

/** How far ahead a round may close: a day more than a coordinator's settings allow. */
const LONGEST_ROUND_MS = 31 * 86_400_000;

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

/** The 32 bytes that an agency boxed for this auditor, both with their keys of the round's manifest. Throws `bad-box`, `bad-seed`. */
export function openSeed(seed: Seed, agency: ManifestAgency, { box }: Sealing): Uint8Array {
  const bytes = box.open(fromBase64url(seed.box), agency.boxKey);
  return bytes.length === SEED_BYTES ? bytes : refuse('bad-seed', 'the box does not hold a seed');
}

/** The seed message that a log entry names. Throws `blob-missing`, `blob-corrupt`. */
export async function readSeed(file: string, { seeds }: Sealing): Promise<Seed> {
  return SignedSeed.parse(parseCanonicalJson(await seeds.get(file))).payload;
}

async function check(seed: Seed, agency: ManifestAgency, sealing: Sealing): Promise<void> {
  // A round keeps the manifest that it was opened under, whatever follows.
  const named = sealing.pinned.named(seed.manifest);
  const member = named?.agencies.find(({ id }) => id === agency.id);
  if (!member)
    return refuse('wrong-manifest', 'the seed is for a manifest that does not name this agency');
  const order = seed.groups.map(({ category, period }) => `${category} ${period}`);
  if (order.some((group, i) => i > 0 && (order[i - 1] ?? '') >= group))
    refuse('wrong-groups', 'the groups of a vector ascend by category and period');
  if (seed.groups.some(({ category }) => !member.categories.includes(category)))
    refuse('wrong-groups', 'the vector has a category that the agency does not record');
  if (Date.parse(seed.deadline) > sealing.nowMs() + LONGEST_ROUND_MS)
    refuse('wrong-deadline', 'no round is open for so long');
  const { nodeCount } = await sealing.trees.tree(member, seed.resolution as Resolution);
  if (seed.values !== seed.groups.length * nodeCount)
    refuse('wrong-length', 'the vector does not fit the area and the groups');
  openSeed(seed, member, sealing);
}

/**
 * Takes a seed of the agency that signed the request, and returns what the agency shows the coordinator. The same answer of the same
 * round again is acknowledged again. Throws the code of a seed that is refused; nothing is kept of it then.
 */
export async function takeSeed(
  agency: ManifestAgency,
  envelope: unknown,
  sealing: Sealing,
): Promise<SignedSeedReceipt> {
  const seed = openEnvelope('seed', Seed, envelope, agency.publicKey, verifySignature);
  if (seed.agency !== agency.id) refuse('wrong-agency', 'an agency speaks for itself only');
  await check(seed, agency, sealing);
  return sealing.inTurn(async () => {
    const { round, agency: id, manifest, fingerprint, answer, masked, deadline } = seed;
    const layout = layoutDigest(seed.groups, seed.resolution);
    const known = sealing.book.rounds.get(round)?.seeds.get(id);
    if (known?.answer === answer && known.masked === masked) {
      const kept = await readSeed(known.seed, sealing).catch(() =>
        refuse('seeds-destroyed', 'the masks of this round were summed, or its time is over'),
      );
      if (layoutDigest(kept.groups, kept.resolution) !== layout)
        refuse('second-seed', 'this agency has sent a seed for other groups in this round');
    } else {
      const file = await sealing.seeds.put(canonicalBytes(envelope));
      const event = {
        kind: 'seed.received',
        ...about(sealing, round),
        ...{ agency: id, fingerprint, answer, masked, seed: file, deadline },
      } as const;
      const fault = sealFault(sealing.book, event);
      if (fault) refuse(fault, 'the seed does not fit what this auditor knows of the round');
      await sealing.append(event);
    }
    return seal(
      'seed-receipt',
      { round, agency: id, manifest, fingerprint, answer, masked, layout },
      sealing.key,
    );
  });
}
