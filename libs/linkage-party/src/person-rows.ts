import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import { ConcordatError } from '#libs/bytes';
import { columnName } from '#libs/linkage';

/** Names of the columns. An empty one, as behind a last comma, names none. */
function columnsOf(header: readonly string[]): string[] {
  const names = header.map(columnName);
  const named = names.filter((name) => name !== '');
  if (new Set(named).size !== named.length) {
    throw new ConcordatError(
      'repeated-column',
      'the header names a column twice: keep the one that linkage is to read',
    );
  }
  return names;
}

/** A name in another encoding would lose its accented letters, and be another name. */
function assertText(bytes: Buffer): void {
  if (!isUtf8(bytes)) {
    throw new ConcordatError('not-utf8', 'the file is not UTF-8 text: save it as CSV UTF-8');
  }
}

/**
 * Rows of a CSV file of people with a header, by `columnName`. Throws `unreadable-file`, `not-utf8`, `repeated-column`, and `malformed-csv` with
 * csv-parse's code, never a value of the file.
 */
export function readPersonRows(path: string): Readonly<Record<string, string>>[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    throw new ConcordatError(
      'unreadable-file',
      'a file could not be read: check its path and permissions',
    );
  }
  assertText(bytes);
  try {
    return parse(bytes, {
      bom: true,
      columns: columnsOf,
      skip_empty_lines: true,
      relax_quotes: true,
      trim: true,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ConcordatError(
      'malformed-csv',
      `not a CSV file with a header and equal rows (${error.code})`,
    );
  }
}
