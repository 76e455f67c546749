/**
 * A sealed answer in two shares: the seed of the mask to the auditor, in a box that nobody else opens, the masked vector to the
 * coordinator. The auditor has said that it holds the seed before the coordinator gets a byte.
 */

import {
  ConcordatError,
  canonicalBytes,
  isConcordatError,
  sha256Hex,
  toBase64url,
} from '#libs/bytes';
import { noisyCountsFromWire } from '#libs/dp';
import { aesKeyStream } from '#libs/host';
import { verifySignature } from '#libs/keystore';
import type { SignedClient } from '#libs/nest-kit';
import {
  layoutDigest,
  openEnvelope,
  type Receipt,
  type Seed,
  SeedReceipt,
  SignedSeedReceipt,
  seal,
  type Task,
} from '#libs/protocol';
import { maskedToBytes, maskSeed, SEED_BYTES, share } from '#libs/sealing';
import type { Node } from './node.js';
import type { Answer } from './outcome.js';

/** A share for the coordinator, and what the receipt says about it. */
export interface SealedAnswer {
  readonly masked: Uint8Array;
  readonly sealed: NonNullable<Receipt['sealed']>;
}

function seedMessage(task: Task, answer: Answer, masked: Uint8Array, seed: Uint8Array, node: Node) {
  // A round keeps the keys of the manifest that it was opened under, whatever follows.
  const { agencies, auditor } = node.pinned.named(task.manifest) ?? node.manifest;
  const own = agencies.find(({ id }) => id === node.agency.id) ?? node.agency;
  const message: Seed = {
    round: task.round,
    agency: node.agency.id,
    manifest: task.manifest,
    fingerprint: task.fingerprint,
    answer: answer.entry.valueDigest,
    masked: sha256Hex(masked),
    resolution: task.query.resolution,
    groups: answer.groups.map(({ category, period }) => ({ category, period })),
    values: masked.length / 8,
    deadline: task.deadline,
    box: toBase64url(node.box.named(own.boxKey).close(seed, auditor.boxKey)),
  };
  return message;
}

/** Refuses anything but the auditor's word that it holds exactly this seed. */
function checkReceipt(receipt: SignedSeedReceipt, message: Seed, node: Node): void {
  const { publicKey } = node.manifest.auditor;
  const held = openEnvelope('seed-receipt', SeedReceipt, receipt, publicKey, verifySignature);
  const { round, agency, manifest, fingerprint, answer, masked, groups, resolution } = message;
  const expected: SeedReceipt = {
    ...{ round, agency, manifest, fingerprint, answer, masked },
    layout: layoutDigest(groups, resolution),
  };
  if (sha256Hex(canonicalBytes(held)) !== sha256Hex(canonicalBytes(expected)))
    throw new ConcordatError('seed-refused', 'the auditor acknowledged another seed');
}

/**
 * Seals an answer for one round and gives the auditor its share. The same answer in the same round is sealed alike, however often.
 * Throws `auditor-unreachable` while it does not answer, and `seed-refused`.
 */
export async function sealAnswer(
  task: Task,
  answer: Answer,
  node: Node,
  auditor: Pick<SignedClient, 'send'>,
): Promise<SealedAnswer> {
  const { valueDigest, blob } = answer.entry;
  const bytes = Uint8Array.from(await node.blobs.get(blob));
  const vector = new Int32Array(bytes.buffer, answer.entry.sealed ? SEED_BYTES : 0);
  const seed = maskSeed(node.sealSecret, task.round, valueDigest);
  const masked = maskedToBytes(share(noisyCountsFromWire(vector), seed, aesKeyStream));
  const message = seedMessage(task, answer, masked, seed, node);
  const path = `/v1/rounds/${task.round}/seed`;
  const body = canonicalBytes(seal('seed', message, node.key));
  const response = await auditor
    .send('POST', path, body, 'application/json')
    .catch((cause: unknown) => {
      const isFinal = isConcordatError(cause) && !isPassing(cause.code);
      const code = isFinal ? 'seed-refused' : 'auditor-unreachable';
      throw new ConcordatError(code, 'the auditor did not take the seed', { cause });
    });
  const receipt = SignedSeedReceipt.safeParse(await response.json());
  if (!receipt.success)
    throw new ConcordatError('seed-refused', 'the auditor answered with something else');
  checkReceipt(receipt.data, message, node);
  return { masked, sealed: { masked: message.masked, seed: receipt.data } };
}

/** What an auditor says that works and means "later", what something between it and this node says, and what it is to miss a new key of either. */
const PASSING: ReadonlySet<string> = new Set([
  'bad-request-signature',
  'bad-response-signature',
  'blob-unavailable',
  'internal',
  'log-closed',
  'log-unavailable',
  'not-yet',
]);
const isPassing = (code: string): boolean => /^http-5/.test(code) || PASSING.has(code);
