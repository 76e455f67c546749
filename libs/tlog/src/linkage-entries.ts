/** Entries about one epoch of a linkage project, of the holders of its key and of the nodes that have labels made. */
import { z } from 'zod';
import { actor, at, digest, kebab } from './entry-fields.js';

const linkageEpoch = { at, actor, project: kebab, epoch: kebab };

const linkageProject = z.strictObject({
  kind: z.literal('linkage.project'),
  ...linkageEpoch,
  projectDigest: digest,
  holders: z.tuple([kebab, kebab, kebab]),
  left: kebab,
  right: kebab,
});

const linkageShareMade = z.strictObject({
  kind: z.literal('linkage.share-made'),
  ...linkageEpoch,
  projectDigest: digest,
  index: z.int().min(1).max(3),
  /** The public key, 32 bytes in hex. */
  publicKey: digest,
});

const linkageShareDestroyed = z.strictObject({
  kind: z.literal('linkage.share-destroyed'),
  verb: z.literal('erasure'),
  ...linkageEpoch,
  purpose: kebab,
  /** Of the key whose share was destroyed; left out where the key was not finished. */
  publicKey: digest.optional(),
});

const linkageDeclared = z.strictObject({
  kind: z.literal('linkage.declared'),
  ...linkageEpoch,
  node: kebab,
  /** People as the node declared them, rounded up, and keys made of each. */
  people: z.int().positive(),
  keys: z.int().positive(),
  /** Elements that the node may have evaluated in this epoch. */
  quota: z.int().positive(),
});

const linkageBatch = z.strictObject({
  kind: z.literal('linkage.batch'),
  ...linkageEpoch,
  node: kebab,
  sequence: z.int(),
  elements: z.int().nonnegative(),
  /** Digest of the blinded elements, base64url; empty for a batch too large to be read. */
  digest: z.string().regex(/^[A-Za-z0-9_-]{0,43}$/),
  used: z.int().nonnegative(),
  quota: z.int().nonnegative(),
  /** Why it was refused; left out where it was evaluated. */
  code: kebab.optional(),
});

const linkageLabelled = z.strictObject({
  kind: z.literal('linkage.labelled'),
  verb: z.literal('consultation'),
  ...linkageEpoch,
  purpose: kebab,
  dataset: kebab,
  /** Keyed digest of the people that labels were made of; frozen for the epoch. */
  versionDigest: digest,
});

/** Of a node: a key-holder's answer was not what its key and proof say, and nothing of it is used. */
const linkageAnswerRefused = z.strictObject({
  kind: z.literal('linkage.answer-refused'),
  ...linkageEpoch,
  holder: kebab,
  /** Of the batch that was answered. */
  sequence: z.int().positive(),
  code: kebab,
});

const linkageErased = z.strictObject({
  kind: z.literal('linkage.labels-erased'),
  verb: z.literal('erasure'),
  ...linkageEpoch,
  purpose: kebab,
});

export const linkageEntries = [
  linkageProject,
  linkageShareMade,
  linkageShareDestroyed,
  linkageDeclared,
  linkageBatch,
  linkageLabelled,
  linkageAnswerRefused,
  linkageErased,
] as const;
