/**
 * Linkage between processes: the project that a key is made for, what its operator tells processes to do, and the letters that processes
 * send each other in boxes through the coordinator's relay. `docs/protocol/linkage.md` is normative.
 */

import { z } from 'zod';
import { digestOf } from '#libs/bytes';
import { CATEGORIES } from '#libs/query';
import { signedSchema } from './envelope.js';
import { Code, Digest, Instant, Name } from './names.js';

/** 32 bytes in base64url: an element or a scalar of ristretto255, a digest. */
const Bytes32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** 64 bytes in base64url: a proof. */
const Bytes64 = z.string().regex(/^[A-Za-z0-9_-]{86}$/);
/** 1 to 4,096 elements, one behind the other, in base64url. */
const Elements = z
  .string()
  .min(43)
  .max(175_000)
  .regex(/^[A-Za-z0-9_-]+$/);

/** What one linkage key is made for: two agencies, three key-holders, one epoch. It never changes; new data are a new epoch. */
export const LinkageProject = z
  .strictObject({
    version: z.literal(1),
    project: Name,
    epoch: Name,
    /** Hash of the manifest under which it was set up. */
    manifest: Digest,
    /** Ids of holders 1, 2, 3. */
    holders: z.tuple([Name, Name, Name]),
    left: Name,
    right: Name,
  })
  .refine(({ holders }) => new Set(holders).size === 3)
  .refine(({ left, right }) => left !== right);
export type LinkageProject = Readonly<z.infer<typeof LinkageProject>>;

/** What logs name a project by. */
export const linkageProjectDigest = (project: LinkageProject): string =>
  digestOf('concordat/linkage-project/v1', project);

export const LINKAGE_ACTIONS = ['init', 'keygen', 'run', 'status', 'destroy'] as const;
export type LinkageAction = (typeof LINKAGE_ACTIONS)[number];

/** Operator -> coordinator -> holders and nodes, signed by the coordinator's key. Every action may be repeated. */
export const LinkageInstruction = z.strictObject({
  action: z.enum(LINKAGE_ACTIONS),
  project: LinkageProject,
  at: Instant,
});
export type LinkageInstruction = Readonly<z.infer<typeof LinkageInstruction>>;
export const SignedLinkageInstruction = signedSchema(LinkageInstruction);
export type SignedLinkageInstruction = z.infer<typeof SignedLinkageInstruction>;

/** How far one process is in one project. `done` and `total` count OPRF inputs, padded to the declared number of people. */
export const LinkagePartState = z.strictObject({
  role: z.enum(['holder', 'node']),
  state: z.enum([
    'none',
    'making-key',
    'holds-share',
    'labelling',
    'labelled',
    'destroyed',
    'failed',
  ]),
  done: z.int().min(0),
  total: z.int().min(0),
  code: Code.nullable(),
  /** Of a holder: the key's public part, which all three must agree on. */
  publicKey: Bytes32.nullable(),
});
export type LinkagePartState = Readonly<z.infer<typeof LinkagePartState>>;

/** Answer to an instruction: the parts of every process concerned; a process that did not answer in time has none. */
export const LinkageStatus = z.strictObject({
  project: LinkageProject,
  parts: z.array(
    z.strictObject({ process: Name, parts: z.array(LinkagePartState), code: Code.nullable() }),
  ),
});
export type LinkageStatus = Readonly<z.infer<typeof LinkageStatus>>;

const ofEpoch = { project: Name, epoch: Name };

/** What a letter says. Answers are kinds of their own; a refusal names its code. */
export const LinkageBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('instruction'), signed: SignedLinkageInstruction }),
  z.strictObject({ kind: z.literal('parts'), parts: z.array(LinkagePartState).max(2) }),
  /** Key making, round 1; answered with the other holder's. */
  z.strictObject({ kind: z.literal('commitment'), ...ofEpoch, commitment: Bytes32 }),
  /** Key making, round 2, with the subshare for the reader alone; answered with the other holder's. */
  z.strictObject({
    kind: z.literal('opening'),
    ...ofEpoch,
    constant: Bytes32,
    slope: Bytes32,
    proofNonce: Bytes32,
    proofResponse: Bytes32,
    subshare: Bytes32,
  }),
  z.strictObject({ kind: z.literal('ask-keys'), ...ofEpoch }),
  z.strictObject({
    kind: z.literal('keys'),
    publicKey: Bytes32,
    sharePublicKeys: z.tuple([Bytes32, Bytes32, Bytes32]),
  }),
  /** How many people a node has (rounded up) and how many keys it makes of each; once an epoch. */
  z.strictObject({
    kind: z.literal('declaration'),
    ...ofEpoch,
    people: z.int().min(1).max(20_000_000),
    keys: z.int().min(1).max(64),
  }),
  z.strictObject({
    kind: z.literal('batch'),
    ...ofEpoch,
    sequence: z.int().min(1),
    pair: z.tuple([z.int().min(1).max(3), z.int().min(1).max(3)]),
    elements: Elements,
  }),
  z.strictObject({
    kind: z.literal('evaluation'),
    index: z.union([z.literal(1), z.literal(2), z.literal(3)]),
    evaluated: Elements,
    proof: Bytes64,
  }),
  z.strictObject({ kind: z.literal('done') }),
  z.strictObject({ kind: z.literal('refused'), code: Code }),
]);
export type LinkageBody = z.infer<typeof LinkageBody>;

/** Inside a box from `from` to `to`. `answers` is the id of the letter that this one answers. */
export const LinkageLetter = z.strictObject({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  answers: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .nullable(),
  from: Name,
  to: Name,
  body: LinkageBody,
});
export type LinkageLetter = z.infer<typeof LinkageLetter>;

/** Longest box that the relay carries: 4,096 elements twice encoded, with room. */
const MAX_LINKAGE_BOX = 300_000;
const Box = z
  .string()
  .min(54)
  .max(MAX_LINKAGE_BOX)
  .regex(/^[A-Za-z0-9_-]+$/);

/** `POST /v1/linkage/mail`. */
export const LinkagePost = z.strictObject({ to: Name, box: Box });
export type LinkagePost = z.infer<typeof LinkagePost>;

/** `GET /v1/linkage/mail?after=N&wait=SECONDS`: what came after sequence number N, oldest first. */
export const LinkageMail = z.strictObject({
  items: z.array(z.strictObject({ sequence: z.int().min(1), from: Name, box: Box })),
});
export type LinkageMail = z.infer<typeof LinkageMail>;

/** One label set, inside a box from a node to the counter (the coordinator). */
export const LinkedSet = z.strictObject({
  version: z.literal(1),
  fingerprint: Digest,
  agency: Name,
  /** SHA-256 of the secret that the two nodes took their dummies from: different ones cannot be counted. */
  pair: Digest,
  key: z.string().regex(/^F?S?D?L?$/),
  kind: z.enum(['people', 'decoys']),
  relatives: z.int().nullable(),
  /** Strictly ascending 64-bit numbers, big-endian, one behind the other, in base64url. */
  labels: z.string().regex(/^[A-Za-z0-9_-]*$/),
});
export type LinkedSet = z.infer<typeof LinkedSet>;

/** What a node uploads for a linked count: every set in a box of its own, in base64url. */
export const LinkedAnswer = z.strictObject({
  version: z.literal(1),
  boxes: z
    .array(z.string().regex(/^[A-Za-z0-9_-]+$/))
    .min(1)
    .max(16),
});
export type LinkedAnswer = z.infer<typeof LinkedAnswer>;

const counted = z.int();

/** The one number of a linked count, as released. Counts carry noise and may be negative. */
export const LinkedRelease = z.strictObject({
  /** Shared labels of the strict key: what one hash of the whole identity finds. */
  naive: counted,
  /** Corrected for missed links, and its 95 % interval rounded outward; null when too few people agree to correct for anything. */
  corrected: counted.nullable(),
  low: counted.nullable(),
  high: counted.nullable(),
  method: z.enum(['basic', 'dependent']).nullable(),
  /** Exact scale of the discrete Laplace noise of each number: twice it in every join, once by the nodes, once by the counter. */
  noiseScale: z.string(),
  counts: z.array(
    z.strictObject({
      key: z.string(),
      shared: counted,
      decoys: counted.nullable(),
      relativesLeft: counted.nullable(),
      relativesRight: counted.nullable(),
    }),
  ),
  categories: z.strictObject({
    left: z.array(z.enum(CATEGORIES)),
    right: z.array(z.enum(CATEGORIES)),
  }),
});
export type LinkedRelease = z.infer<typeof LinkedRelease>;
