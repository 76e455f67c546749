/**
 * Entries of a node's log about a question: what came, what was decided, what was spent, what left; and what
 * changes that, policies and data.
 */
import { z } from 'zod';
import { actor, at, digest, kebab, line, recipient, roundId } from './entry-fields.js';

const accountingYear = z.string().regex(/^(?:19|20|21)\d\d$/);

const decimal = z.string().regex(/^(?:0|[1-9]\d{0,19})$/);

/** A positive rational; that it is in lowest terms is checked by the ledger, which computes with it. */
const rational = z
  .string()
  .max(40)
  .regex(/^[1-9]\d*(?:\/[1-9]\d*)?$/);

const mechanism = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:[-./][a-z0-9]+)*$/);

const policyActivated = z.strictObject({
  kind: z.literal('policy.activated'),
  at,
  actor,
  agency: kebab,
  policyDigest: digest,
  /** What the ledger enforces from here on: the hard bound of each dataset and the fairness limits of each analyst. */
  limits: z.strictObject({
    datasets: z.record(kebab, z.strictObject({ rhoPerYear: rational })),
    analysts: z.strictObject({ rhoPerYear: rational, queriesPerDay: z.int().positive() }),
  }),
});

const ingestBatch = z.strictObject({
  kind: z.literal('ingest.batch'),
  at,
  verb: z.enum(['collection', 'alteration', 'erasure']),
  actor,
  purpose: kebab,
  dataset: kebab,
  versionDigest: digest,
  files: z.int().nonnegative(),
});

const asked = { at, actor, recipient, purpose: kebab, fingerprint: digest, round: roundId };

const queryReceived = z.strictObject({
  kind: z.literal('query.received'),
  verb: z.literal('consultation'),
  ...asked,
  analyst: line(200),
  /** RFC 8785 text of the canonical query. */
  query: z.string().min(2).max(40_000),
});

const queryHeld = z.strictObject({
  kind: z.literal('query.held'),
  verb: z.literal('consultation'),
  ...asked,
  grant: kebab,
  policyDigest: digest,
  /** How many different people must agree before `expiresAt`. */
  approvers: z.union([z.literal(1), z.literal(2)]),
  expiresAt: at,
});

const queryApproved = z.strictObject({
  kind: z.literal('query.approved'),
  verb: z.literal('consultation'),
  ...asked,
  grant: kebab,
  policyDigest: digest,
});

const queryRefused = z.strictObject({
  kind: z.literal('query.refused'),
  verb: z.literal('consultation'),
  ...asked,
  code: kebab,
  constraint: line(200).optional(),
  policyDigest: digest.optional(),
  /** A person's reason, when a person refused. */
  reason: line(500).optional(),
});

const budgetReserved = z.strictObject({
  kind: z.literal('budget.reserved'),
  verb: z.literal('consultation'),
  at,
  actor,
  recipient,
  purpose: kebab,
  dataset: kebab,
  /** Accounting years of the data that are charged, each with the whole of `rho`; ascending. */
  years: z
    .array(accountingYear)
    .min(1)
    .max(120)
    .refine((all) => all.every((year, i) => i === 0 || (all[i - 1] ?? '') < year), 'ascending')
    .readonly(),
  fingerprint: digest,
  versionDigest: digest,
  analyst: line(200),
  rho: rational,
  /** The dataset's rhoPerYear in force when the spend was made. */
  limit: rational,
  grant: kebab,
  policyDigest: digest,
});

const releaseMade = z.strictObject({
  kind: z.literal('release.made'),
  verb: z.literal('disclosure'),
  at,
  actor,
  recipient,
  purpose: kebab,
  fingerprint: digest,
  versionDigest: digest,
  dataset: kebab,
  rho: rational,
  grant: kebab,
  policyDigest: digest,
  /** SHA-256 of the blob: the noisy vector, behind 32 bytes of blind where `sealed` stands. */
  valueDigest: digest,
  blob: digest,
  /** Made for a sealed round: it never leaves unmasked. */
  sealed: z.literal(true).optional(),
  mechanism,
  /** Whom the noise protects, and the contribution bounds that were enforced: with the incident both are 1. */
  privacy: z.strictObject({
    unit: z.enum(['incident', 'person-year']),
    maxPerRelease: z.int().min(1),
    maxPerYear: z.int().min(1),
  }),
  /** Index in this log of the budget.reserved entry that paid for this release. */
  reservation: decimal,
});

export const nodeEntries = [
  policyActivated,
  ingestBatch,
  queryReceived,
  queryHeld,
  queryApproved,
  queryRefused,
  budgetReserved,
  releaseMade,
] as const;
