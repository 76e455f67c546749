/**
 * Typed log entries. One entry is one RFC 8785 JSON document of at most 60 KiB; its bytes are the leaf data of the
 * transparency log. An entry never holds a true count, a raw value or an identifier of a person in the records, nor
 * anything whose size depends on them: what is large is a blob, and the entry holds its SHA-256.
 *
 * Entries about processing carry what section 62 of the Data Protection Act 2018 asks for: the operation (`verb`),
 * when (`at`), who (`actor`), to whom (`recipient`) and why (`purpose`).
 */
import { z } from 'zod';
import { ConcordatError, canonicalBytes, parseCanonicalJson } from '#libs/bytes';

export const MAX_ENTRY_BYTES = 61_440;
const MAX_AGENCIES = 400;

const isInstant = (text: string): boolean => {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
};
const at = z.string().length(24).refine(isInstant, 'an instant in UTC with milliseconds');

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const kebab = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
const roundId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
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
/** A short printable text, NFC, without leading or trailing space: names of people and bodies, reasons, places in a document. */
const line = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine(
      (text) => text === text.trim().normalize('NFC') && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text),
      'a printable line in NFC',
    );
const actor = line(200);
const agencies = z.array(kebab).max(MAX_AGENCIES).readonly();

const recipient = line(200);
const purpose = kebab;

const started = z.strictObject({
  kind: z.literal('started'),
  at,
  actor,
  process: z.enum(['node', 'coordinator', 'auditor', 'cli']),
  version: line(64),
  /** Bytes of a torn tail that recovery cut off, when it did. */
  truncatedBytes: z.int().nonnegative().optional(),
});

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

const enrol = z.strictObject({
  kind: z.literal('enrol'),
  at,
  actor,
  agency: kebab,
  keyFingerprint: digest,
  manifestVersion: z.int().positive(),
  manifestDigest: digest,
});

const ingestBatch = z.strictObject({
  kind: z.literal('ingest.batch'),
  at,
  verb: z.enum(['collection', 'alteration', 'erasure']),
  actor,
  purpose,
  dataset: kebab,
  versionDigest: digest,
  files: z.int().nonnegative(),
});

const asked = { at, actor, recipient, purpose, fingerprint: digest, round: roundId };

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
  purpose,
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
  purpose,
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

/** Of the coordinator about one round: the state of a round is a fold of these (`round-machine.ts` of libs/protocol). */
const aboutRound = { at, actor, round: roundId };

const roundOpened = z.strictObject({
  kind: z.literal('round.opened'),
  ...aboutRound,
  fingerprint: digest,
  /** Blob with the query and the analyst's signed assertion. */
  question: digest,
  agencies,
  deadline: at,
  sealed: z.boolean(),
});

/** The tasks of the round stand in the inboxes from here on; their sequence number is the index of this entry plus one. */
const roundOffered = z.strictObject({ kind: z.literal('round.offered'), ...aboutRound });

const contributionAccepted = z.strictObject({
  kind: z.literal('contribution.accepted'),
  ...aboutRound,
  agency: kebab,
  /** Blob with the groups and the signed receipt. */
  contribution: digest,
  /** SHA-256 of the vector that was uploaded; masked in a sealed round. */
  valueDigest: digest,
});

const contributionRejected = z.strictObject({
  kind: z.literal('contribution.rejected'),
  ...aboutRound,
  agency: kebab,
  code: kebab,
});

const refusalReceived = z.strictObject({
  kind: z.literal('refusal.received'),
  ...aboutRound,
  agency: kebab,
  code: kebab,
});

const holdReceived = z.strictObject({
  kind: z.literal('hold.received'),
  ...aboutRound,
  agency: kebab,
  until: at,
});

const acceptReceived = z.strictObject({
  kind: z.literal('accept.received'),
  ...aboutRound,
  agency: kebab,
});

const roundClosed = z.strictObject({
  kind: z.literal('round.closed'),
  ...aboutRound,
  /** What every agency did, in the order of `round.opened`. Codes stand in the entries that say so. */
  coverage: z
    .array(
      z.strictObject({
        agency: kebab,
        status: z.enum(['answered', 'refused', 'silent', 'rejected']),
      }),
    )
    .max(MAX_AGENCIES)
    .readonly(),
});

/** A sealed round asks the auditor for the sum of the masks of exactly these contributors. */
const roundUnmasking = z.strictObject({
  kind: z.literal('round.unmasking'),
  ...aboutRound,
  contributors: agencies,
});

const roundComposing = z.strictObject({ kind: z.literal('round.composing'), ...aboutRound });

const roundAborted = z.strictObject({
  kind: z.literal('round.aborted'),
  ...aboutRound,
  code: kebab,
});

/** A phase after the closing took longer than it may. */
const roundExpired = z.strictObject({ kind: z.literal('round.expired'), ...aboutRound });

const roundReleased = z.strictObject({
  kind: z.literal('round.released'),
  verb: z.literal('combination'),
  at,
  actor,
  recipient,
  purpose,
  round: roundId,
  fingerprint: digest,
  releaseDigest: digest,
  blob: digest,
});

/** A share of the cells as decimal text, such as 0.01. */
const share = z
  .string()
  .max(24)
  .regex(/^0\.\d*[1-9]$/);

/** A forecast layer is served from here on: who answers for it, what it is, and the signed order. */
const forecastEnabled = z.strictObject({
  kind: z.literal('forecast.enabled'),
  at,
  actor,
  layer: kebab,
  purpose,
  definition: z.strictObject({
    category: kebab,
    resolution: z.int().min(4).max(9),
    horizon: z.int().min(1).max(4),
    top: share,
  }),
  /** SHA-256 of the signed order, which is a blob. */
  order: digest,
});

const forecastDisabled = z.strictObject({
  kind: z.literal('forecast.disabled'),
  at,
  actor,
  layer: kebab,
  reason: line(500),
  order: digest,
});

/** The newest months were hit clearly less often than those before. */
const forecastAlarm = z.strictObject({
  kind: z.literal('forecast.alarm'),
  at,
  actor,
  layer: kebab,
  /** Content key of the result that says so. */
  result: digest,
});

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
  purpose,
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
  purpose,
  dataset: kebab,
  /** Keyed digest of the people that labels were made of; frozen for the epoch. */
  versionDigest: digest,
});

const linkageErased = z.strictObject({
  kind: z.literal('linkage.labels-erased'),
  verb: z.literal('erasure'),
  ...linkageEpoch,
  purpose,
});

/** Of the auditor about one sealed round (`seal-book.ts` of libs/protocol): it holds an agency's seed, in a box, in a file. */
const seedReceived = z.strictObject({
  kind: z.literal('seed.received'),
  ...aboutRound,
  agency: kebab,
  fingerprint: digest,
  /** Commitment to the agency's answer. */
  answer: digest,
  /** SHA-256 of the masked vector. */
  masked: digest,
  /** SHA-256 of the signed message that the seed came in. */
  seed: digest,
  deadline: at,
});

/** The one set of contributors of a round whose masks are summed. Written before a byte of a sum leaves. */
const roundUnmasked = z.strictObject({
  kind: z.literal('round.unmasked'),
  ...aboutRound,
  fingerprint: digest,
  contributors: agencies,
  /** SHA-256 of what the auditor signs about it, which names every sum by hash. */
  unmasked: digest,
});

const unmaskRefused = z.strictObject({
  kind: z.literal('unmask.refused'),
  ...aboutRound,
  code: kebab,
});

/** No seed of this round exists any more, and none is taken. */
const seedsDestroyed = z.strictObject({
  kind: z.literal('seeds.destroyed'),
  ...aboutRound,
  seeds: z.int().nonnegative(),
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

/** Every entry a log of ours may hold, told apart by `kind`. Unknown members are refused. */
export const Entry = z.discriminatedUnion('kind', [
  started,
  policyActivated,
  enrol,
  ingestBatch,
  queryReceived,
  queryHeld,
  queryApproved,
  queryRefused,
  budgetReserved,
  releaseMade,
  roundOpened,
  roundOffered,
  contributionAccepted,
  contributionRejected,
  refusalReceived,
  holdReceived,
  acceptReceived,
  roundClosed,
  roundUnmasking,
  roundComposing,
  roundReleased,
  forecastEnabled,
  forecastDisabled,
  forecastAlarm,
  roundAborted,
  roundExpired,
  seedReceived,
  roundUnmasked,
  unmaskRefused,
  seedsDestroyed,
  keyRotated,
  requestsRefused,
  linkageProject,
  linkageShareMade,
  linkageShareDestroyed,
  linkageDeclared,
  linkageBatch,
  linkageLabelled,
  linkageErased,
  tokenIssued,
  enrolmentReceived,
  enrolmentDeclined,
  agencyRevoked,
  manifestPublished,
]);
export type Entry = Readonly<z.infer<typeof Entry>>;
/** The entry of one kind, such as `EntryOf<'release.made'>`. */
export type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>;

const checked = (value: unknown): Entry => {
  const parsed = Entry.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue?.path.join('.') || issue?.code || 'document';
  throw new ConcordatError('bad-entry', `not a log entry of this version, see its ${place}`);
};

/** The bytes of a leaf. Throws `bad-entry`, `not-canonical`, `entry-too-large`. */
export function encodeEntry(entry: Entry): Uint8Array {
  const bytes = canonicalBytes(checked(entry));
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw new ConcordatError('entry-too-large', 'store what is large as a blob and log its hash');
  }
  return bytes;
}

/** Inverse of `encodeEntry`; only the canonical bytes are read. Throws `bad-entry`, `not-canonical`, `entry-too-large`. */
export function decodeEntry(bytes: Uint8Array): Entry {
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw new ConcordatError('entry-too-large', 'a log entry is at most 60 KiB');
  }
  return checked(parseCanonicalJson(bytes));
}
