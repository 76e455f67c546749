import { readFileSync } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import { ConcordatError } from '#libs/bytes';
import { columnName } from '#libs/linkage';

/**
 * Rows of a CSV file of people with a header, by `columnName`. Throws `unreadable-file`, and `malformed-csv` with csv-parse's code, never
 * a value of the file.
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
  try {
    return parse(bytes, {
      bom: true,
      columns: (header: string[]) => header.map(columnName),
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
