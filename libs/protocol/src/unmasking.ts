/** What coordinator and auditor say to each other when a sealed round has closed; `docs/protocol/sealing.md`. */

import { z } from 'zod';
import { signedSchema } from './envelope.js';
import { Group } from './group.js';
import { Code, Digest, Name, RoundId } from './names.js';

/** An answer that a sealed round sums, under the names that its seed was sent with. */
export const Contributor = z.strictObject({ agency: Name, answer: Digest, masked: Digest });
export type Contributor = z.infer<typeof Contributor>;

const about = { round: RoundId, manifest: Digest, fingerprint: Digest };
const contributors = z.array(Contributor).min(1).max(400);

/** Coordinator -> auditor: give me the sum of the masks of exactly these. */
export const Unmask = z.strictObject({ ...about, contributors });
export type Unmask = z.infer<typeof Unmask>;
export const SignedUnmask = signedSchema(Unmask);
export type SignedUnmask = z.infer<typeof SignedUnmask>;

/** `GET /v1/unmaskings?wait=SECONDS`: what the coordinator asks of the auditor at present, the same until it is answered. */
export const Unmaskings = z.strictObject({ items: z.array(SignedUnmask) });
export type Unmaskings = z.infer<typeof Unmaskings>;

/**
 * Auditor -> coordinator: the sums of masks, a file a group, over the tree of the union of the areas of those who answered the group: little-endian
 * 64-bit integers, breadth first. Says also whose masks they are the sum of; it stands beside the release.
 */
export const Unmasked = z.strictObject({
  ...about,
  contributors,
  sums: z
    .array(z.strictObject({ ...Group.shape, digest: Digest }))
    .min(1)
    .max(1_680),
});
export type Unmasked = z.infer<typeof Unmasked>;
export const SignedUnmasked = signedSchema(Unmasked);
export type SignedUnmasked = z.infer<typeof SignedUnmasked>;

/** Auditor -> coordinator: the masks of this set are not summed, and why. */
export const UnmaskRefusal = z.strictObject({ ...about, code: Code });
export type UnmaskRefusal = z.infer<typeof UnmaskRefusal>;
