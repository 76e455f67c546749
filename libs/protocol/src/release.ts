/**
 * A release: what the federation publishes about one round. The header is canonical JSON; its SHA-256 is the release id and
 * stands in the coordinator's log. The header names every column blob by hash, so the id covers every published number. No clock is
 * in it: whoever composes the same contributions of the same round, whenever and wherever, gets the same id.
 */

import { z } from 'zod';
import { canonicalBytes, sha256Hex } from '#libs/bytes';
import { CATEGORIES, Query } from '#libs/query';
import { LinkedRelease } from './linkage.js';
import { Code, Digest, Name, PeriodText, RationalText, RoundId } from './names.js';
import { PrivacyUnit } from './receipt.js';

/**
 * The groups that the same agencies answered share a domain, a tree and so their variances.
 * `domain` is a compacted cell list; the others are float64 little-endian over the nodes of its tree.
 */
const CoverageClass = z.strictObject({
  agencies: z.array(Name).min(1),
  domain: Digest,
  /** Variance of each estimate. */
  variance: Digest,
  /** Parameter sigma^2 of the noise in each raw sum: those of its contributors, added up. */
  rawVariance: Digest,
});

/** Columns over the nodes of the class's tree, breadth first; all little-endian. */
const GroupColumnBlobs = z.strictObject({
  category: z.enum(CATEGORIES),
  period: PeriodText,
  coverageClass: z.int().min(0),
  /** int32: the sum of the contributions as they arrived. */
  raw: Digest,
  /** float64: generalised least squares estimate, unbiased, may be negative. */
  estimate: Digest,
  /** int32: additive non-negative integer map. */
  integer: Digest,
});

export const CoverageEntry = z.strictObject({
  agency: Name,
  name: z.string(),
  status: z.enum(['answered', 'refused', 'silent', 'rejected']),
  code: Code.nullable(),
  categories: z.array(z.enum(CATEGORIES)),
  periods: z.array(PeriodText),
  rhoSpent: RationalText.nullable(),
  /** Whom its noise protects, as its receipt says. */
  privacy: PrivacyUnit.nullable(),
  /** Digest of the vector it sent; the same in two releases when the same logged answer served both. */
  answer: Digest.nullable(),
  /** SHA-256 of its signed receipt, which lies beside the release. */
  receipt: Digest.nullable(),
});
export type CoverageEntry = z.infer<typeof CoverageEntry>;

export const ReleaseHeader = z.strictObject({
  version: z.literal(1),
  round: RoundId,
  manifest: Digest,
  fingerprint: Digest,
  query: Query,
  sentence: z.string(),
  coverage: z.array(CoverageEntry),
  /** Of each contributor's records. Coverage says the unit of each; here stands the weakest: the incident where one has it. */
  privacy: z.strictObject({
    unit: z.enum(['incident', 'person-year']),
    rho: RationalText,
    /** Decimal texts, rounded up: by zCDP conversion, and by exact accounting of the noise drawn, the largest of any contributor. */
    epsilon: z.string(),
    exactEpsilon: z.string(),
    delta: z.string(),
  }),
  /** Of a question about linked people: the one number. Then there are no classes and no groups. */
  linked: LinkedRelease.optional(),
  /** Of a sealed round: who is in every sum, in the order of the manifest, and SHA-256 of the auditor's signed `Unmasked`, a blob beside the release. */
  sealed: z.strictObject({ contributors: z.array(Name).min(1), unmasked: Digest }).optional(),
  classes: z.array(CoverageClass),
  groups: z.array(GroupColumnBlobs),
});
export type ReleaseHeader = z.infer<typeof ReleaseHeader>;

/** Canonical bytes of a header: the blob whose hash is the release id. */
export const releaseBytes = (header: ReleaseHeader): Uint8Array => canonicalBytes(header);

/** SHA-256 of the canonical header in hex. */
export const releaseId = (header: ReleaseHeader): string => sha256Hex(releaseBytes(header));
