/**
 * What an auditor may and may not do with the seeds of sealed rounds, as a fold of its log. The auditor asks `sealFault` before it
 * writes an entry, and whoever audits its log asks it about every entry: the rules are written once.
 */
import type { Entry, EntryOf } from '#libs/tlog';

/** Fewest contributors whose masks are summed. */
export const SEALED_QUORUM = 3;

const KINDS = ['seed.received', 'round.unmasked', 'unmask.refused', 'seeds.destroyed'] as const;
/** Every log entry that is about a sealed round of the auditor. */
export type SealEvent = EntryOf<(typeof KINDS)[number]>;

export const isSealEvent = (entry: Entry): entry is SealEvent =>
  (KINDS as readonly string[]).includes(entry.kind);

export type SealFault =
  /** Another seed of the same agency in the same round. */
  | 'second-seed'
  /** A seed for another question than the round's, or an unmasking of one. */
  | 'wrong-fingerprint'
  /** The masks of the round were summed, or its time is over. */
  | 'seeds-destroyed'
  | 'too-few-contributors'
  | 'wrong-contributors'
  | 'seed-missing'
  | 'second-contributor-set'
  /** An answer in it was in another sum before, in a round with the same question: the two together would tell more than either. */
  | 'answer-unmasked-before';

type SeedEntry = Pick<EntryOf<'seed.received'>, 'answer' | 'masked' | 'seed'>;

export interface SealedRound {
  readonly fingerprint: string;
  /** Latest that any of its seeds names. */
  readonly deadline: string;
  /** By agency. */
  readonly seeds: ReadonlyMap<string, SeedEntry>;
  readonly unmasked:
    | { readonly contributors: readonly string[]; readonly file: string }
    | undefined;
  readonly isDestroyed: boolean;
}

export interface SealBook {
  readonly rounds: Map<string, SealedRound>;
  /** Agency and answer -> the sum it is in, as `sumOf` names it. */
  readonly sums: Map<string, string>;
}

export const emptySealBook = (): SealBook => ({ rounds: new Map(), sums: new Map() });

/** Agencies and answers of a set of contributors, in one order. */
function answersOf(round: SealedRound, contributors: readonly string[]): string[] {
  return [...contributors]
    .sort()
    .map((agency) => `${agency} ${round.seeds.get(agency)?.answer ?? ''}`);
}
const sumOf = (answers: readonly string[]): string => answers.join('\n');

const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join() === [...b].sort().join();

function seedFault(
  round: SealedRound | undefined,
  event: EntryOf<'seed.received'>,
): SealFault | undefined {
  if (!round) return undefined;
  if (round.fingerprint !== event.fingerprint) return 'wrong-fingerprint';
  if (round.seeds.has(event.agency)) return 'second-seed';
  return round.isDestroyed || round.unmasked ? 'seeds-destroyed' : undefined;
}

function unmaskFault(
  book: SealBook,
  round: SealedRound | undefined,
  { contributors, fingerprint }: Pick<EntryOf<'round.unmasked'>, 'contributors' | 'fingerprint'>,
): SealFault | undefined {
  if (new Set(contributors).size !== contributors.length) return 'wrong-contributors';
  if (contributors.length < SEALED_QUORUM) return 'too-few-contributors';
  if (!round) return 'seed-missing';
  if (round.fingerprint !== fingerprint) return 'wrong-fingerprint';
  if (round.unmasked) return 'second-contributor-set';
  if (round.isDestroyed) return 'seeds-destroyed';
  if (!contributors.every((agency) => round.seeds.has(agency))) return 'seed-missing';
  const answers = answersOf(round, contributors);
  const sum = sumOf(answers);
  return answers.every((answer) => (book.sums.get(answer) ?? sum) === sum)
    ? undefined
    : 'answer-unmasked-before';
}

/** Why an auditor may not write this entry now, or undefined. A round that is unmasked is unmasked by no second entry. */
export function sealFault(book: SealBook, event: SealEvent): SealFault | undefined {
  const round = book.rounds.get(event.round);
  switch (event.kind) {
    case 'seed.received':
      return seedFault(round, event);
    case 'round.unmasked':
      return unmaskFault(book, round, event);
    case 'unmask.refused':
      return undefined;
    case 'seeds.destroyed':
      return round && !round.isDestroyed ? undefined : 'seeds-destroyed';
  }
}

/** Whether a round was unmasked for exactly these contributors. */
export const isUnmaskedFor = (
  round: SealedRound | undefined,
  contributors: readonly string[],
): boolean => round?.unmasked !== undefined && isSameSet(round.unmasked.contributors, contributors);

/** Folds an entry of the log in; one with a fault is to be reported first. */
export function applyToSealBook(book: SealBook, event: SealEvent): void {
  const { rounds } = book;
  const known = rounds.get(event.round);
  if (event.kind === 'seed.received') {
    const { agency, answer, masked, seed, fingerprint, deadline } = event;
    const round = known ?? {
      fingerprint,
      deadline,
      seeds: new Map(),
      unmasked: undefined,
      isDestroyed: false,
    };
    rounds.set(event.round, {
      ...round,
      deadline: [deadline, round.deadline].sort().at(-1) as string,
      seeds: new Map(round.seeds).set(agency, { answer, masked, seed }),
    });
  } else if (known && event.kind === 'round.unmasked') {
    const { contributors, unmasked: file } = event;
    const answers = answersOf(known, contributors);
    const sum = sumOf(answers);
    for (const answer of answers) book.sums.set(answer, sum);
    rounds.set(event.round, { ...known, unmasked: { contributors, file } });
  } else if (known && event.kind === 'seeds.destroyed') {
    rounds.set(event.round, { ...known, isDestroyed: true });
  }
}
