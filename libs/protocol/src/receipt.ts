/**
 * What a node signs about one answer. Anyone with the manifest can check it offline: the signature, that the checkpoint is the
 * node's, that the `release.made` entry with these facts is in that log, and that the vector they hold is the one meant.
 */

import { z } from 'zod';
import { ConcordatError, fromBase64url, fromHex, utf8ToBytes } from '#libs/bytes';
import {
  decodeEntry,
  formatVerifierKey,
  leafHash,
  openCheckpoint,
  type VerifyEd25519,
  verifyInclusion,
} from '#libs/tlog';
import { openEnvelope, type Signed, type VerifySignature } from './envelope.js';
import { signingKeysSince } from './log-keys.js';
import type { Manifest } from './manifest.js';
import { Digest, Instant, logOrigin, Name, RationalText, RoundId, Size } from './names.js';
import { SeedReceipt, SignedSeedReceipt } from './seed.js';

/** Whom an answer protects, and its contribution bounds (`answerBounds` of the query lib): with the incident both are 1. */
export const PrivacyUnit = z.strictObject({
  unit: z.enum(['incident', 'person-year']),
  maxPerRelease: z.int().min(1),
  maxPerYear: z.int().min(1),
});

export const Receipt = z.strictObject({
  agency: Name,
  round: RoundId,
  manifest: Digest,
  fingerprint: Digest,
  dataset: Name,
  /** Keyed digest of the dataset version: equal for equal data, tells nothing else. */
  versionDigest: Digest,
  privacy: PrivacyUnit,
  /** Of a tree of counts the Gaussian; of a linked count the Laplace. */
  mechanism: z.enum(['discrete-gaussian', 'discrete-laplace']),
  /**
   * sigma^2 of the noise a level: the domain total first, then resolution 4 and finer. Of a linked count one number, which the variance
   * of this agency's noise on each number does not exceed.
   */
  levelVariances: z.array(RationalText).min(1),
  rho: RationalText,
  policyDigest: Digest,
  grant: Name,
  /** SHA-256 of the vector; in a sealed round of 32 bytes of blind and the vector, a commitment that hides it. */
  valueDigest: Digest,
  /** In a sealed round: the masked vector that the coordinator got, and the auditor's word that it has the seed. */
  sealed: z.strictObject({ masked: Digest, seed: SignedSeedReceipt }).optional(),
  log: z.strictObject({
    origin: z.string().min(1).max(200),
    /** Signed note over a tree that holds the `release.made` entry. */
    checkpoint: z.string().max(4096),
    entry: z.string().max(60_000),
    index: Size,
    proof: z.array(Digest),
  }),
  at: Instant,
});
export type Receipt = z.infer<typeof Receipt>;

/** SHA-256 of the vector that was uploaded: masked in a sealed round. */
export const vectorDigest = ({ sealed, valueDigest }: Receipt): string =>
  sealed?.masked ?? valueDigest;

const refuse = (why: string): never => {
  throw new ConcordatError('bad-receipt', why);
};

/** Facts that the logged `release.made` entry and the receipt must agree on. */
const SHARED_FACTS = [
  'fingerprint',
  'versionDigest',
  'dataset',
  'rho',
  'grant',
  'policyDigest',
  'valueDigest',
  'mechanism',
] as const;

/**
 * The auditor's own signature on the same answer of the same round. It names the manifest of the round, and may be by a key that was
 * replaced since: whoever knows the round checks that both were in force then.
 */
function checkSeedReceipt(receipt: Receipt, manifest: Manifest, verify: VerifySignature): void {
  if (!receipt.sealed) return;
  const { masked, seed } = receipt.sealed;
  const keys = signingKeysSince(manifest, manifest.auditor.id, 1);
  const key = keys.find((known) => known === seed.publicKey) ?? manifest.auditor.publicKey;
  const held = openEnvelope('seed-receipt', SeedReceipt, seed, key, verify);
  const isSame =
    held.round === receipt.round &&
    held.agency === receipt.agency &&
    held.fingerprint === receipt.fingerprint &&
    held.answer === receipt.valueDigest &&
    held.masked === masked;
  if (!isSame) refuse("the auditor's receipt is for another seed");
}

/**
 * Checks a receipt offline against the manifest and returns it: signed by the agency it names, its checkpoint signed by that
 * agency's log, and the `release.made` entry with the same facts included in that log.
 * Throws `unknown-agency`, `bad-receipt`, or what `openEnvelope` and `openCheckpoint` throw.
 */
export function verifyReceipt(
  signed: Signed<Receipt>,
  manifest: Manifest,
  verify: VerifySignature,
): Receipt {
  const agency = manifest.agencies.find(({ id }) => id === signed.payload.agency);
  if (!agency)
    throw new ConcordatError('unknown-agency', 'the receipt is of no agency of this manifest');
  const receipt = openEnvelope('receipt', Receipt, signed, agency.publicKey, verify);
  checkSeedReceipt(receipt, manifest, verify);
  const origin = logOrigin(manifest.federation, agency.id);
  if (receipt.log.origin !== origin) refuse("the log is not this agency's");
  const verifyEd25519: VerifyEd25519 = (signature, message, key) => verify(key, message, signature);
  const { checkpoint } = openCheckpoint(receipt.log.checkpoint, {
    origin,
    logKeys: [formatVerifierKey({ name: origin, publicKey: fromBase64url(agency.publicKey) })],
    verify: verifyEd25519,
  });
  const leaf = utf8ToBytes(receipt.log.entry);
  const included = verifyInclusion({
    leafIndex: BigInt(receipt.log.index),
    treeSize: checkpoint.size,
    leafHash: leafHash(leaf),
    proof: receipt.log.proof.map(fromHex),
    root: checkpoint.root,
  });
  if (!included) refuse('the entry is not in the log');
  const entry = decodeEntry(leaf);
  if (entry.kind !== 'release.made') return refuse('the entry is not a release');
  for (const fact of SHARED_FACTS) {
    if (entry[fact] !== receipt[fact]) refuse(`the log and the receipt differ in ${fact}`);
  }
  for (const fact of ['unit', 'maxPerRelease', 'maxPerYear'] as const) {
    if (entry.privacy[fact] !== receipt.privacy[fact]) {
      refuse(`the log and the receipt differ in privacy.${fact}`);
    }
  }
  return receipt;
}
