import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database, inTransaction, openDatabase } from './database.js';

let dir: string;
let database: Database;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-database-'));
  writeFileSync(join(dir, 'other.csv'), 'a,b\n1,2\n');
  database = await openDatabase(dir);
});
afterEach(() => {
  database.close();
  rmSync(dir, { recursive: true });
});

describe('the database', () => {
  it.each([
    ['reads no file', "SELECT * FROM read_csv('DIR/other.csv')"],
    ['writes no file', "COPY source TO 'DIR/out.csv'"],
    ['opens no other database', "ATTACH 'DIR/other.duckdb'"],
    ['installs no extension', 'INSTALL spatial'],
    ['loads no extension', "LOAD 'DIR/other.duckdb_extension'"],
    ['is not unlocked', 'SET enable_external_access = true'],
    ['changes no setting', 'SET autoload_known_extensions = true'],
  ])('%s', async (_, sql) => {
    for (const connection of [database.writer, database.reader]) {
      await expect(connection.run(sql.replace('DIR', dir))).rejects.toThrow(
        /Permission Error|disabled|Cannot change configuration|locked/,
      );
    }
  });

  it('takes all of a transaction or nothing', async () => {
    const insert = () => database.writer.run("INSERT INTO meta VALUES ('a', 'b')");
    await expect(
      inTransaction(database.writer, async () => {
        await insert();
        throw new Error('stop');
      }),
    ).rejects.toThrow('stop');
    const rows = async () => (await database.reader.runAndReadAll('FROM meta')).getRows().length;
    expect(await rows()).toBe(0);
    await inTransaction(database.writer, insert);
    expect(await rows()).toBe(1);
  });

  it('is open in one process only', async () => {
    const script = `import('@duckdb/node-api')
      .then(({ DuckDBInstance }) => DuckDBInstance.create(process.argv[1]))
      .then(() => process.stdout.write('open'));
      process.stdin.resume();`;
    const elsewhere = join(dir, 'elsewhere');
    mkdirSync(elsewhere);
    const other = spawn(process.execPath, ['-e', script, join(elsewhere, 'records.duckdb')]);
    try {
      await once(other.stdout, 'data');
      await expect(openDatabase(elsewhere)).rejects.toMatchObject({ code: 'records-locked' });
    } finally {
      other.stdin.end();
      await once(other, 'exit');
    }
    (await openDatabase(elsewhere)).close();
  });
});
