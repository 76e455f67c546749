/**
 * Order rules of a log, for auditors: what a node that keeps its promises can never have written. The checks read the
 * ledger as it was before the entry.
 */
import { addRational, compareRational, formatRational } from '#libs/dp';
import type { Entry, EntryOf } from '#libs/tlog';
import {
  analystUse,
  applyEntry,
  emptyLedger,
  type Ledger,
  questionKey,
  rhoValue,
  spent,
} from './ledger.js';

export type OrderFault =
  | 'index-gap'
  | 'rho-not-canonical'
  | 'reserve-without-policy'
  | 'reserve-under-other-policy'
  | 'reserve-of-unknown-dataset'
  | 'reserve-limit-differs'
  | 'reserve-repeated'
  | 'over-limit'
  | 'analyst-over-limit'
  | 'release-without-reserve'
  | 'release-differs-from-reserve'
  | 'reservation-used-twice'
  | 'second-answer';

const canonical = (text: string): boolean => formatRational(rhoValue(text)) === text;

function checkReserve(ledger: Ledger, entry: EntryOf<'budget.reserved'>): OrderFault[] {
  const faults: OrderFault[] = [];
  const cost = rhoValue(entry.rho);
  if (!canonical(entry.rho) || !canonical(entry.limit)) faults.push('rho-not-canonical');
  if (ledger.reservationOf.has(questionKey(entry))) faults.push('reserve-repeated');
  const { policy } = ledger;
  if (!policy) return [...faults, 'reserve-without-policy'];
  if (entry.policyDigest !== policy.policyDigest) faults.push('reserve-under-other-policy');
  const limit = policy.rhoPerYear.get(entry.dataset);
  if (!limit) return [...faults, 'reserve-of-unknown-dataset'];
  if (formatRational(limit) !== entry.limit) faults.push('reserve-limit-differs');
  const over = entry.years.some(
    (year) => compareRational(addRational(spent(ledger, entry.dataset, year), cost), limit) > 0,
  );
  if (over) faults.push('over-limit');
  const use = analystUse(ledger, entry.analyst, entry.at);
  if (
    compareRational(addRational(use.rhoThisYear, cost), policy.analystRhoPerYear) > 0 ||
    use.queriesToday >= policy.analystQueriesPerDay
  ) {
    faults.push('analyst-over-limit');
  }
  return faults;
}

const SAME = ['fingerprint', 'versionDigest', 'dataset', 'rho', 'grant', 'policyDigest'] as const;

function checkRelease(ledger: Ledger, entry: EntryOf<'release.made'>): OrderFault[] {
  const faults: OrderFault[] = [];
  if (ledger.answers.has(questionKey(entry))) faults.push('second-answer');
  const index = BigInt(entry.reservation);
  const reservation = ledger.reservations.get(index);
  if (!reservation) return [...faults, 'release-without-reserve'];
  if (ledger.fulfilled.has(index)) faults.push('reservation-used-twice');
  if (SAME.some((field) => reservation.entry[field] !== entry[field])) {
    faults.push('release-differs-from-reserve');
  }
  return faults;
}

/** The rules that the entry at `index` breaks, given the ledger of every entry before it. */
export function checkEntry(ledger: Ledger, index: bigint, entry: Entry): readonly OrderFault[] {
  const gap: OrderFault[] = index === ledger.nextIndex ? [] : ['index-gap'];
  if (entry.kind === 'budget.reserved') return [...gap, ...checkReserve(ledger, entry)];
  if (entry.kind === 'release.made') return [...gap, ...checkRelease(ledger, entry)];
  return gap;
}

export interface OrderReport {
  readonly faults: readonly { readonly at: bigint; readonly kind: OrderFault }[];
  readonly ledger: Ledger;
}

/** Checks and folds a whole log from its first entry, one pass. */
export function checkEntryOrder(entries: Iterable<Entry>): OrderReport {
  const ledger = emptyLedger();
  const faults: { at: bigint; kind: OrderFault }[] = [];
  let index = 0n;
  for (const entry of entries) {
    for (const kind of checkEntry(ledger, index, entry)) faults.push({ at: index, kind });
    applyEntry(ledger, index, entry);
    index += 1n;
  }
  return { faults, ledger };
}
