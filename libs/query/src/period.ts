/**
 * A period is one civil month `YYYY-MM`, an inclusive window of months `YYYY-MM/YYYY-MM`, or one ISO 8601 week `YYYY-Www`
 * (Monday to Sunday; week 1 holds 4 January). It is one group of a release: the months of a window are counted together.
 */
import { ConcordatError } from '#libs/bytes';

const MONTH = '(?:19|20|21)\\d\\d-(?:0[1-9]|1[0-2])';
const PERIOD = new RegExp(`^(${MONTH})(?:/(${MONTH}))?$`);
const WEEK = /^((?:19|20|21)\d\d)-W(\d\d)$/;
const MS_PER_DAY = 86_400_000;

/** Months since year 0: January of year y is 12 y. */
const monthIndex = (month: string): number =>
  Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1;

const monthOfIndex = (index: number): string =>
  `${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`;

const dayOf = (year: number, month: number, date: number): number =>
  Date.UTC(year, month, date) / MS_PER_DAY;

const badPeriod = (): ConcordatError =>
  new ConcordatError(
    'bad-period',
    'write a month as YYYY-MM, a window as YYYY-MM/YYYY-MM, a week as YYYY-Www',
  );

/** Weeks since the one of 1 January 1970, a Thursday: the week with this index has day 7 x index as its Thursday. */
const weekIndexOf = (day: number): number => Math.floor((day + 3) / 7);

/** The ISO week `YYYY-Www` of a civil day (days since 1970-01-01): it belongs to the year of its Thursday. */
export function weekOfDay(day: number): string {
  return weekOfIndex(weekIndexOf(day));
}

function weekOfIndex(index: number): string {
  const year = new Date(7 * index * MS_PER_DAY).getUTCFullYear();
  const week = Math.floor((7 * index - dayOf(year, 0, 1)) / 7) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

/** Index of a week; undefined for a period of another kind. Throws `bad-period` for a week that its year does not have. */
function weekIndex(period: string): number | undefined {
  const match = WEEK.exec(period);
  if (!match) return undefined;
  const index = weekIndexOf(dayOf(Number(match[1]), 0, 4)) + Number(match[2]) - 1;
  if (weekOfIndex(index) !== period) throw badPeriod();
  return index;
}

/** True for a period written as a week, whether or not its year has it. */
export const isWeek = (period: string): boolean => WEEK.test(period);

const monthBounds = (period: string): readonly [first: number, last: number] => {
  const match = PERIOD.exec(period);
  const from = match?.[1];
  if (from === undefined) throw badPeriod();
  const first = monthIndex(from);
  const last = monthIndex(match?.[2] ?? from);
  if (last < first) {
    throw new ConcordatError('period-order', 'a window must not end before it starts');
  }
  return [first, last];
};

/** The one spelling of a period: a window of a single month is that month. Throws `bad-period`, `period-order`. */
export function canonicalPeriod(period: string): string {
  if (weekIndex(period) !== undefined) return period;
  const [first, last] = monthBounds(period);
  return first === last ? monthOfIndex(first) : period;
}

/** First and last civil day (days since 1970-01-01) of a period. Throws `bad-period`, `period-order`. */
export function daysOf(period: string): { readonly firstDay: number; readonly lastDay: number } {
  const week = weekIndex(period);
  if (week !== undefined) return { firstDay: 7 * week - 3, lastDay: 7 * week + 3 };
  const [first, last] = monthBounds(period);
  const startOf = (index: number): number => dayOf(Math.floor(index / 12), index % 12, 1);
  return { firstDay: startOf(first), lastDay: startOf(last + 1) - 1 };
}

const monthOfDay = (day: number): string =>
  new Date(day * MS_PER_DAY).toISOString().slice(0, 'YYYY-MM'.length);

/** The months `YYYY-MM` that a period touches, ascending: a week touches one or two. Throws `bad-period`, `period-order`. */
export function monthsOf(period: string): readonly string[] {
  if (isWeek(period)) {
    const { firstDay, lastDay } = daysOf(period);
    return [...new Set([monthOfDay(firstDay), monthOfDay(lastDay)])];
  }
  const [first, last] = monthBounds(period);
  return Array.from({ length: last - first + 1 }, (_, i) => monthOfIndex(first + i));
}

/** The weeks whose seven days all lie from `firstDay` to `lastDay` (days since 1970-01-01), ascending. */
export function weeksWithin(firstDay: number, lastDay: number): readonly string[] {
  const first = weekIndexOf(firstDay + 6);
  const last = weekIndexOf(lastDay - 6);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => weekOfIndex(first + i));
}

/** True when two periods share a day. Throws `bad-period`, `period-order`. */
export function periodsOverlap(a: string, b: string): boolean {
  const [one, other] = [daysOf(a), daysOf(b)];
  return one.firstDay <= other.lastDay && other.firstDay <= one.lastDay;
}

/**
 * The accounting years (calendar years of the data) that periods touch, ascending. A ledger charges each of them: the
 * privacy unit is a person's records of one such year. A week over New Year is charged to both.
 */
export function accountingYears(periods: readonly string[]): readonly string[] {
  return [...new Set(periods.flatMap(monthsOf).map((month) => month.slice(0, 4)))].sort();
}
