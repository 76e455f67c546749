/** A series: the same questions every month or every week, signed by an analyst's machine, within a budget for the year. One file each. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { parseRho } from '#libs/dp';
import { makeFolders, replaceFileSync } from '#libs/host';
import { Code, Digest, Instant, MonthText, Name, WeekText } from '#libs/protocol';
import { CATEGORIES, isWeek } from '#libs/query';

const isRho = (text: string): boolean => {
  try {
    parseRho(text);
    return true;
  } catch {
    return false;
  }
};
const Rho = z.string().refine(isRho, 'an exact rational such as 1/8');

const SeriesQuery = z.strictObject({
  categories: z.array(z.enum(CATEGORIES)).min(1),
  resolution: z.int().min(4).max(9),
  /** Of one run. */
  rho: Rho,
});
export type SeriesQuery = z.infer<typeof SeriesQuery>;

const Period = z.union([MonthText, WeekText]);

/** One question of one period: its release, or why there is none. */
const SeriesRun = z.strictObject({
  period: Period,
  /** Position in `queries`. */
  query: z.int().min(0),
  at: Instant,
  release: Digest.nullable(),
  code: Code.nullable(),
});
export type SeriesRun = z.infer<typeof SeriesRun>;

export const Series = z.strictObject({
  version: z.literal(1),
  name: Name,
  url: z.url(),
  analyst: Name,
  /** Path of the analyst's private key, which stays on this machine. */
  key: z.string().min(1),
  purpose: Name,
  agencies: z.array(Name).min(1).optional(),
  /** First period asked for: a month, or an ISO week of a weekly series. */
  first: Period,
  queries: z.array(SeriesQuery).min(1).max(20),
  /** What the series may spend of each accounting year of the data. */
  rhoPerYear: Rho,
  /** When `series serve` looks for periods that are due: five cron fields in UTC. */
  cron: z.string().min(1),
  stopped: z.boolean(),
  runs: z.array(SeriesRun),
});
export type Series = z.infer<typeof Series>;

const pathOf = (dir: string, name: string): string => join(dir, `${name}.series.json`);

/** Checks what a person gave. Throws `bad-series`. */
export function checkedSeries(value: unknown): Series {
  const parsed = Series.safeParse(value);
  if (!parsed.success) {
    const place = parsed.error.issues[0]?.path.map(String).join('.') || 'document';
    throw new ConcordatError('bad-series', `the series is not well-formed, see its ${place}`);
  }
  const { queries } = parsed.data;
  if (parsed.data.runs.some(({ query }) => query >= queries.length)) {
    throw new ConcordatError(
      'bad-series',
      'a run of the series is of a query that it does not have',
    );
  }
  if (parsed.data.runs.some(({ period }) => isWeek(period) !== isWeek(parsed.data.first))) {
    throw new ConcordatError('bad-series', 'a series is of weeks or of months: see its runs');
  }
  return parsed.data;
}

/** Throws `no-such-series`, `bad-series`. */
export function readSeriesFile(dir: string, name: string): Series {
  const path = pathOf(dir, name);
  if (!Name.safeParse(name).success || !existsSync(path)) {
    throw new ConcordatError(
      'no-such-series',
      `${dir} has no series of this name: concordat series list`,
    );
  }
  try {
    return checkedSeries(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof ConcordatError) throw error;
    throw new ConcordatError('bad-series', `${path} is not JSON`);
  }
}

/** Replaces the file whole. */
export function writeSeriesFile(dir: string, series: Series): void {
  const path = pathOf(dir, series.name);
  replaceFileSync(path, `${JSON.stringify(series, null, 2)}\n`, { mode: 0o600 });
}

/** Makes the file of a new series. Throws `series-exists`. */
export function createSeriesFile(dir: string, series: Series): void {
  makeFolders(dir);
  if (existsSync(pathOf(dir, series.name))) {
    throw new ConcordatError('series-exists', 'there is a series of this name: choose another one');
  }
  writeSeriesFile(dir, series);
}

/** Every series of a folder, by name; none when there is no folder. */
export function listSeries(dir: string): Series[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .flatMap((file) => /^(.+)\.series\.json$/.exec(file)?.[1] ?? [])
    .sort()
    .map((name) => readSeriesFile(dir, name));
}
