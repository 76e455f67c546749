/**
 * The questions that wait, or waited, for a person: a fold of the log, like the ledger. Nothing else is stored, so a node that
 * restarts knows every request, every approval and every refusal again.
 */
import type { Entry, EntryOf } from '#libs/tlog';

/** `expired`: its time ran out, or the policy changed and the question was held anew. `answered`: the release that the approval was given for is in the log, and the approval is used up. */
type HoldState = 'waiting' | 'approved' | 'denied' | 'expired' | 'answered';

interface Decided {
  readonly by: string;
  readonly at: string;
}

/** One request for a person's decision. `id` is the index of its `query.held` entry in the log. */
export interface Hold {
  readonly id: string;
  readonly held: EntryOf<'query.held'>;
  readonly analyst: string;
  /** JSON text of the canonical query. */
  readonly query: string;
  readonly state: HoldState;
  readonly approvals: readonly Decided[];
  /** Who refused and why, of a request that was denied. */
  readonly denial: (Decided & { readonly reason: string }) | undefined;
}

/** What is remembered of a round's question, so that a task delivered twice is logged once. */
interface Received {
  readonly at: string;
  readonly analyst: string;
  readonly query: string;
  readonly refusedWith: string | undefined;
}

export interface HoldBook {
  readonly byId: Map<string, Hold>;
  /** Id of the newest hold of a question, by fingerprint. */
  readonly newest: Map<string, string>;
  /** The questions of the newest rounds, by round. */
  readonly received: Map<string, Received>;
}

/** Rounds remembered: more than are ever open at once, and a few megabytes at most. */
const ROUNDS_REMEMBERED = 1000;

/** Refusal codes that end a hold. */
export const DENIED = 'denied-by-person';
export const EXPIRED = 'hold-expired';

export const emptyHoldBook = (): HoldBook => ({
  byId: new Map(),
  newest: new Map(),
  received: new Map(),
});

/** One person under any spelling of one name: case, spacing and compatibility forms do not make a second approver. */
export const personKey = (name: string): string =>
  name.normalize('NFKC').trim().replace(/\s+/gu, ' ').toLowerCase();

/** The newest hold of a question. */
export const newestHold = (book: HoldBook, fingerprint: string): Hold | undefined =>
  book.byId.get(book.newest.get(fingerprint) ?? '');

/** Whether this entry is a person's approval of this hold: the same question, grant and policy. */
const approves = ({ held }: Hold, entry: EntryOf<'query.approved'>): boolean =>
  held.grant === entry.grant && held.policyDigest === entry.policyDigest;

function approve(hold: Hold, entry: EntryOf<'query.approved'>): Hold {
  if (hold.state !== 'waiting' || !approves(hold, entry)) return hold;
  const known = hold.approvals.some(({ by }) => personKey(by) === personKey(entry.actor));
  if (known) return hold;
  const approvals = [...hold.approvals, { by: entry.actor, at: entry.at }];
  return {
    ...hold,
    approvals,
    state: approvals.length >= hold.held.approvers ? 'approved' : 'waiting',
  };
}

function end(hold: Hold, entry: EntryOf<'query.refused'>): Hold {
  const isOpen = hold.state === 'waiting' || hold.state === 'approved';
  if (entry.code === EXPIRED && hold.state === 'waiting') return { ...hold, state: 'expired' };
  if (entry.code !== DENIED || entry.reason === undefined || !isOpen) return hold;
  const denial = { by: entry.actor, at: entry.at, reason: entry.reason };
  return { ...hold, state: 'denied', denial };
}

function remember(book: HoldBook, round: string, received: Received): void {
  book.received.delete(round);
  book.received.set(round, received);
  const [oldest] = book.received.keys();
  if (book.received.size > ROUNDS_REMEMBERED && oldest !== undefined) book.received.delete(oldest);
}

/** Folds the entry at `index` of the log into the book. Entries about nothing that is held change nothing. */
export function applyToHolds(book: HoldBook, index: bigint, entry: Entry): void {
  const put = (hold: Hold): unknown => book.byId.set(hold.id, hold);
  switch (entry.kind) {
    case 'query.received': {
      const { at, analyst, query } = entry;
      remember(book, entry.round, { at, analyst, query, refusedWith: undefined });
      return;
    }
    case 'query.held': {
      const asked = book.received.get(entry.round);
      const { analyst = '', query = '' } = asked ?? {};
      const id = String(index);
      const hold = { id, held: entry, analyst, query, approvals: [], denial: undefined };
      const before = newestHold(book, entry.fingerprint);
      if (before?.state === 'waiting' || before?.state === 'approved')
        put({ ...before, state: 'expired' });
      put({ ...hold, state: 'waiting' });
      book.newest.set(entry.fingerprint, id);
      return;
    }
    case 'query.approved': {
      const hold = newestHold(book, entry.fingerprint);
      if (hold) put(approve(hold, entry));
      return;
    }
    case 'query.refused': {
      const received = book.received.get(entry.round);
      if (received) remember(book, entry.round, { ...received, refusedWith: entry.code });
      const hold = newestHold(book, entry.fingerprint);
      if (hold) put(end(hold, entry));
      return;
    }
    case 'release.made': {
      const hold = newestHold(book, entry.fingerprint);
      if (hold?.state === 'approved') put({ ...hold, state: 'answered' });
      return;
    }
    default:
  }
}

/** What an asking that must be held meets: an open request, a person's decision, or nothing yet. */
export type Standing =
  | { readonly standing: 'none' }
  | { readonly standing: 'waiting' | 'approved' | 'denied' | 'expired'; readonly hold: Hold };

/**
 * How a question stands that the policy in force holds under `grant`, asked in `round` at the instant `now`. An approval given
 * under another policy or grant does not count; a denial stands until the request would have expired; an expiry refuses the
 * rounds that asked before it, and a later round asks anew.
 */
export function standingOf(
  book: HoldBook,
  asked: {
    readonly fingerprint: string;
    readonly round: string;
    readonly grant: string;
    readonly policyDigest: string;
    readonly now: string;
  },
): Standing {
  const hold = newestHold(book, asked.fingerprint);
  if (!hold) return { standing: 'none' };
  const { held } = hold;
  if (held.grant !== asked.grant || held.policyDigest !== asked.policyDigest)
    return { standing: 'none' };
  const isOver = asked.now >= held.expiresAt;
  const askedBefore = (book.received.get(asked.round)?.at ?? asked.now) < held.expiresAt;
  if (hold.state === 'approved') return { standing: 'approved', hold };
  if (hold.state === 'denied' && !isOver) return { standing: 'denied', hold };
  if (hold.state === 'waiting' && !isOver) return { standing: 'waiting', hold };
  if ((hold.state === 'expired' || hold.state === 'waiting') && askedBefore)
    return { standing: 'expired', hold };
  return { standing: 'none' };
}
