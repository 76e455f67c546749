import type { Release } from './release-client.js';

/** One step of the time slider. A month that no release of the series counts has no release: it is missing, not zero. */
export interface Moment {
  /** `YYYY-MM`, or a window `YYYY-MM/YYYY-MM`. */
  readonly period: string;
  readonly release: Release | undefined;
}

const MONTH = /^\d{4}-(?:0[1-9]|1[0-2])$/;
const isMonthly = ({ query }: Release): boolean => query.periods.every((p) => MONTH.test(p));

/** What must be equal for counts of two releases to stand in one line: question, privacy cost, grid, and who answered. */
const kindOf = ({ query, gridHash, agencies }: Release): string =>
  JSON.stringify([
    query.measure,
    [...query.categories].sort(),
    query.resolution,
    query.rho,
    gridHash,
    agencies
      .filter(({ status }) => status === 'contributed')
      .map(({ id }) => id)
      .sort(),
  ]);

/**
 * The release and those that continue it: the same question over other months, answered by the same agencies at the same cost. No
 * month twice: where two count one, the release itself and then the newer counts. Oldest first.
 */
export function seriesOf(release: Release, releases: readonly Release[]): readonly Release[] {
  if (!isMonthly(release)) return [release];
  const kind = kindOf(release);
  const taken = new Set(release.query.periods);
  const series = [release];
  for (const other of releases) {
    if (other.id === release.id || kindOf(other) !== kind || !isMonthly(other)) continue;
    if (other.query.periods.some((period) => taken.has(period))) continue;
    for (const period of other.query.periods) taken.add(period);
    series.push(other);
  }
  const first = ({ query }: Release): string => [...query.periods].sort()[0] ?? '';
  return series.sort((a, b) => (first(a) < first(b) ? -1 : 1));
}

/** Every period of a series for a category (or `all`), oldest first, with the months between that nobody counted. */
export function momentsOf(series: readonly Release[], category: string): readonly Moment[] {
  const counted = new Map<string, Release>();
  const named = new Set<string>();
  for (const release of series) {
    for (const { category: own, period } of release.groups) {
      named.add(period);
      if (category === 'all' || own === category) counted.set(period, release);
    }
  }
  const periods = [...named].sort();
  const line = periods.every((p) => MONTH.test(p)) ? monthsBetween(periods) : periods;
  return line.map((period) => ({ period, release: counted.get(period) }));
}

function monthsBetween(months: readonly string[]): readonly string[] {
  const [first, last] = [months[0], months.at(-1)];
  if (first === undefined || last === undefined) return [];
  const numberOf = (month: string): number =>
    12 * Number(month.slice(0, 4)) + Number(month.slice(5)) - 1;
  return Array.from({ length: numberOf(last) - numberOf(first) + 1 }, (_, i) => {
    const at = numberOf(first) + i;
    return `${Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, '0')}`;
  });
}
