/**
 * A period is one civil month `YYYY-MM` or an inclusive window of months `YYYY-MM/YYYY-MM`. It is one group of a
 * release: the months of a window are counted together.
 */
import { ConcordatError } from '#libs/bytes';

const MONTH = '(?:19|20|21)\\d\\d-(?:0[1-9]|1[0-2])';
const PERIOD = new RegExp(`^(${MONTH})(?:/(${MONTH}))?$`);

/** Months since year 0: January of year y is 12 y. */
const monthIndex = (month: string): number =>
  Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1;

const monthOfIndex = (index: number): string =>
  `${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`;

const bounds = (period: string): readonly [first: number, last: number] => {
  const match = PERIOD.exec(period);
  const from = match?.[1];
  if (from === undefined) {
    throw new ConcordatError(
      'bad-period',
      'write a month as YYYY-MM or a window as YYYY-MM/YYYY-MM',
    );
  }
  const first = monthIndex(from);
  const last = monthIndex(match?.[2] ?? from);
  if (last < first) {
    throw new ConcordatError('period-order', 'a window must not end before it starts');
  }
  return [first, last];
};

/** The one spelling of a period: a window of a single month is that month. Throws `bad-period`, `period-order`. */
export function canonicalPeriod(period: string): string {
  const [first, last] = bounds(period);
  return first === last ? monthOfIndex(first) : period;
}

/** The months `YYYY-MM` of a period, ascending. Throws `bad-period`, `period-order`. */
export function monthsOf(period: string): readonly string[] {
  const [first, last] = bounds(period);
  return Array.from({ length: last - first + 1 }, (_, i) => monthOfIndex(first + i));
}

/** First and last civil day (days since 1970-01-01) of a period. Throws `bad-period`, `period-order`. */
export function daysOf(period: string): { readonly firstDay: number; readonly lastDay: number } {
  const [first, last] = bounds(period);
  const startOf = (index: number): number =>
    Date.UTC(Math.floor(index / 12), index % 12, 1) / 86_400_000;
  return { firstDay: startOf(first), lastDay: startOf(last + 1) - 1 };
}

/** True when two periods share a month. Throws `bad-period`, `period-order`. */
export function periodsOverlap(a: string, b: string): boolean {
  const [firstA, lastA] = bounds(a);
  const [firstB, lastB] = bounds(b);
  return firstA <= lastB && firstB <= lastA;
}

/**
 * The accounting years (calendar years of the data) that periods touch, ascending. A ledger charges each of them: the
 * privacy unit is a person's records of one such year.
 */
export function accountingYears(periods: readonly string[]): readonly string[] {
  return [...new Set(periods.flatMap(monthsOf).map((month) => month.slice(0, 4)))].sort();
}
