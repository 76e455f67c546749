/**
 * Entries about one round: the coordinator's of its phases, the auditor's of the seeds that a sealed round left
 * with it.
 */
import { z } from 'zod';
import {
  actor,
  agencies,
  at,
  digest,
  kebab,
  MAX_AGENCIES,
  recipient,
  roundId,
} from './entry-fields.js';

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
  purpose: kebab,
  round: roundId,
  fingerprint: digest,
  releaseDigest: digest,
  blob: digest,
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

export const roundEntries = [
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
  roundAborted,
  roundExpired,
  roundReleased,
  seedReceived,
  roundUnmasked,
  unmaskRefused,
  seedsDestroyed,
] as const;
