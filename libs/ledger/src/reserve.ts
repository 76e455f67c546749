/**
 * The filter: a spend is granted here, made durable by the caller, and only then may noise be drawn. Nothing is ever
 * refunded once its entry may be in the log.
 */
import { addRational, compareRational, formatRational, parseRho, type Rational } from '#libs/dp';
import { Entry, type EntryOf } from '#libs/tlog';
import { analystUse, charge, type Ledger, questionKey, remaining } from './ledger.js';

/** What a node asks to spend; `limit` is the ledger's to fill in. */
export type ReserveRequest = Omit<EntryOf<'budget.reserved'>, 'kind' | 'verb' | 'limit'>;

export type ReserveRefusal =
  | 'bad-request'
  | 'no-active-policy'
  | 'policy-digest'
  | 'unknown-dataset'
  | 'rho-per-year'
  | 'analyst-rho-per-year'
  | 'queries-per-day'
  | 'already-answered'
  | 'already-reserved';

export type ReserveResult =
  | { readonly ok: true; readonly entry: EntryOf<'budget.reserved'> }
  | {
      readonly ok: false;
      readonly code: ReserveRefusal;
      /** With `already-answered` the index of the release, with `already-reserved` that of the logged reservation. */
      readonly index?: bigint;
      /** With `already-reserved` the logged reservation; a release of it repeats its grant, rho and policy digest. */
      readonly entry?: EntryOf<'budget.reserved'>;
    };

const exceeds = (total: Rational, limit: Rational): boolean => compareRational(total, limit) > 0;

const refuse = (code: ReserveRefusal, index?: bigint): ReserveResult =>
  index === undefined ? { ok: false, code } : { ok: false, code, index };

function parseCost(rho: unknown): Rational | undefined {
  try {
    return parseRho(rho);
  } catch {
    return undefined;
  }
}

/**
 * Grants or refuses a spend, and never throws. A granted spend counts from this moment on, so that callers who race
 * cannot share what is left; the caller appends `entry` to the log, waits until it is durable, and folds it with
 * `applyEntry`. If the append failed for certain, `abandon` gives the spend back; if it may have happened, nothing does.
 *
 * `already-reserved` with an `index`: an earlier attempt paid and never released (its process died). The caller may
 * finish that one, for no vector of it has left; the spend stays spent either way. Without an index another caller is at
 * work on the same question: ask again later.
 */
export function reserve(ledger: Ledger, request: ReserveRequest): ReserveResult {
  const cost = parseCost(request?.rho);
  if (!cost) return refuse('bad-request');
  const { policy } = ledger;
  if (!policy) return refuse('no-active-policy');
  const key = questionKey(request);
  const answer = ledger.answers.get(key);
  if (answer) return refuse('already-answered', answer.index);
  if (ledger.pending.has(key)) return refuse('already-reserved');
  const earlier = ledger.reservations.get(ledger.reservationOf.get(key) ?? -1n);
  if (earlier) return { ok: false, code: 'already-reserved', ...earlier };
  if (request.policyDigest !== policy.policyDigest) return refuse('policy-digest');
  const limit = policy.rhoPerYear.get(request.dataset);
  if (!limit) return refuse('unknown-dataset');

  const parsed = Entry.safeParse({
    ...request,
    kind: 'budget.reserved',
    verb: 'consultation',
    limit: formatRational(limit),
  });
  if (!parsed.success || parsed.data.kind !== 'budget.reserved') return refuse('bad-request');
  const entry = parsed.data;
  for (const year of entry.years) {
    const left = remaining(ledger, entry.dataset, year);
    if (!left || exceeds(cost, left)) return refuse('rho-per-year');
  }
  const use = analystUse(ledger, entry.analyst, entry.at);
  if (exceeds(addRational(use.rhoThisYear, cost), policy.analystRhoPerYear)) {
    return refuse('analyst-rho-per-year');
  }
  if (use.queriesToday >= policy.analystQueriesPerDay) return refuse('queries-per-day');

  charge(ledger, entry);
  ledger.pending.set(key, entry);
  return { ok: true, entry };
}

/**
 * Gives back a granted spend whose entry certainly is not, and will not be, in the log. Does nothing for one that was
 * folded already.
 */
export function abandon(ledger: Ledger, entry: EntryOf<'budget.reserved'>): void {
  const key = questionKey(entry);
  if (ledger.pending.get(key) !== entry) return;
  ledger.pending.delete(key);
  charge(ledger, entry, -1);
}
