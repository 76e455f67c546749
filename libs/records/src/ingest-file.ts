/** One file into the index, in one transaction: all of it or nothing. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { ConcordatError } from '#libs/bytes';
import { declaredCategories, type Mapping, type Taxonomy } from '#libs/harmonise';
import type { cachedCells } from './cell-cache.js';
import { inTransaction } from './database.js';
import { dropFiles, type HeldFile, heldFiles, isRipe, readingDigest } from './held-files.js';
import { incidentWriter } from './incident-writer.js';
import { fileReader } from './read-file.js';
import type { RowKey, rowKeys } from './row-key.js';
import { readSource, sourceFault, storedDigest } from './source.js';

/**
 * `ingested`: new rows. `revised`: took the place of an earlier file of that name, or of the same file read differently.
 * `unchanged`: this content is held already. `refused`: nothing of it was taken, `code` and `message` say why.
 */
export type FileStatus = 'ingested' | 'revised' | 'unchanged' | 'refused';

export interface FileOutcome {
  readonly name: string;
  readonly status: FileStatus;
  /** The source that now holds the content. */
  readonly source?: number;
  readonly fault?: ConcordatError;
}

export interface FileContext {
  readonly connection: DuckDBConnection;
  readonly dataset: string;
  readonly mapping: Mapping | readonly Mapping[];
  readonly taxonomy: Taxonomy;
  readonly categories: readonly string[] | undefined;
  readonly nowMs: number;
  /** Numbers of the taxonomy's categories in this index. */
  readonly numbers: readonly number[];
  readonly keys: ReturnType<typeof rowKeys>;
  readonly cellOf: ReturnType<typeof cachedCells>;
}

interface IncomingFile {
  readonly path: string;
  readonly name: string;
  /** An earlier file of the same run had this name: a second may repeat its content, but not take its place. */
  readonly again: boolean;
}

const DAY_MS = 86_400_000;

/** Ends a file's transaction without a change: its content is held already. */
class ContentHeld extends Error {
  constructor(readonly source: number) {
    super();
  }
}

/** Faults of the file are the outcome; faults of the index reject. `onRows` hears how many data rows were met so far. */
export async function ingestFile(
  context: FileContext,
  file: IncomingFile,
  onRows: (rows: number) => void,
): Promise<FileOutcome> {
  const { connection, dataset } = context;
  const { path, name } = file;
  const held = await heldFiles(connection, dataset);
  try {
    const offered = [context.mapping].flat() as Mapping[];
    const readings = offered.map((mapping) =>
      readingDigest(mapping, context.taxonomy, context.categories),
    );
    const stored = await storedDigest(path);
    const asBefore = held.find(
      (file) =>
        file.stored === stored && readings.includes(file.reading) && !isRipe(file, today(context)),
    );
    if (asBefore) return await alreadyHeld(connection, held, asBefore.id, file);
    return await inTransaction(connection, async () => {
      const source = await appendFile(context, file, held, onRows);
      // The same content read differently, or another content under the same name, gives way.
      const older = held.filter((other) => other.name === name || other.content === source.content);
      await dropFiles(connection, older);
      return { name, status: older.length > 0 ? 'revised' : 'ingested', source: source.id };
    });
  } catch (error) {
    if (error instanceof ContentHeld)
      return await alreadyHeld(connection, held, error.source, file);
    const fault = sourceFault(error);
    // A full disk is no fault of this file, and the next one would meet it too.
    if (!(fault instanceof ConcordatError) || fault.code === 'disk-full') throw fault;
    return { name, status: 'refused', fault };
  }
}

const today = ({ nowMs }: FileContext): number => Math.floor(nowMs / DAY_MS);

const nameTwice = (): ConcordatError =>
  new ConcordatError('name-twice', 'two files of this name with different content: rename one');

/** Nothing to add: the content is held. Other content that was held under this name still gives way to it. */
async function alreadyHeld(
  connection: DuckDBConnection,
  held: readonly HeldFile[],
  source: number,
  { name, again }: IncomingFile,
): Promise<FileOutcome> {
  const older = held.filter((other) => other.name === name && other.id !== source);
  if (older.length === 0) return { name, status: 'unchanged', source };
  if (again) return { name, status: 'refused', fault: nameTwice() };
  await inTransaction(connection, () => dropFiles(connection, older));
  return { name, status: 'revised', source };
}

/** Reads the file and adds its rows and its entry; throws ContentHeld when there was nothing new in it. */
async function appendFile(
  context: FileContext,
  { path, name, again }: IncomingFile,
  held: readonly HeldFile[],
  onRows: (rows: number) => void,
): Promise<{ id: number; content: string }> {
  const { connection, dataset, mapping, taxonomy, categories, nowMs, numbers, keys, cellOf } =
    context;
  const next = await connection.runAndReadAll("SELECT nextval('source_id')::INTEGER");
  const id = Number(next.getRows()[0]?.[0]);
  const writer = await incidentWriter(connection, id);
  let used: Mapping | undefined;
  const rowsOf = new Map<bigint, number>();
  const keyOf = (
    month: number,
    incident: string,
    row: number,
    person: RowKey | undefined,
  ): RowKey => {
    if (incident !== '') return keys.incident(month, incident);
    if (!person) return { high: 0n, low: (BigInt(id) << 32n) | BigInt(row) };
    // A person's rows are ranked by key, so there even a row without a reference needs a keyed one. Its place in the file would
    // not do: the rows of one person and year, when they go, would then shift the ranks of all others.
    const year = Math.floor(month / 12);
    const personYear = (person.high << 16n) | BigInt(year);
    const n = (rowsOf.get(personYear) ?? 0) + 1;
    rowsOf.set(personYear, n);
    return keys.personRow(name, person, year, n);
  };
  const reader = fileReader(
    { mapping, taxonomy, categories, nowMs },
    (row, number) => {
      const person = row.person === '' ? undefined : keys.person(row.person);
      writer.write({
        row: number,
        month: row.month,
        day: row.day,
        category: numbers[row.category] ?? 0,
        cell: row.located ? cellOf(row.latitude, row.longitude) : 0n,
        key: keyOf(row.month, row.id, number, person),
        person,
      });
    },
    (chosen) => {
      used = chosen;
    },
  );
  let digests: { content: string; stored: string };
  try {
    digests = await readSource(path, (bytes) => {
      reader.push(bytes);
      onRows(reader.rows);
    });
    reader.end();
  } finally {
    writer.close();
  }
  if (!used) throw new ConcordatError('empty-file', 'the file is empty: export it again');
  const reading = readingDigest(used, taxonomy, categories);
  const day = today(context);
  const same = held.find(
    (file) => file.content === digests.content && file.reading === reading && !isRipe(file, day),
  );
  if (same) throw new ContentHeld(same.id);
  if (again) throw nameTwice();
  await connection.run(
    `INSERT INTO source VALUES ($id, $dataset, $name, $content, $stored, $reading, $day, $categories, $hasPerson, $rows,
     $rejected, NULL, NULL, NULL, NULL)`,
    {
      id,
      dataset,
      name,
      ...digests,
      reading,
      day,
      categories: JSON.stringify(declaredCategories(used, taxonomy, categories)),
      hasPerson: used.person !== undefined,
      rows: reader.rows,
      rejected: JSON.stringify(Object.fromEntries([...reader.rejected].sort())),
    },
  );
  return { id, content: digests.content };
}
