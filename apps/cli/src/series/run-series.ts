/** Asks what is due of a series, period by period, and keeps what came of it. */
import { z } from 'zod';
import { isConcordatError } from '#libs/bytes';
import { loadSigningKey } from '#libs/keystore';
import { type Category, isWeek } from '#libs/query';
import { ask } from '../ask.js';
import { graphql } from '../graphql-client.js';
import { checkBudget, type DueQuery, dueQueries } from './series-cost.js';
import { readSeriesFile, type Series, type SeriesRun, writeSeriesFile } from './series-file.js';

const Agencies = z.object({
  agencies: z.array(
    z.object({
      id: z.string(),
      categories: z.array(z.string()),
      months: z.array(z.string()),
      weeks: z.array(z.string()),
    }),
  ),
});

/**
 * What is due now. An agency counts when the series asks it and it records one of the categories; one that has never told which
 * months (or, of a weekly series, weeks) it holds is not waited for: the release will say that it is missing.
 */
export async function dueNow(series: Series): Promise<DueQuery[]> {
  const { agencies } = await graphql(
    series.url,
    '{ agencies { id categories months weeks } }',
    {},
    Agencies,
  );
  const asked = new Set<string>(series.queries.flatMap(({ categories }) => categories));
  const offered = agencies
    .filter(({ id }) => series.agencies?.includes(id) ?? true)
    .filter(({ categories }) => categories.some((category) => asked.has(category)))
    .map(({ months, weeks }) => (isWeek(series.first) ? weeks : months))
    .map((periods) => periods.filter((period) => period >= series.first))
    // An agency whose records ended before the series began will never hold a period of it.
    .filter((periods) => periods.length > 0);
  return dueQueries(series, offered);
}

/** One question of one period. A round without a release is an outcome too; only what keeps it from being asked is thrown. */
async function askOne(
  series: Series,
  { period, query }: DueQuery,
  nowMs: () => number,
): Promise<SeriesRun> {
  const { categories, resolution, rho } = series.queries[query] as Series['queries'][number];
  const at = new Date(nowMs()).toISOString();
  try {
    const { release } = await ask(
      series.url,
      { id: series.analyst, key: loadSigningKey(series.key) },
      {
        categories: categories as Category[],
        periods: [period],
        resolution,
        rho,
        purpose: series.purpose,
        ...(series.agencies ? { agencies: series.agencies } : {}),
      },
      { nowMs, onProgress: () => {} },
    );
    return { period, query, at, release, code: null };
  } catch (error) {
    if (!isConcordatError(error) || error.code === 'unreachable') throw error;
    return { period, query, at, release: null, code: error.code };
  }
}

/**
 * Runs everything that is due, oldest first, each kept in the file before the next is asked. A process that ends between an answer and
 * its note asks the same question again, which agencies answer from their logs and at no cost. Throws `series-budget`, `unreachable`.
 */
export async function runDue(
  dir: string,
  name: string,
  options: {
    readonly nowMs: () => number;
    readonly onRun: (run: SeriesRun, left: number) => void;
  },
): Promise<readonly SeriesRun[]> {
  const due = await dueNow(readSeriesFile(dir, name));
  const done: SeriesRun[] = [];
  for (const [i, one] of due.entries()) {
    const series = readSeriesFile(dir, name);
    if (series.stopped) break;
    checkBudget(series, one);
    const run = await askOne(series, one, options.nowMs);
    const kept = series.runs.filter(
      (old) => old.release !== null || old.period !== run.period || old.query !== run.query,
    );
    writeSeriesFile(dir, { ...series, runs: [...kept, run] });
    done.push(run);
    options.onRun(run, due.length - i - 1);
  }
  return done;
}
