/** Which periods of which releases a layer reads, oldest first. */
import { ConcordatError } from '#libs/bytes';
import { type Category, monthsOf, periodsOverlap } from '#libs/query';
import type { OpenRelease, ReleaseGroup } from './release-blobs.js';

export interface PeriodGroup {
  readonly release: OpenRelease;
  readonly group: ReleaseGroup;
}

export interface Range {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** True when the whole period lies in the range. */
const within = (period: string, { from, to }: Range): boolean => {
  const months = monthsOf(period);
  return (
    (from === undefined || (months[0] as string) >= from) &&
    (to === undefined || (months.at(-1) as string) <= to)
  );
};

/**
 * Groups of a category in the range, oldest first. Throws `period-order`, `no-such-layer` (none) and `overlapping-periods` (two
 * releases count the same month: their counts would be added twice, or one chosen by whim).
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
    .sort((a, b) => (a.group.period < b.group.period ? -1 : 1));
  if (found.length === 0) {
    throw new ConcordatError(
      'no-such-layer',
      'the releases hold no counts of this category in this range',
    );
  }
  found.forEach(({ group }, i) => {
    const next = found[i + 1];
    if (next && periodsOverlap(group.period, next.group.period)) {
      throw new ConcordatError(
        'overlapping-periods',
        'two of the counts share a month: name releases that count each month once, or set from and to',
      );
    }
  });
  return found;
}

/** Every month from the first group to the last; a month that no release counts stays, as missing. Throws `window-period`. */
export function monthLine(groups: readonly PeriodGroup[]): readonly string[] {
  if (groups.some(({ group }) => monthsOf(group.period).length > 1)) {
    throw new ConcordatError(
      'window-period',
      'this method needs a count a month: ask with --step month',
    );
  }
  const first = groups[0]?.group.period ?? '';
  return monthsOf(`${first}/${groups.at(-1)?.group.period ?? first}`);
}
