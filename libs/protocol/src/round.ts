/** The messages of one round, in the order in which they travel. */

import { z } from 'zod';
import { Query } from '#libs/query';
import { signedSchema } from './envelope.js';
import { Group } from './group.js';
import { Code, Digest, Instant, MonthText, Name, RoundId, WeekText } from './names.js';
import { Receipt } from './receipt.js';

/** Analyst -> coordinator -> node: "I, the analyst, ask exactly this question in this federation." */
export const Assertion = z.strictObject({
  analyst: Name,
  fingerprint: Digest,
  manifest: Digest,
  at: Instant,
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  /** Of an analyst who signed in: the provider's ID token (a compact JWS) for the key that signs this. */
  identity: z
    .string()
    .max(16_384)
    .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    .optional(),
});
export type Assertion = z.infer<typeof Assertion>;
export const SignedAssertion = signedSchema(Assertion);
export type SignedAssertion = z.infer<typeof SignedAssertion>;

/** Coordinator -> node: one question, with the analyst's own assertion. */
export const Task = z.strictObject({
  round: RoundId,
  agency: Name,
  query: Query,
  fingerprint: Digest,
  assertion: SignedAssertion,
  manifest: Digest,
  deadline: Instant,
  /** The answer is to be masked; always there where the query itself says `sealed`. */
  sealed: z.literal(true).optional(),
});
export type Task = z.infer<typeof Task>;
export const SignedTask = signedSchema(Task);
export type SignedTask = z.infer<typeof SignedTask>;

/** `GET /v1/inbox?after=N&wait=SECONDS`: everything after sequence number N, oldest first. */
export const Inbox = z.strictObject({
  items: z.array(z.strictObject({ sequence: z.int().min(1), task: SignedTask })),
});
export type Inbox = z.infer<typeof Inbox>;

/** Node -> coordinator: what this node can be asked about. Public facts only: no counts. */
export const Offer = z.strictObject({
  agency: Name,
  manifest: Digest,
  dataset: Name,
  months: z.array(MonthText),
  /** Weeks that lie whole in its records; left out by a dataset that knows months only. */
  weeks: z.array(WeekText).min(1).optional(),
  at: Instant,
});
export type Offer = z.infer<typeof Offer>;
export const SignedOffer = signedSchema(Offer);
export type SignedOffer = z.infer<typeof SignedOffer>;

/**
 * Node -> coordinator: the answer. The vector travels apart as octets named by `vectorDigest(receipt)`: little-endian
 * int32, group after group in the order of `groups`, each over every node of the agency's own tree (breadth first). In a
 * sealed round it is masked, little-endian 64-bit integers.
 */
export const Contribution = z.strictObject({
  round: RoundId,
  agency: Name,
  groups: z.array(Group).min(1),
  receipt: signedSchema(Receipt),
});
export type Contribution = z.infer<typeof Contribution>;
export const SignedContribution = signedSchema(Contribution);
export type SignedContribution = z.infer<typeof SignedContribution>;

/** `GET /v1/vectors/{digest}`: how many bytes of the sender's upload have come, and whether they are all. */
export const Upload = z.strictObject({ offset: z.int().min(0), complete: z.boolean() });
export type Upload = z.infer<typeof Upload>;

/** Node -> coordinator: a refusal is a result. `code` is machine-readable; nothing in it depends on a record. */
export const Refusal = z.strictObject({
  round: RoundId,
  agency: Name,
  fingerprint: Digest,
  code: Code,
  constraint: z.string().max(120).nullable(),
  at: Instant,
});
export type Refusal = z.infer<typeof Refusal>;
export const SignedRefusal = signedSchema(Refusal);
export type SignedRefusal = z.infer<typeof SignedRefusal>;

/** Node -> coordinator: the question waits for a person until `until`, or for as long as the round is open if that ends first. */
export const Hold = z.strictObject({
  round: RoundId,
  agency: Name,
  fingerprint: Digest,
  until: Instant,
  at: Instant,
});
export type Hold = z.infer<typeof Hold>;

/** Node -> coordinator: a person agreed; the answer follows. */
export const Accept = z.strictObject({
  round: RoundId,
  agency: Name,
  fingerprint: Digest,
  at: Instant,
});
export type Accept = z.infer<typeof Accept>;

/** Process -> coordinator as relay: the newest checkpoint of its log, a C2SP signed note. */
export const CheckpointPost = z.strictObject({
  origin: z.string().min(1).max(200),
  note: z.string().max(4096),
});
export type CheckpointPost = z.infer<typeof CheckpointPost>;
