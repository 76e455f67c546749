/** What a node and the auditor say to each other about one sealed answer; `docs/protocol/sealing.md`. */

import { z } from 'zod';
import { signedSchema } from './envelope.js';
import { Group } from './group.js';
import { Digest, Instant, Name, RoundId } from './names.js';

/** What both the seed and its receipt name an answer by. Digests only: nothing here depends on a count. */
const sealedAnswer = {
  round: RoundId,
  agency: Name,
  manifest: Digest,
  fingerprint: Digest,
  /** The receipt's `valueDigest`: a commitment to the answer in clear, the same in every round that the answer serves. */
  answer: Digest,
  /** SHA-256 of the masked vector that the coordinator gets. */
  masked: Digest,
};

/** Node -> auditor, `POST /v1/rounds/{id}/seed`: the auditor's share of one answer. */
export const Seed = z.strictObject({
  ...sealedAnswer,
  resolution: z.int().min(4).max(9),
  /** In the order of the vector. */
  groups: z.array(Group).min(1).max(1_680),
  /** How many values the vector has: groups times nodes of the agency's tree. */
  values: z.int().min(1),
  deadline: Instant,
  /** Box of the agency's key for the auditor's: nonce, tag and the 32 bytes of the seed, in base64url. */
  box: z.string().regex(/^[A-Za-z0-9_-]{96}$/),
});
export type Seed = z.infer<typeof Seed>;
export const SignedSeed = signedSchema(Seed);
export type SignedSeed = z.infer<typeof SignedSeed>;

/** Auditor -> node -> coordinator: the auditor holds the seed of this answer, durably. */
export const SeedReceipt = z.strictObject({
  ...sealedAnswer,
  /** `layoutDigest` of the groups and resolution that the seed was sent for. */
  layout: Digest,
});
export type SeedReceipt = z.infer<typeof SeedReceipt>;
export const SignedSeedReceipt = signedSchema(SeedReceipt);
export type SignedSeedReceipt = z.infer<typeof SignedSeedReceipt>;
