/** Which periods of which releases a layer reads, oldest first: months, or weeks. */
import { ConcordatError } from '#libs/bytes';
import { type Category, daysOf, isWeek, monthsOf, periodsOverlap, weeksWithin } from '#libs/query';
import type { OpenRelease, ReleaseGroup } from './release-blobs.js';

export interface PeriodGroup {
  readonly release: OpenRelease;
  readonly group: ReleaseGroup;
}

export interface Range {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** True when the whole period lies in the months of the range. */
const within = (period: string, { from, to }: Range): boolean => {
  const { firstDay, lastDay } = daysOf(period);
  return (
    (from === undefined || firstDay >= daysOf(from).firstDay) &&
    (to === undefined || lastDay <= daysOf(to).lastDay)
  );
};

/** What a question may name instead: the categories of the releases, and their first and last period. */
function heldBy(releases: readonly OpenRelease[]): string {
  const groups = releases.flatMap(({ header }) => header.groups);
  const categories = [...new Set(groups.map(({ category }) => category))].sort();
  const periods = [...new Set(groups.map(({ period }) => period))].sort(
    (a, b) => daysOf(a).firstDay - daysOf(b).firstDay,
  );
  return `; they hold ${categories.join(', ')}, from ${periods[0]} to ${periods.at(-1)}`;
}

/**
 * Groups of a category in the range, oldest first. Throws `period-order`, `no-such-layer` (none) and `overlapping-periods` (two
 * releases count the same day: their counts would be added twice, or one chosen by whim).
 */
export function groupsOfCategory(
  releases: readonly OpenRelease[],
  category: Category,
  range: Range,
): readonly PeriodGroup[] {
  if (range.from !== undefined && range.to !== undefined && range.to < range.from) {
    throw new ConcordatError('period-order', 'the range must not end before it starts');
  }
  const found = releases
    .flatMap((release) => release.header.groups.map((group) => ({ release, group })))
    .filter(({ group }) => group.category === category && within(group.period, range))
    .sort((a, b) => daysOf(a.group.period).firstDay - daysOf(b.group.period).firstDay);
  if (found.length === 0) {
    throw new ConcordatError(
      'no-such-layer',
      `the releases hold no counts of this category in this range${heldBy(releases)}`,
    );
  }
  found.forEach(({ group }, i) => {
    const next = found[i + 1];
    if (next && periodsOverlap(group.period, next.group.period)) {
      throw new ConcordatError(
        'overlapping-periods',
        'two of the counts share a day: name releases that count each month or week once, or set from and to',
      );
    }
  });
  return found;
}

export type Step = 'month' | 'week';

/** What a line of periods goes by. */
export const stepOf = (names: readonly string[]): Step => (names.some(isWeek) ? 'week' : 'month');

/**
 * Every month from the first group to the last, or every week where the groups are weeks; one that no release counts stays, as missing.
 * Throws `window-period`, `mixed-periods`.
 */
export function periodLine(groups: readonly PeriodGroup[]): readonly string[] {
  const periods = groups.map(({ group }) => group.period);
  const [first = '', last = first] = [periods[0], periods.at(-1)];
  if (periods.every(isWeek)) return weeksWithin(daysOf(first).firstDay, daysOf(last).lastDay);
  if (periods.some(isWeek)) {
    throw new ConcordatError(
      'mixed-periods',
      'some of the counts are of weeks and some of months: name releases of one kind',
    );
  }
  if (periods.some((period) => monthsOf(period).length > 1)) {
    throw new ConcordatError(
      'window-period',
      'this method needs a count a month or a week: ask with --step month or week',
    );
  }
  return monthsOf(`${first}/${last}`);
}

/** The same for a method that counts months. Throws `window-period`, `mixed-periods`, `week-period`. */
export function monthLine(groups: readonly PeriodGroup[]): readonly string[] {
  const line = periodLine(groups);
  if (stepOf(line) === 'month') return line;
  throw new ConcordatError('week-period', 'this method counts months: name monthly releases');
}
