/** From files to the index: each file in a transaction of its own, then one dataset version. */
import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { ConcordatError } from '#libs/bytes';
import type { Domain } from '#libs/grid';
import { declaredCategories, type Mapping, type Taxonomy } from '#libs/harmonise';
import { cachedCells } from './cell-cache.js';
import { inTransaction } from './database.js';
import { heldFiles } from './held-files.js';
import { type FileContext, type FileOutcome, type FileStatus, ingestFile } from './ingest-file.js';
import { type FileCounts, sourceCounts, sumCounts } from './report.js';
import { rowKeys } from './row-key.js';
import { fixVersion, versionDigest } from './version.js';

export interface SourceFile {
  readonly path: string;
  /** What the file is known by, its name on disk when left out; a final `.gz` does not count. */
  readonly name?: string;
}

export interface IngestRequest {
  readonly dataset: string;
  readonly files: readonly SourceFile[];
  /** A mapping, or several among which each file's header decides. */
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

const nameOf = (file: SourceFile): string =>
  (file.name ?? basename(file.path)).replace(/\.gz$/i, '');

/** Numbers of category ids in this index, new ones added; independent of any taxonomy's order. */
async function internCategories(
  connection: DuckDBConnection,
  taxonomy: Taxonomy,
): Promise<readonly number[]> {
  const held = await connection.runAndReadAll('SELECT number, id FROM category');
  const numbers = new Map(held.getRows().map(([number, id]) => [String(id), Number(number)]));
  for (const id of taxonomy.categories) {
    if (numbers.has(id)) continue;
    if (numbers.size === 255) {
      throw new ConcordatError('too-many-categories', 'an index has room for 255 categories');
    }
    const number = numbers.size;
    await connection.run('INSERT INTO category VALUES ($number, $id)', { number, id });
    numbers.set(id, number);
  }
  return taxonomy.categories.map((id) => numbers.get(id) ?? 0);
}

/** Ingests the files in the order given. See `Records.ingestFiles`. */
export async function ingestFiles(
  connection: DuckDBConnection,
  secret: Uint8Array,
  request: IngestRequest,
): Promise<IngestReport> {
  const { dataset, files, mapping, taxonomy, categories, nowMs, onProgress } = request;
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(dataset)) {
    throw new ConcordatError(
      'bad-dataset',
      'name a dataset by lower-case letters, digits, hyphens',
    );
  }
  // A declaration that contradicts a mapping is the request's fault, not that of every file.
  for (const offered of [mapping].flat() as Mapping[]) {
    declaredCategories(offered, taxonomy, categories);
  }
  const context: FileContext = {
    connection,
    dataset,
    mapping,
    taxonomy,
    categories,
    nowMs,
    numbers: await inTransaction(connection, () => internCategories(connection, taxonomy)),
    keys: rowKeys(secret),
    cellOf: cachedCells(),
  };
  const outcomes: FileOutcome[] = [];
  for (const [index, file] of files.entries()) {
    const name = nameOf(file);
    const again = outcomes.some((outcome) => outcome.name === name);
    const onRows = (rows: number): void =>
      onProgress?.({ file: name, fileNumber: index + 1, fileCount: files.length, rows });
    outcomes.push(await ingestFile(context, { path: file.path, name, again }, onRows));
  }
  await refreshVersion(connection, secret, request);
  return report(dataset, outcomes, await sourceCounts(connection, dataset));
}

/**
 * Fixes the version when it is not the one of the files held. Until here counts come from the earlier version, whole, also
 * when the process ends between a file and this.
 */
async function refreshVersion(
  connection: DuckDBConnection,
  secret: Uint8Array,
  { dataset, domain }: IngestRequest,
): Promise<void> {
  if ((await heldFiles(connection, dataset)).length === 0) return;
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

function report(
  dataset: string,
  outcomes: readonly FileOutcome[],
  counts: ReadonlyMap<number, FileCounts>,
): IngestReport {
  const sources = new Set<number>();
  const files = outcomes.map(({ name, status, source, fault }): FileReport => {
    if (source !== undefined) sources.add(source);
    const held = source === undefined ? undefined : counts.get(source);
    const file = { name, status, ...sumCounts([held]) };
    return fault ? { ...file, code: fault.code, message: fault.message } : file;
  });
  return { dataset, files, totals: sumCounts([...sources].map((source) => counts.get(source))) };
}
