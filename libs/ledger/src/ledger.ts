/**
 * The budget ledger: a fold of log entries. Nothing else is stored; a process that restarts reads its log and has the
 * same ledger. Spends are zCDP rho, exact rationals, and add up by the composition of [BS16, Lemma 2.3].
 *
 * A spend is charged to (dataset, accounting year of the data) over all analysts, in full to every year that the query's
 * months touch: the privacy unit is a person's records of one year, and years are disjoint.
 */
import { addRational, type Rational, rational, subtractRational, ZERO } from '#libs/dp';
import { londonDay } from '#libs/query';
import type { Entry, EntryOf } from '#libs/tlog';

/** The limits in force, from the last `policy.activated` entry. */
export interface ActivePolicy {
  readonly policyDigest: string;
  readonly rhoPerYear: ReadonlyMap<string, Rational>;
  readonly analystRhoPerYear: Rational;
  readonly analystQueriesPerDay: number;
}

export interface Reservation {
  readonly index: bigint;
  readonly entry: EntryOf<'budget.reserved'>;
}

export interface Answer {
  readonly index: bigint;
  readonly entry: EntryOf<'release.made'>;
}

/** A spend as it is charged, whether logged or on its way to the log. */
export type Spend = Pick<
  EntryOf<'budget.reserved'>,
  'dataset' | 'years' | 'analyst' | 'rho' | 'at' | 'fingerprint' | 'versionDigest'
>;

/**
 * State of the fold. It is updated in place (a log of 100,000 entries is one pass); read it through the functions of
 * this lib.
 */
export interface Ledger {
  policy: ActivePolicy | undefined;
  nextIndex: bigint;
  readonly spent: Map<string, Rational>;
  readonly analystSpent: Map<string, Rational>;
  readonly analystQueries: Map<string, number>;
  readonly reservations: Map<bigint, Reservation>;
  /** Last reservation of each question (fingerprint and data version). */
  readonly reservationOf: Map<string, bigint>;
  readonly answers: Map<string, Answer>;
  readonly fulfilled: Set<bigint>;
  /** Spends granted by `reserve` whose entries are not in the log yet, by question. */
  readonly pending: Map<string, Spend>;
}

export const emptyLedger = (): Ledger => ({
  policy: undefined,
  nextIndex: 0n,
  spent: new Map(),
  analystSpent: new Map(),
  analystQueries: new Map(),
  reservations: new Map(),
  reservationOf: new Map(),
  answers: new Map(),
  fulfilled: new Set(),
  pending: new Map(),
});

/** A question is what is asked of which data: the key under which there is one answer for ever. */
export const questionKey = (asked: { fingerprint: string; versionDigest: string }): string =>
  `${asked.fingerprint}/${asked.versionDigest}`;

/** The value of a rho as logged; the schema has checked its form, `checkEntry` that it is in lowest terms. */
export const rhoValue = (text: string): Rational => {
  const [num = '0', den = '1'] = text.split('/');
  return rational(BigInt(num), BigInt(den));
};

const yearOf = (at: string): string =>
  String(new Date(londonDay(Date.parse(at)) * 86_400_000).getUTCFullYear());
const dayOf = (at: string): number => londonDay(Date.parse(at));
const datasetYear = (dataset: string, year: string): string => `${dataset}/${year}`;
const analystYear = (analyst: string, at: string): string => `${yearOf(at)}/${analyst}`;
const analystDay = (analyst: string, at: string): string => `${dayOf(at)}/${analyst}`;

const addTo = (totals: Map<string, Rational>, key: string, amount: Rational): void => {
  totals.set(key, addRational(totals.get(key) ?? ZERO, amount));
};

/** Counts a spend against dataset and analyst; `sign` -1 takes back one that never reached the log. */
export function charge(ledger: Ledger, spend: Spend, sign: 1 | -1 = 1): void {
  const value = rhoValue(spend.rho);
  const amount = sign === 1 ? value : subtractRational(ZERO, value);
  for (const year of spend.years) addTo(ledger.spent, datasetYear(spend.dataset, year), amount);
  addTo(ledger.analystSpent, analystYear(spend.analyst, spend.at), amount);
  const day = analystDay(spend.analyst, spend.at);
  ledger.analystQueries.set(day, (ledger.analystQueries.get(day) ?? 0) + sign);
}

const activePolicy = (entry: EntryOf<'policy.activated'>): ActivePolicy => ({
  policyDigest: entry.policyDigest,
  rhoPerYear: new Map(
    Object.entries(entry.limits.datasets).map(([id, limit]) => [id, rhoValue(limit.rhoPerYear)]),
  ),
  analystRhoPerYear: rhoValue(entry.limits.analysts.rhoPerYear),
  analystQueriesPerDay: entry.limits.analysts.queriesPerDay,
});

/**
 * Folds one entry, the one at `index` of the log, into the ledger and returns it. Kinds that spend nothing change
 * nothing. A log that breaks the rules folds as well, every spend in it counted; `checkEntry` names its faults.
 */
export function applyEntry(ledger: Ledger, index: bigint, entry: Entry): Ledger {
  ledger.nextIndex = index + 1n;
  if (entry.kind === 'policy.activated') ledger.policy = activePolicy(entry);
  if (entry.kind === 'budget.reserved') {
    const key = questionKey(entry);
    const granted = ledger.pending.get(key);
    if (granted && ledger.pending.delete(key)) charge(ledger, granted, -1);
    charge(ledger, entry);
    ledger.reservations.set(index, { index, entry });
    ledger.reservationOf.set(key, index);
  }
  if (entry.kind === 'release.made') {
    const key = questionKey(entry);
    if (!ledger.answers.has(key)) ledger.answers.set(key, { index, entry });
    ledger.fulfilled.add(BigInt(entry.reservation));
  }
  return ledger;
}

/** Rho spent on a dataset in an accounting year of its data, over all analysts. */
export const spent = (ledger: Ledger, dataset: string, year: string): Rational =>
  ledger.spent.get(datasetYear(dataset, year)) ?? ZERO;

/**
 * Rho left of a dataset's accounting year, `undefined` when no active policy has a limit for it (then nothing may be
 * spent). Below zero when a newer policy lowered the limit under what is spent.
 */
export function remaining(ledger: Ledger, dataset: string, year: string): Rational | undefined {
  const limit = ledger.policy?.rhoPerYear.get(dataset);
  return limit && subtractRational(limit, spent(ledger, dataset, year));
}

/** What an analyst spent in the civil year, and asked on the civil day (Europe/London), of the instant `at`. */
export const analystUse = (
  ledger: Ledger,
  analyst: string,
  at: string,
): { readonly rhoThisYear: Rational; readonly queriesToday: number } => ({
  rhoThisYear: ledger.analystSpent.get(analystYear(analyst, at)) ?? ZERO,
  queriesToday: ledger.analystQueries.get(analystDay(analyst, at)) ?? 0,
});

/** The last spend logged for this question, whether or not its release was made. */
export const reservationFor = (
  ledger: Ledger,
  fingerprint: string,
  versionDigest: string,
): Reservation | undefined =>
  ledger.reservations.get(
    ledger.reservationOf.get(questionKey({ fingerprint, versionDigest })) ?? -1n,
  );

/** The release already made for this question: same query, same data, same logged answer, at no cost. */
export const answerFor = (
  ledger: Ledger,
  fingerprint: string,
  versionDigest: string,
): Answer | undefined => ledger.answers.get(questionKey({ fingerprint, versionDigest }));
