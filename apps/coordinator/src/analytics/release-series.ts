import type { ReleaseHeader } from '#libs/protocol';
import { daysOf, isWeek, monthsOf, periodsOverlap } from '#libs/query';

export interface SeriesMember {
  readonly id: string;
  readonly header: ReleaseHeader;
}

/** As many releases as one layer may read. */
const MOST_RELEASES = 120;

const isLine = (periods: readonly string[]): boolean =>
  periods.every(isWeek) ||
  periods.every((period) => !isWeek(period) && monthsOf(period).length === 1);

/** What is equal in every release of a series: question, privacy cost, grid, kind of period, and who answered. */
const kindOf = ({ query, coverage }: ReleaseHeader): string =>
  JSON.stringify([
    query.measure,
    query.categories,
    query.resolution,
    query.rho,
    query.gridHash,
    query.periods.some(isWeek),
    coverage.filter(({ status }) => status === 'answered').map(({ agency }) => agency),
  ]);

const firstDay = ({ header }: SeriesMember): number =>
  Math.min(...header.query.periods.map((period) => daysOf(period).firstDay));

/**
 * Ids of a release and of those that it continues, oldest period first: the same question over other months (or weeks), answered by the
 * same agencies at the same cost. Where two count a day, the release itself and then the newer one counts. `all` is newest first. A
 * release of windows of months is no line: it stands alone.
 */
export function releaseSeries(release: SeriesMember, all: readonly SeriesMember[]): string[] {
  if (!isLine(release.header.query.periods)) return [release.id];
  const kind = kindOf(release.header);
  const series = [release];
  const taken = [...release.header.query.periods];
  for (const other of all) {
    const { periods } = other.header.query;
    if (other.id === release.id || kindOf(other.header) !== kind || !isLine(periods)) continue;
    if (periods.some((period) => taken.some((one) => periodsOverlap(one, period)))) continue;
    taken.push(...periods);
    series.push(other);
  }
  return series
    .sort((a, b) => firstDay(a) - firstDay(b))
    .slice(-MOST_RELEASES)
    .map(({ id }) => id);
}
