/**
 * The auditor's one answer about a sealed round. The order is the safety argument: the set of contributors is checked against the
 * seeds, the quorum and every earlier sum; the sums are durable; then the set is durable in the log; then the seeds are destroyed;
 * only then a byte leaves. Killed anywhere, the next asking continues, and gives the same bytes.
 */
import { rm } from 'node:fs/promises';
import { ConcordatError, canonicalBytes, parseCanonicalJson } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  type Contributor,
  isUnmaskedFor,
  openEnvelope,
  SignedUnmasked,
  seal,
  sealFault,
  Unmask,
  type Unmasked,
} from '#libs/protocol';
import { type OpenedSeed, sumMasks } from './mask-sums.js';
import { about, type Sealing } from './sealing.js';
import { openSeed, readSeed } from './take-seed.js';

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

/** A stand-in while a set is only tried against the rules. */
const NO_FILE = '0'.repeat(64);

/** What was signed about a round that is unmasked already. */
export async function readUnmasked(file: string, { sums }: Sealing): Promise<SignedUnmasked> {
  return SignedUnmasked.parse(parseCanonicalJson(await sums.get(file)));
}

function checkSet(asked: Unmask, sealing: Sealing, unmasked = NO_FILE) {
  const round = sealing.book.rounds.get(asked.round);
  const isHeld = ({ agency, answer, masked }: Contributor): boolean => {
    const held = round?.seeds.get(agency);
    return held?.answer === answer && held.masked === masked;
  };
  const event = {
    kind: 'round.unmasked',
    ...about(sealing, asked.round),
    fingerprint: asked.fingerprint,
    contributors: asked.contributors.map(({ agency }) => agency),
    unmasked,
  } as const;
  const fault = sealFault(sealing.book, event);
  if (fault) refuse(fault, 'the masks of this set of contributors are not summed');
  if (!asked.contributors.every(isHeld))
    refuse('seed-missing', 'a contributor has sent this auditor no seed for this answer');
  return event;
}

async function openSeeds(asked: Unmask, sealing: Sealing): Promise<OpenedSeed[]> {
  const held = sealing.book.rounds.get(asked.round)?.seeds;
  const { pinned } = sealing;
  const named = pinned.named(asked.manifest);
  const opened: OpenedSeed[] = [];
  for (const { agency: id } of asked.contributors) {
    const file = held?.get(id)?.seed;
    const agency = named?.agencies.find((candidate) => candidate.id === id);
    if (file === undefined || !agency)
      return refuse('seed-missing', 'a contributor is not an agency of the manifest');
    const seed = await readSeed(file, sealing);
    if (seed.manifest !== asked.manifest)
      refuse('wrong-manifest', 'a contributor has sent its seed under another manifest');
    opened.push({ agency, seed, bytes: openSeed(seed, agency, sealing) });
  }
  return opened;
}

/**
 * What the auditor signs about the masks of exactly the contributors that the coordinator asks for; the sums lie in `sealing.sums`.
 * Throws `wrong-manifest`, a `SealFault`, or what a broken disk throws.
 */
export async function unmaskRound(envelope: unknown, sealing: Sealing): Promise<SignedUnmasked> {
  const { pinned, book, sums } = sealing;
  const { publicKey } = pinned.manifest.coordinator;
  const asked = openEnvelope('unmask', Unmask, envelope, publicKey, verifySignature);
  if (!pinned.named(asked.manifest))
    refuse('wrong-manifest', 'the round was opened under another manifest');
  const agencies = asked.contributors.map(({ agency }) => agency);
  const known = book.rounds.get(asked.round);
  if (known?.unmasked && isUnmaskedFor(known, agencies)) {
    const earlier = await readUnmasked(known.unmasked.file, sealing);
    const isSame =
      JSON.stringify(earlier.payload.contributors) === JSON.stringify(asked.contributors);
    if (!isSame) refuse('second-contributor-set', 'the round was unmasked for others');
    // said again with the key in force, which may be another than then
    return seal('unmasked', earlier.payload, sealing.key);
  }
  checkSet(asked, sealing);
  const seeds = await openSeeds(asked, sealing);
  const payload: Unmasked = {
    round: asked.round,
    manifest: asked.manifest,
    fingerprint: asked.fingerprint,
    contributors: asked.contributors,
    sums: await sumMasks(seeds, sealing.trees, (sum) => sums.put(sum)),
  };
  const signed = seal('unmasked', payload, sealing.key);
  const file = await sums.put(canonicalBytes(signed));
  await sealing.inTurn(async () => {
    await sealing.append(checkSet(asked, sealing, file));
  });
  await destroySeeds(asked.round, sealing);
  return signed;
}

/** Removes every seed of a round for good. */
export async function destroySeeds(round: string, sealing: Sealing): Promise<void> {
  await sealing.inTurn(async () => {
    const known = sealing.book.rounds.get(round);
    if (!known || known.isDestroyed) return;
    for (const { seed } of known.seeds.values())
      await rm(sealing.seeds.path(seed), { force: true });
    await sealing.append({
      kind: 'seeds.destroyed',
      ...about(sealing, round),
      seeds: known.seeds.size,
    });
  });
}
