/**
 * The state of a round as a pure fold of the coordinator's log:
 *
 *   PROPOSED -> OFFERED -> COLLECTING -> CLOSED -> [UNMASKING] -> COMPOSING -> RELEASED | ABORTED(code) | EXPIRED
 *
 * An event is a log entry. An entry that says again what the round already knows returns the same object, so that whoever appends
 * can tell that there is nothing to log; one that does not fit throws and changes nothing. The first word of any agency moves a round
 * from OFFERED to COLLECTING. What an agency said last is final: answered, refused or rejected.
 */
import { ConcordatError } from '#libs/bytes';
import type { Entry, EntryOf } from '#libs/tlog';

const KINDS = [
  'round.opened',
  'round.offered',
  'contribution.accepted',
  'contribution.rejected',
  'refusal.received',
  'hold.received',
  'accept.received',
  'round.closed',
  'round.unmasking',
  'round.composing',
  'round.released',
  'round.aborted',
  'round.expired',
] as const;

/** Every log entry that is about a round of the coordinator. */
export type RoundEvent = EntryOf<(typeof KINDS)[number]>;

/** Whether a log entry moves a round. */
export const isRoundEvent = (entry: Entry): entry is RoundEvent =>
  (KINDS as readonly string[]).includes(entry.kind);

export type RoundPhase =
  | 'proposed'
  | 'offered'
  | 'collecting'
  | 'closed'
  | 'unmasking'
  | 'composing'
  | 'released'
  | 'aborted'
  | 'expired';

/**
 * Where an agency stands. While the round collects `waiting` and `held` (a person decides) are open; when it closes they become
 * `silent` and `refused` with the code `approval-needed`.
 */
export type Standing =
  | { readonly status: 'waiting'; readonly isAccepted: boolean }
  | { readonly status: 'held'; readonly until: string }
  | { readonly status: 'silent' }
  | { readonly status: 'refused' | 'rejected'; readonly code: string }
  | {
      readonly status: 'answered';
      /** Blob with groups and receipt. */
      readonly contribution: string;
      readonly valueDigest: string;
    };

export interface RoundState {
  readonly id: string;
  readonly fingerprint: string;
  /** Blob with the query and the analyst's assertion. */
  readonly question: string;
  readonly sealed: boolean;
  /** Instants of the log: when it was opened, and when it closes with whoever answered. */
  readonly openedAt: string;
  readonly deadline: string;
  readonly phase: RoundPhase;
  /** Phases it has been in, the present one last. */
  readonly passed: readonly RoundPhase[];
  /** When the present phase began. */
  readonly since: string;
  /** Every agency asked, in the order of the opening. */
  readonly standings: ReadonlyMap<string, Standing>;
  /** Whose masks the auditor is asked for; empty before UNMASKING and in rounds that are not sealed. */
  readonly contributors: readonly string[];
  /** Digest of the release of a RELEASED round. */
  readonly release: string | null;
  /** Why an ABORTED round was aborted. */
  readonly code: string | null;
}

type Coverage = EntryOf<'round.closed'>['coverage'];

const OVER: ReadonlySet<RoundPhase> = new Set(['released', 'aborted', 'expired']);

/** Whether nothing can happen to a round any more. */
export const isOver = ({ phase }: RoundState): boolean => OVER.has(phase);

/** Whether agencies can still answer. */
export const isCollecting = ({ phase }: RoundState): boolean =>
  phase === 'offered' || phase === 'collecting';

/** Whether an agency may still answer in its round. */
export const isOpen = (
  standing: Standing | undefined,
): standing is Extract<Standing, { status: 'held' | 'waiting' }> =>
  standing?.status === 'waiting' || standing?.status === 'held';

/** Whether no agency is waited for any more. */
export const hasSettled = ({ standings }: RoundState): boolean =>
  ![...standings.values()].some(isOpen);

/** Agencies that answered, in the order of the opening. */
export const answeredIn = ({ standings }: RoundState): string[] =>
  [...standings].flatMap(([agency, { status }]) => (status === 'answered' ? [agency] : []));

/** What stands when the round closes now. */
const closing = (standing: Standing): Exclude<Standing, { status: 'held' | 'waiting' }> => {
  if (standing.status === 'waiting') return { status: 'silent' };
  if (standing.status === 'held') return { status: 'refused', code: 'approval-needed' };
  return standing;
};

/** Coverage of a `round.closed` entry written now. */
export const closingCoverage = ({ standings }: RoundState): Coverage =>
  [...standings].map(([agency, standing]) => ({ agency, status: closing(standing).status }));

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};
const illegal = (event: RoundEvent, phase: string): never =>
  refuse('illegal-transition', `${event.kind} does not follow ${phase}`);

const enter = (
  state: RoundState,
  event: RoundEvent,
  phase: RoundPhase,
  change: Partial<RoundState> = {},
): RoundState => ({
  ...state,
  ...change,
  phase,
  passed: [...state.passed, phase],
  since: event.at,
});

function open(event: EntryOf<'round.opened'>): RoundState {
  if (event.agencies.length === 0) refuse('illegal-transition', 'a round asks at least one agency');
  const standings = new Map<string, Standing>(
    event.agencies.map((agency) => [agency, { status: 'waiting', isAccepted: false }]),
  );
  if (standings.size !== event.agencies.length) {
    refuse('illegal-transition', 'a round asks an agency once');
  }
  return {
    id: event.round,
    fingerprint: event.fingerprint,
    question: event.question,
    sealed: event.sealed,
    openedAt: event.at,
    deadline: event.deadline,
    phase: 'proposed',
    passed: ['proposed'],
    since: event.at,
    standings,
    contributors: [],
    release: null,
    code: null,
  };
}

const isSameOpening = (state: RoundState, event: EntryOf<'round.opened'>): boolean =>
  state.fingerprint === event.fingerprint &&
  state.question === event.question &&
  state.sealed === event.sealed &&
  state.deadline === event.deadline &&
  [...state.standings.keys()].join() === event.agencies.join();

/** What an agency said, as its next standing; undefined when it stands so already or the message comes too late to matter. */
function heard(
  standing: Standing,
  event: EntryOf<
    | 'contribution.accepted'
    | 'contribution.rejected'
    | 'refusal.received'
    | 'hold.received'
    | 'accept.received'
  >,
): Standing | undefined {
  switch (event.kind) {
    case 'hold.received':
      // Once a person agreed, a late or repeated hold says nothing new: an agency writes at most three entries a round.
      if (standing.status !== 'waiting' || standing.isAccepted) return undefined;
      return { status: 'held', until: event.until };
    case 'accept.received':
      return standing.status === 'held' ? { status: 'waiting', isAccepted: true } : undefined;
    case 'contribution.accepted': {
      const { contribution, valueDigest } = event;
      if (isOpen(standing)) return { status: 'answered', contribution, valueDigest };
      const isSame = standing.status === 'answered' && standing.valueDigest === valueDigest;
      return isSame
        ? undefined
        : refuse('second-answer', 'this agency has ended this round in another way');
    }
    case 'contribution.rejected':
      return isOpen(standing) ? { status: 'rejected', code: event.code } : undefined;
    case 'refusal.received':
      return isOpen(standing) ? { status: 'refused', code: event.code } : undefined;
  }
}

function collect(state: RoundState, event: Parameters<typeof heard>[1]): RoundState {
  const standing = state.standings.get(event.agency);
  if (!standing) return refuse('not-asked', 'this agency was not asked in this round');
  if (state.phase === 'proposed') return illegal(event, state.phase);
  if (!isCollecting(state)) {
    const isKnown =
      event.kind === 'contribution.accepted' &&
      standing.status === 'answered' &&
      standing.valueDigest === event.valueDigest;
    return isKnown ? state : refuse('round-closed', 'the round closed before this arrived');
  }
  const next = heard(standing, event);
  if (!next) return state;
  const standings = new Map(state.standings).set(event.agency, next);
  return state.phase === 'collecting'
    ? { ...state, standings }
    : enter(state, event, 'collecting', { standings });
}

function close(state: RoundState, event: EntryOf<'round.closed'>): RoundState {
  const told = JSON.stringify(event.coverage.map(({ agency, status }) => [agency, status]));
  const known = JSON.stringify(
    closingCoverage(state).map(({ agency, status }) => [agency, status]),
  );
  if (state.passed.includes('closed') && told === known) return state;
  if (!isCollecting(state)) return illegal(event, state.phase);
  if (told !== known) {
    return refuse('wrong-coverage', 'the coverage is not what the agencies said');
  }
  const standings = new Map(
    [...state.standings].map(([agency, standing]) => [agency, closing(standing)]),
  );
  return enter(state, event, 'closed', { standings });
}

/**
 * The state after one more entry of the log, the same object when the entry says nothing new. Throws and changes nothing:
 * `illegal-transition`, `wrong-coverage`, `wrong-contributors`, `not-asked`, `round-closed`, `second-answer`, `wrong-round`.
 */
export function applyRoundEvent(state: RoundState | undefined, event: RoundEvent): RoundState {
  if (!state) return event.kind === 'round.opened' ? open(event) : illegal(event, 'nothing');
  if (event.round !== state.id) return refuse('wrong-round', 'this is of another round');
  const { phase, passed } = state;
  switch (event.kind) {
    case 'round.opened':
      return isSameOpening(state, event) ? state : illegal(event, phase);
    case 'round.offered':
      if (passed.includes('offered')) return state;
      return phase === 'proposed' ? enter(state, event, 'offered') : illegal(event, phase);
    case 'round.closed':
      return close(state, event);
    case 'round.unmasking': {
      const isTheirs = event.contributors.join() === answeredIn(state).join();
      if (passed.includes('unmasking') && isTheirs) return state;
      if (phase !== 'closed' || !state.sealed) return illegal(event, phase);
      if (!isTheirs || event.contributors.length === 0) {
        return refuse('wrong-contributors', 'unmasking names exactly the agencies that answered');
      }
      return enter(state, event, 'unmasking', { contributors: event.contributors });
    }
    case 'round.composing':
      if (passed.includes('composing')) return state;
      if (phase !== (state.sealed ? 'unmasking' : 'closed')) return illegal(event, phase);
      return answeredIn(state).length > 0
        ? enter(state, event, 'composing')
        : illegal(event, 'a round without an answer');
    case 'round.released': {
      const { releaseDigest, fingerprint } = event;
      if (phase === 'released' && state.release === releaseDigest) return state;
      if (phase !== 'composing' || fingerprint !== state.fingerprint) return illegal(event, phase);
      return enter(state, event, 'released', { release: releaseDigest });
    }
    case 'round.aborted':
      if (phase === 'aborted' && state.code === event.code) return state;
      return isOver(state)
        ? illegal(event, phase)
        : enter(state, event, 'aborted', { code: event.code });
    case 'round.expired':
      if (phase === 'expired') return state;
      // A round that collects closes at its deadline with whoever answered: it never expires.
      return isOver(state) || isCollecting(state)
        ? illegal(event, phase)
        : enter(state, event, 'expired');
    default:
      return collect(state, event);
  }
}
