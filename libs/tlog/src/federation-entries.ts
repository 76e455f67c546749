/** Entries about who takes part: starts of a process, enrolment, keys, manifests, and requests refused at the door. */
import { z } from 'zod';
import { actor, at, digest, kebab, line } from './entry-fields.js';

const started = z.strictObject({
  kind: z.literal('started'),
  at,
  actor,
  process: z.enum(['node', 'coordinator', 'auditor', 'cli']),
  version: line(64),
  /** Bytes of a torn tail that recovery cut off, when it did. */
  truncatedBytes: z.int().nonnegative().optional(),
});

const enrol = z.strictObject({
  kind: z.literal('enrol'),
  at,
  actor,
  agency: kebab,
  keyFingerprint: digest,
  manifestVersion: z.int().positive(),
  manifestDigest: digest,
});

const keyRotated = z.strictObject({
  kind: z.literal('key.rotated'),
  at,
  actor,
  agency: kebab,
  use: z.enum(['sign', 'box', 'log']),
  oldKeyFingerprint: digest,
  newKeyFingerprint: digest,
});

/** A one-time token that lets one agency enrol. */
const tokenIssued = z.strictObject({
  kind: z.literal('token.issued'),
  at,
  actor,
  agency: kebab,
  tokenHash: digest,
  expiresAt: at,
});

/** An agency has asked to be enrolled; a person has not confirmed it yet. */
const enrolmentReceived = z.strictObject({
  kind: z.literal('enrolment.received'),
  at,
  actor,
  agency: kebab,
  tokenHash: digest,
  keyFingerprint: digest,
  /** Blob with the signed enrolment. */
  enrolment: digest,
});

const enrolmentDeclined = z.strictObject({
  kind: z.literal('enrolment.declined'),
  at,
  actor,
  agency: kebab,
  keyFingerprint: digest,
  reason: line(200),
});

const agencyRevoked = z.strictObject({
  kind: z.literal('agency.revoked'),
  at,
  actor,
  agency: kebab,
  keyFingerprint: digest,
  reason: line(200),
  manifestVersion: z.int().positive(),
  manifestDigest: digest,
});

/** A new manifest is in force. */
const manifestPublished = z.strictObject({
  kind: z.literal('manifest.published'),
  at,
  actor,
  serial: z.int().positive(),
  manifestDigest: digest,
  change: kebab,
  /** Blob with the signed step from the manifest before. */
  step: digest,
});

/** Requests that were refused for their signature or token since the last such entry, by reason. */
const requestsRefused = z.strictObject({
  kind: z.literal('requests.refused'),
  at,
  actor,
  counts: z
    .record(kebab, z.int().positive())
    .refine((counts) => Object.keys(counts).length <= 32, 'at most 32 reasons'),
});

export const federationEntries = [
  started,
  enrol,
  keyRotated,
  tokenIssued,
  enrolmentReceived,
  enrolmentDeclined,
  agencyRevoked,
  manifestPublished,
  requestsRefused,
] as const;
