/**
 * Everything one log says about one query, as one document: the entries with their inclusion proofs, the checkpoint with its
 * cosignatures, the policy documents that the entries name, and the digests of what was answered. Whoever has the manifest can verify it.
 */

import { join } from 'node:path';
import { z } from 'zod';
import { bytesToHex, ConcordatError, fromHex, fromUtf8, utf8ToBytes } from '#libs/bytes';
import { verifyEd25519ByNode } from '#libs/host';
import { inclusionProofFrom, readJournal } from '#libs/journal';
import { AgencyPolicy, FederationPolicy, policyDigest } from '#libs/policy';
import {
  allLogKeys,
  Digest,
  type Manifest,
  manifestHash,
  witnessVerifierKeys,
} from '#libs/protocol';
import { decodeEntry, type Entry, leafHash, openCheckpoint, verifyInclusion } from '#libs/tlog';
import { readPolicySet } from './policy-documents.js';
import { openProcessFolder } from './process-folder.js';
import { logFolder } from './register.js';

const Size = z.string().regex(/^(?:0|[1-9]\d{0,19})$/);

const Pack = z.strictObject({
  version: z.literal(2),
  process: z.string().max(64),
  manifest: Digest,
  fingerprint: Digest,
  checkpoint: z.string().max(8192),
  entries: z
    .array(
      z.strictObject({
        index: Size,
        entry: z.string().max(61_440),
        proof: z.array(Digest).max(64),
      }),
    )
    .min(1)
    .max(100_000),
  /** Every policy set that an entry names by its digest, when the log is a node's; in the order they were activated. */
  policies: z
    .array(z.strictObject({ agency: AgencyPolicy, federation: FederationPolicy }))
    .max(1000),
});
export type EvidencePack = z.infer<typeof Pack>;

/** Whether an entry belongs to the evidence on a query: it names it, or its round, or set the policy that it was judged by. */
function belongs(entry: Entry, fingerprint: string, rounds: Set<string>): boolean {
  if (entry.kind === 'policy.activated') return true;
  if ('fingerprint' in entry && entry.fingerprint === fingerprint) {
    if ('round' in entry) rounds.add(entry.round);
    return true;
  }
  return 'round' in entry && rounds.has(entry.round);
}

/** Makes the pack of one query out of a folder that was verified. Throws `bad-fingerprint`, `unknown-fingerprint`. */
export async function makePack(
  dir: string,
  fingerprint: string,
  key: string | undefined,
): Promise<EvidencePack> {
  if (!Digest.safeParse(fingerprint).success) {
    throw new ConcordatError('bad-fingerprint', 'a fingerprint is 64 lower-case hex digits');
  }
  const { manifest, id } = openProcessFolder(dir, key);
  if (!manifest || id === undefined) {
    throw new ConcordatError('manifest-missing', 'a pack is made from a folder with its manifest');
  }
  const log = logFolder(dir);
  const found: { index: bigint; bytes: Uint8Array; entry: Entry }[] = [];
  const rounds = new Set<string>();
  for await (const { index, bytes } of readJournal(log)) {
    const entry = decodeEntry(bytes);
    if (belongs(entry, fingerprint, rounds)) found.push({ index, bytes, entry });
  }
  if (!found.some(({ entry }) => entry.kind !== 'policy.activated')) {
    throw new ConcordatError('unknown-fingerprint', 'the log has no signed entry about this query');
  }
  const { checkpoint, prove } = await inclusionProofFrom(log);
  const entries = [];
  for (const { index, bytes } of found) {
    const proof = (await prove(index)).map(bytesToHex);
    entries.push({ index: String(index), entry: fromUtf8(bytes), proof });
  }
  const digests = new Set(found.flatMap(({ entry }) => digestIn(entry)));
  return {
    version: 2,
    process: id,
    manifest: manifestHash(manifest),
    fingerprint,
    checkpoint,
    entries,
    policies: [...digests].map((digest) => readPolicySet(join(dir, 'blobs'), digest)),
  };
}

const digestIn = (entry: Entry): string[] =>
  'policyDigest' in entry && entry.policyDigest !== undefined ? [entry.policyDigest] : [];

export interface VerifiedPack {
  readonly origin: string;
  readonly size: string;
  readonly fingerprint: string;
  readonly cosigners: number;
  readonly quorum: number;
  readonly entries: readonly {
    readonly index: string;
    readonly at: string;
    readonly kind: string;
  }[];
  /** Digests of the answers that the log released to this query. */
  readonly answers: readonly string[];
  /** Digests of the policies that the entries name; their documents are in the pack. */
  readonly policies: readonly string[];
}

const refuse = (why: string): never => {
  throw new ConcordatError('bad-pack', why);
};

/**
 * Verifies a pack with the manifest alone: the log's own signature, every entry's proof, that the entries are about this query,
 * and that the policy documents are exactly those its entries name. Throws `bad-pack`, and what `openCheckpoint` throws.
 */
export function verifyPack(text: string, manifest: Manifest): VerifiedPack {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    refuse('the file is not JSON');
  }
  const parsed = Pack.safeParse(document);
  if (!parsed.success) return refuse('the file is not an evidence pack of this version');
  const pack = parsed.data;
  if (pack.manifest !== manifestHash(manifest)) refuse('the pack is of another manifest');
  const origin = `concordat/${manifest.federation}/${pack.process}`;
  const { checkpoint, cosigners } = openCheckpoint(pack.checkpoint, {
    origin,
    logKeys: allLogKeys(manifest, pack.process),
    witnessKeys: [...witnessVerifierKeys(manifest, pack.process).values()],
    verify: verifyEd25519ByNode,
  });
  const rounds = new Set<string>();
  let previous = -1n;
  const entries = pack.entries.map(({ index, entry: leaf, proof }) => {
    const bytes = utf8ToBytes(leaf);
    const leafIndex = BigInt(index);
    const included =
      leafIndex < checkpoint.size &&
      verifyInclusion({
        leafIndex,
        treeSize: checkpoint.size,
        leafHash: leafHash(bytes),
        proof: proof.map(fromHex),
        root: checkpoint.root,
      });
    if (!included) refuse(`entry ${index} is not in the log`);
    if (leafIndex <= previous) refuse('the entries are not in the order of the log');
    previous = leafIndex;
    const entry = decodeEntry(bytes);
    if (!belongs(entry, pack.fingerprint, rounds)) refuse(`entry ${index} is not about this query`);
    return { index, entry };
  });
  if (entries.every(({ entry }) => entry.kind === 'policy.activated')) {
    refuse('no entry is about this query');
  }
  return {
    origin,
    size: String(checkpoint.size),
    fingerprint: pack.fingerprint,
    cosigners: new Set(cosigners.map(({ name }) => name)).size,
    quorum: manifest.quorum,
    entries: entries.map(({ index, entry }) => ({ index, at: entry.at, kind: entry.kind })),
    answers: entries.flatMap(({ entry }) =>
      entry.kind === 'release.made'
        ? [entry.valueDigest]
        : entry.kind === 'round.released'
          ? [entry.releaseDigest]
          : [],
    ),
    policies: policiesIn(
      pack,
      entries.map(({ entry }) => entry),
    ),
  };
}

function policiesIn(pack: EvidencePack, entries: readonly Entry[]): string[] {
  const named = new Set(entries.flatMap(digestIn));
  const held = new Set(pack.policies.map(policyDigest));
  for (const digest of held) {
    if (!named.has(digest)) refuse('no entry names a policy document in the pack');
  }
  for (const digest of named) {
    if (!held.has(digest)) refuse('a policy that an entry names is not in the pack');
  }
  return [...held];
}
