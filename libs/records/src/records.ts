import { createHmac } from 'node:crypto';
import { ConcordatError } from '#libs/bytes';
import type { ExactCounts } from '#libs/dp';
import { formatMonth } from '#libs/harmonise';
import { daysOf, monthsOf, weeksWithin } from '#libs/query';
import { type CountRequest, countCells } from './count.js';
import { type Database, openDatabase } from './database.js';
import { type IngestReport, type IngestRequest, ingestFiles } from './ingest.js';
import { type FileCounts, sourceCounts, sumCounts } from './report.js';

export interface DatasetVersion {
  /** 64 hex digits, keyed with the store's secret: names the data, tells nothing of it. */
  readonly digest: string;
  /** Months with at least one accepted row, ascending, `YYYY-MM`. Treated as public. */
  readonly months: readonly string[];
  /**
   * ISO weeks `YYYY-Www`, ascending, that lie whole between the first and the last recorded day, in months that are held and of which every
   * row names its day; none for a dataset of months. Treated as public, as the months are.
   */
  readonly weeks: readonly string[];
  /** Categories that the files are declared to cover, whether or not a row has them. */
  readonly categories: readonly string[];
  readonly unit: 'incident' | 'person';
}

/** The operator's local view of a dataset; never part of an answer. */
export interface Summary extends FileCounts {
  /** Categories with at least one row kept. */
  readonly categories: readonly string[];
}

export interface RecordsOptions {
  /** Folder of the index; made when missing. */
  readonly dir: string;
  /** 32 bytes that never leave the node; keys row identities and versions. */
  readonly secret: Uint8Array;
}

/**
 * An agency's record store. Its face has files going in and counts coming out; there is no way to read a row. Calls may
 * overlap: ingests queue, a count sees the last whole version.
 */
export interface Records {
  /**
   * Takes files in, each whole or not at all. Content held already changes nothing; other content under a held name takes
   * its place. Faults of a file are in the report. Throws `bad-dataset`, `unknown-category`, `undeclared-category`.
   */
  ingestFiles(request: IngestRequest): Promise<IngestReport>;
  /** Throws `unknown-dataset`. */
  version(dataset: string): Promise<DatasetVersion>;
  /**
   * Counts per group and leaf, row-major: groups x leaves. Rows without a place or outside the leaves are in none. Throws
   * `unknown-dataset`, `version-changed`, `unsorted-cells`, `malformed-month`, `malformed-period`, `days-not-held`; where the unit is the
   * person `missing-bounds`, `unbounded-window`; for the people of a dataset that names none `measure-not-held`.
   */
  count(request: CountRequest): Promise<ExactCounts>;
  /** The operator's local view over all files held. Throws `unknown-dataset`. */
  summary(dataset: string): Promise<Summary>;
  /** Waits for running calls and closes the file. */
  close(): Promise<void>;
}

/** Opens the store in `dir`. Throws `bad-secret`, `wrong-secret`, and what `openDatabase` throws. */
export async function openRecords({ dir, secret }: RecordsOptions): Promise<Records> {
  if (secret.length !== 32) throw new ConcordatError('bad-secret', 'the secret is 32 bytes');
  const database = await openDatabase(dir);
  try {
    await checkSecret(database, secret);
  } catch (error) {
    database.close();
    throw error;
  }
  let queue: Promise<unknown> = Promise.resolve();
  const reading = new Set<Promise<unknown>>();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  const atOnce = <T>(work: Promise<T>): Promise<T> => {
    reading.add(work);
    const done = (): boolean => reading.delete(work);
    work.then(done, done);
    return work;
  };
  return {
    ingestFiles: (request) => inTurn(() => ingestFiles(database.writer, secret, request)),
    version: (dataset) => atOnce(readVersion(database, dataset)),
    count: (request) => atOnce(countVersion(database, request)),
    summary: (dataset) => atOnce(summarise(database, dataset)),
    close: () =>
      inTurn(async () => {
        await Promise.allSettled(reading);
        database.close();
      }),
  };
}

/** Counts that belong to one version, whatever is ingested meanwhile. */
async function countVersion(database: Database, request: CountRequest): Promise<ExactCounts> {
  const before = await readVersion(database, request.dataset);
  const counts = await countCells(database.reader, request, before.unit === 'person');
  const { digest } = await readVersion(database, request.dataset);
  if (digest !== before.digest || digest !== (request.version ?? digest)) {
    throw new ConcordatError('version-changed', 'the data changed meanwhile: ask again');
  }
  return counts;
}

async function summarise(database: Database, dataset: string): Promise<Summary> {
  await readVersion(database, dataset);
  const recorded = await database.reader.runAndReadAll(
    'SELECT DISTINCT id FROM kept JOIN category ON kept.category = category.number WHERE dataset = $dataset ORDER BY id',
    { dataset },
  );
  return {
    ...sumCounts([...(await sourceCounts(database.reader, dataset)).values()]),
    categories: recorded.getRows().map(([id]) => String(id)),
  };
}

/** An index made under another secret would take every known row for a new one. */
async function checkSecret({ writer }: Database, secret: Uint8Array): Promise<void> {
  const mark = createHmac('sha256', secret).update('concordat/records/secret/v1').digest('hex');
  const held = await writer.runAndReadAll("SELECT value FROM meta WHERE key = 'secret'");
  const before = held.getRows()[0]?.[0];
  if (before === undefined) {
    await writer.run("INSERT INTO meta VALUES ('secret', $mark)", { mark });
  } else if (before !== mark) {
    throw new ConcordatError(
      'wrong-secret',
      'the index was made with another secret: restore it, or move records.duckdb away and ingest again',
    );
  }
}

interface HeldMonth {
  readonly month: string;
  /** Day of its first and of its last row; 0 where a row names none. */
  readonly firstDay: number;
  readonly lastDay: number;
}

function weeksHeld(months: readonly HeldMonth[]): readonly string[] {
  const dated = new Set(months.filter(({ firstDay }) => firstDay > 0).map(({ month }) => month));
  const [first, last] = [months[0], months.at(-1)];
  if (!first || !last || last.lastDay === 0) return [];
  const from = daysOf(first.month).firstDay + Math.max(0, first.firstDay - 1);
  const to = daysOf(last.month).firstDay + last.lastDay - 1;
  return weeksWithin(from, to).filter((week) => monthsOf(week).every((month) => dated.has(month)));
}

async function readVersion({ reader }: Database, dataset: string): Promise<DatasetVersion> {
  const fixed = await reader.runAndReadAll('SELECT version FROM dataset WHERE name = $dataset', {
    dataset,
  });
  const digest = fixed.getRows()[0]?.[0];
  if (typeof digest !== 'string') {
    throw new ConcordatError('unknown-dataset', 'no file of this dataset was ingested yet');
  }
  const months = await reader.runAndReadAll(
    'SELECT month, min(day), max(day) FROM kept WHERE dataset = $dataset GROUP BY month ORDER BY month',
    { dataset },
  );
  const held = months.getRows().map(([month, firstDay, lastDay]) => ({
    month: formatMonth(Number(month)),
    firstDay: Number(firstDay),
    lastDay: Number(lastDay),
  }));
  const sources = await reader.runAndReadAll(
    'SELECT DISTINCT categories, has_person FROM source WHERE dataset = $dataset',
    { dataset },
  );
  const declared = sources
    .getRows()
    .map(([categories]) => JSON.parse(String(categories)) as string[]);
  return {
    digest,
    months: held.map(({ month }) => month),
    weeks: weeksHeld(held),
    categories: [...new Set(declared.flat())].sort(),
    unit: sources.getRows().every(([, hasPerson]) => hasPerson === true) ? 'person' : 'incident',
  };
}
