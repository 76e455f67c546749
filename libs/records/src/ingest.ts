/** From files to the index: each file in a transaction of its own, then one dataset version. */
import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { ConcordatError, digestOf } from '#libs/bytes';
import type { Domain } from '#libs/grid';
import { declaredCategories, type Mapping, type Rejection, type Taxonomy } from '#libs/harmonise';
import { cachedCells } from './cell-cache.js';
import { inTransaction } from './database.js';
import { incidentWriter } from './incident-writer.js';
import { fileReader } from './read-file.js';
import { type FileCounts, sourceCounts, sumCounts } from './report.js';
import { type RowKey, rowKeys } from './row-key.js';
import { readSource, sourceFault, storedDigest } from './source.js';
import { fixVersion, versionDigest } from './version.js';

export interface SourceFile {
  readonly path: string;
  /** What the file is known by, its name on disk when left out; a final `.gz` does not count. */
  readonly name?: string;
}

export interface IngestRequest {
  readonly dataset: string;
  readonly files: readonly SourceFile[];
  /** A mapping, or those among which each file's header decides. */
  readonly mapping: Mapping | readonly Mapping[];
  readonly taxonomy: Taxonomy;
  /** Narrows the categories that the mapping says such files cover. */
  readonly categories?: readonly string[] | undefined;
  /** The agency's public domain; decides only what the report calls outside. */
  readonly domain: Domain;
  /** The time of the ingest, milliseconds since 1970 UTC: later dates are refused. */
  readonly nowMs: number;
  readonly onProgress?: ((progress: IngestProgress) => void) | undefined;
}

export interface IngestProgress {
  readonly file: string;
  readonly fileNumber: number;
  readonly fileCount: number;
  /** Data rows of this file met so far. */
  readonly rows: number;
}

/**
 * `ingested`: new rows. `revised`: took the place of an earlier file of that name, or of the same file read differently.
 * `unchanged`: this content is held already. `refused`: nothing of it was taken, `code` and `message` say why.
 */
export type FileStatus = 'ingested' | 'revised' | 'unchanged' | 'refused';

export interface FileReport extends FileCounts {
  readonly name: string;
  readonly status: FileStatus;
  readonly code?: string;
  readonly message?: string;
}

export interface IngestReport {
  readonly dataset: string;
  readonly files: readonly FileReport[];
  /** Over the files above, content that stands under two names counted once. */
  readonly totals: FileCounts;
}

const DAY_MS = 86_400_000;

interface Outcome {
  readonly name: string;
  readonly status: FileStatus;
  readonly source?: number;
  readonly fault?: ConcordatError;
}

interface HeldSource {
  readonly id: number;
  readonly name: string;
  readonly content: string;
  readonly stored: string;
  readonly reading: string;
  readonly day: number;
  readonly rejected: string;
}

/** Ends a file's transaction without a change: its content is held already. */
class ContentHeld extends Error {
  constructor(readonly source: number) {
    super();
  }
}

const nameOf = (file: SourceFile): string =>
  (file.name ?? basename(file.path)).replace(/\.gz$/i, '');

async function heldSources(connection: DuckDBConnection, dataset: string): Promise<HeldSource[]> {
  const result = await connection.runAndReadAll(
    'SELECT id, name, content, stored, reading, day, rejected FROM source WHERE dataset = $dataset',
    { dataset },
  );
  return result.getRowObjectsJson() as unknown as HeldSource[];
}

/** A row refused for its future date may be due by now; such a file is read again on a later day. */
const mayHaveRipened = (held: HeldSource, day: number): boolean =>
  day > held.day &&
  (JSON.parse(held.rejected) as object as { 'future-date'?: number })['future-date'] !== undefined;

/** Numbers of category ids in this index, new ones added; independent of any taxonomy's order. */
async function internCategories(
  connection: DuckDBConnection,
  taxonomy: Taxonomy,
): Promise<readonly number[]> {
  const held = await connection.runAndReadAll('SELECT number, id FROM category');
  const numbers = new Map(held.getRows().map(([number, id]) => [String(id), Number(number)]));
  for (const id of taxonomy.categories) {
    if (numbers.has(id)) continue;
    if (numbers.size === 255) throw new ConcordatError('too-many-categories', 'at most 255');
    await connection.run('INSERT INTO category VALUES ($number, $id)', {
      number: numbers.size,
      id,
    });
    numbers.set(id, numbers.size);
  }
  return taxonomy.categories.map((id) => numbers.get(id) ?? 0);
}

/** Ingests the files in the order given. File faults are in the report; only faults of the index itself reject. */
export async function ingestFiles(
  connection: DuckDBConnection,
  secret: Uint8Array,
  request: IngestRequest,
): Promise<IngestReport> {
  const { dataset, taxonomy, categories, mapping } = request;
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(dataset)) {
    throw new ConcordatError(
      'bad-dataset',
      'name a dataset by lower-case letters, digits, hyphens',
    );
  }
  const reading = digestOf('concordat/records/reading/v1', {
    mapping,
    categories: categories ?? null,
    taxonomy: { ...taxonomy, labels: [...taxonomy.labels].sort() },
  });
  const context: FileContext = {
    connection,
    request,
    reading,
    numbers: await internCategories(connection, taxonomy),
    keys: rowKeys(secret),
    cellOf: cachedCells(),
  };
  const outcomes: Outcome[] = [];
  for (const [index, file] of request.files.entries()) {
    const name = nameOf(file);
    if (outcomes.some((outcome) => outcome.name === name)) {
      const fault = new ConcordatError('name-twice', 'two files of this name: rename one of them');
      outcomes.push({ name, status: 'refused', fault });
    } else {
      outcomes.push(await ingestFile(context, file.path, name, index));
    }
  }
  await refreshVersion(connection, secret, request);

  const counts = await sourceCounts(connection, dataset);
  const files = outcomes.map(({ name, status, source, fault }): FileReport => {
    const report = { name, status, ...sumCounts(source === undefined ? [] : [counts.get(source)]) };
    return fault ? { ...report, code: fault.code, message: fault.message } : report;
  });
  const sources = new Set(outcomes.flatMap(({ source }) => (source === undefined ? [] : [source])));
  return { dataset, files, totals: sumCounts([...sources].map((source) => counts.get(source))) };
}

/**
 * Fixes the version when it is not the one of the files held: also after a process that ended between a file and this, for until here
 * counts come from the earlier version, whole.
 */
async function refreshVersion(
  connection: DuckDBConnection,
  secret: Uint8Array,
  { dataset, domain }: IngestRequest,
): Promise<void> {
  if ((await heldSources(connection, dataset)).length === 0) return;
  const fixed = await connection.runAndReadAll(
    'SELECT version, domain FROM dataset WHERE name = $dataset',
    { dataset },
  );
  const [version, domainHash] = fixed.getRows()[0] ?? [];
  const current = await versionDigest(connection, secret, dataset);
  if (version !== current || domainHash !== domain.hash) {
    await inTransaction(connection, () => fixVersion(connection, secret, dataset, domain));
  }
}

interface FileContext {
  readonly connection: DuckDBConnection;
  readonly request: IngestRequest;
  readonly reading: string;
  readonly numbers: readonly number[];
  readonly keys: ReturnType<typeof rowKeys>;
  readonly cellOf: ReturnType<typeof cachedCells>;
}

async function ingestFile(
  context: FileContext,
  path: string,
  name: string,
  index: number,
): Promise<Outcome> {
  const { connection, request, reading } = context;
  const day = Math.floor(request.nowMs / DAY_MS);
  try {
    const held = await heldSources(connection, request.dataset);
    const stored = await storedDigest(path);
    const asBefore = held.find(
      (source) =>
        source.stored === stored && source.reading === reading && !mayHaveRipened(source, day),
    );
    if (asBefore) return await alreadyHeld(connection, held, asBefore.id, name);
    return await inTransaction(connection, async () => {
      const source = await appendFile(context, path, name, index, stored);
      // The same content read differently, or another content under the same name, gives way.
      const older = held.filter((other) => other.name === name || other.content === source.content);
      await dropSources(connection, older);
      return { name, status: older.length > 0 ? 'revised' : 'ingested', source: source.id };
    });
  } catch (error) {
    if (error instanceof ContentHeld) {
      const held = await heldSources(connection, request.dataset);
      return alreadyHeld(connection, held, error.source, name);
    }
    const fault = sourceFault(error);
    if (!(fault instanceof ConcordatError)) throw fault;
    return { name, status: 'refused', fault };
  }
}

/** Nothing to add: the content is held. Other content that was held under this name still gives way to it. */
async function alreadyHeld(
  connection: DuckDBConnection,
  held: readonly HeldSource[],
  source: number,
  name: string,
): Promise<Outcome> {
  const older = held.filter((other) => other.name === name && other.id !== source);
  if (older.length === 0) return { name, status: 'unchanged', source };
  await inTransaction(connection, () => dropSources(connection, older));
  return { name, status: 'revised', source };
}

async function dropSources(
  connection: DuckDBConnection,
  sources: readonly HeldSource[],
): Promise<void> {
  for (const { id } of sources) {
    await connection.run('DELETE FROM incident WHERE source = $id', { id });
    await connection.run('DELETE FROM source WHERE id = $id', { id });
  }
}

async function appendFile(
  context: FileContext,
  path: string,
  name: string,
  index: number,
  stored: string,
): Promise<{ id: number; content: string }> {
  const { connection, request, reading, numbers, keys, cellOf } = context;
  const { dataset, taxonomy, categories, files, nowMs, onProgress } = request;
  const next = await connection.runAndReadAll("SELECT nextval('source_id')::INTEGER");
  const id = Number(next.getRows()[0]?.[0]);
  const writer = await incidentWriter(connection, id);
  let used: Mapping | undefined;
  let hasPerson = false;
  const keyOf = (month: number, incident: string, row: number): RowKey => {
    if (incident !== '') return keys.incident(month, incident);
    return hasPerson ? keys.row(name, row) : { high: 0n, low: (BigInt(id) << 32n) | BigInt(row) };
  };
  const reader = fileReader(
    { mapping: request.mapping, taxonomy, categories, nowMs },
    (row, number) =>
      writer.write({
        row: number,
        month: row.month,
        category: numbers[row.category] ?? 0,
        cell: row.located ? cellOf(row.latitude, row.longitude) : 0n,
        key: keyOf(row.month, row.id, number),
        person: row.person === '' ? undefined : keys.person(row.person),
      }),
    (mapping) => {
      used = mapping;
      hasPerson = mapping.person !== undefined;
    },
  );
  let content: string;
  try {
    content = await readSource(path, (bytes) => {
      reader.push(bytes);
      onProgress?.({
        file: name,
        fileNumber: index + 1,
        fileCount: files.length,
        rows: reader.rows,
      });
    });
    reader.end();
  } finally {
    writer.close();
  }
  const day = Math.floor(nowMs / DAY_MS);
  const held = (await heldSources(connection, dataset)).find(
    (source) => source.content === content && source.reading === reading,
  );
  if (held && !mayHaveRipened(held, day)) throw new ContentHeld(held.id);
  if (!used) throw new ConcordatError('empty-file', 'the file is empty: export it again');
  await connection.run(
    `INSERT INTO source VALUES ($id, $dataset, $name, $content, $stored, $reading, $day, $categories, $hasPerson, $rows, $rejected,
     NULL, NULL, NULL, NULL)`,
    {
      id,
      dataset,
      name,
      content,
      stored,
      reading,
      day,
      categories: JSON.stringify(declaredCategories(used, taxonomy, categories)),
      hasPerson,
      rows: reader.rows,
      rejected: JSON.stringify(
        Object.fromEntries([...reader.rejected].sort()) as Partial<Record<Rejection, number>>,
      ),
    },
  );
  return { id, content };
}
