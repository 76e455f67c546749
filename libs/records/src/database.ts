/** The DuckDB file behind the record store: a rebuildable index, locked down, one writer. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { ConcordatError } from '#libs/bytes';

/**
 * `source`: one accepted file each. `incident`: every accepted row; `cell` is 0 where it has no place, `day` (of the month) 0 where
 * its mapping promises none, `person_*` 0 where it names nobody. `kept`: what is counted, rebuilt with the dataset version: duplicates are gone, ranks are fixed; `people_rank`
 * is 0 where the row does not stand for a person.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key VARCHAR, value VARCHAR);
CREATE TABLE IF NOT EXISTS category (number UTINYINT, id VARCHAR);
CREATE SEQUENCE IF NOT EXISTS source_id START 1;
CREATE TABLE IF NOT EXISTS source (
  id INTEGER, dataset VARCHAR, name VARCHAR, content VARCHAR, stored VARCHAR, reading VARCHAR, day INTEGER,
  categories VARCHAR, has_person BOOLEAN, row_count INTEGER, rejected VARCHAR,
  located INTEGER, no_location INTEGER, outside INTEGER, duplicates INTEGER);
CREATE TABLE IF NOT EXISTS incident (
  source INTEGER, row UINTEGER, month USMALLINT, day UTINYINT, category UTINYINT, cell UBIGINT,
  key_high UBIGINT, key_low UBIGINT, person_high UBIGINT, person_low UBIGINT);
CREATE TABLE IF NOT EXISTS dataset (name VARCHAR, version VARCHAR, domain VARCHAR);
CREATE TABLE IF NOT EXISTS kept (
  dataset VARCHAR, source INTEGER, month USMALLINT, day UTINYINT, category UTINYINT, cell UBIGINT,
  rank_in_month UINTEGER, rank_in_year UINTEGER, people_rank UINTEGER);
`;

/** No extension is looked for or loaded, no other file and no host is reached, and none of it can be set back. */
const LOCKED = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
  enable_external_access: 'false',
  lock_configuration: 'true',
};

export interface Database {
  /** For ingest: transactions, one at a time. */
  readonly writer: DuckDBConnection;
  /** For counts: sees what is committed. */
  readonly reader: DuckDBConnection;
  close(): void;
}

/** Opens or makes `dir/records.duckdb`. Throws `records-locked`, `records-unreadable`, `records-outdated`. */
export async function openDatabase(dir: string): Promise<Database> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(join(dir, 'records.duckdb'), LOCKED);
  } catch (cause) {
    const locked = /\block on file\b/i.test(String((cause as Error).message));
    throw locked
      ? new ConcordatError(
          'records-locked',
          'another process has the record index open: stop it first',
          { cause },
        )
      : new ConcordatError(
          'records-unreadable',
          'the record index cannot be opened: move records.duckdb away and ingest again',
          { cause },
        );
  }
  const writer = await instance.connect();
  await writer.run(SCHEMA);
  const kept = await writer.runAndReadAll('SELECT * FROM kept LIMIT 0');
  if (!kept.columnNames().includes('day')) {
    writer.closeSync();
    instance.closeSync();
    throw new ConcordatError(
      'records-outdated',
      'the record index is of an earlier version: move records.duckdb away and ingest again',
    );
  }
  const reader = await instance.connect();
  return {
    writer,
    reader,
    close() {
      reader.closeSync();
      writer.closeSync();
      instance.closeSync();
    },
  };
}

/** What the file system says of a full disk, in DuckDB's own words around it. */
const DISK_FULL = /no space left on device|disk quota exceeded|out of disk space/i;

/** An error of the database, or `disk-full` when that is what stopped it. */
const databaseFault = (error: unknown): unknown =>
  error instanceof Error && DISK_FULL.test(error.message)
    ? new ConcordatError(
        'disk-full',
        'the disk that holds the records is full: free some space and run the same again; what was taken in before is kept',
        { cause: error },
      )
    : error;

/** Runs `work` in one transaction: all of it, or nothing. Throws what `work` throws, and `disk-full`. */
export async function inTransaction<T>(
  connection: DuckDBConnection,
  work: () => Promise<T>,
): Promise<T> {
  await connection.run('BEGIN');
  try {
    const result = await work();
    await connection.run('COMMIT');
    return result;
  } catch (error) {
    // After a fault of its own DuckDB has ended the transaction already; the first error is the one that says why.
    await connection.run('ROLLBACK').catch(() => undefined);
    throw databaseFault(error);
  }
}
