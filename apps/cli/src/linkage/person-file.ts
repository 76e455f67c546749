import { readFileSync } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import { ConcordatError } from '#libs/bytes';
import { columnName, personReader, type StandardPerson, standardise } from '#libs/linkage';

export interface PersonFile {
  /** One per row, in file order. */
  readonly people: readonly StandardPerson[];
  /** Who each row is about: the number of `rec-<N>`, or the identifier itself. */
  readonly entities: readonly string[];
}

const read = (path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch {
    throw new ConcordatError(
      'unreadable-file',
      'a file could not be read: check its path and permissions',
    );
  }
};

const parseRows = (path: string): Record<string, string>[] => {
  try {
    return parse(read(path), {
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
};

/** Reads people from CSV with a header. Throws `unreadable-file`, `malformed-csv`, `no-id-column`, `no-person-columns`. */
export function readPeople(path: string, idColumn: string): PersonFile {
  const rows = parseRows(path);
  const columns = Object.keys(rows[0] ?? {});
  const id = columnName(idColumn);
  if (!columns.includes(id)) {
    throw new ConcordatError('no-id-column', 'a file is empty or lacks the column given with --id');
  }
  const personOf = personReader(columns);
  const people = rows.map((row) => standardise(personOf(row)));
  const entities = rows.map((row, i) => {
    const text = row[id] ?? '';
    // a row that names nobody is nobody else
    return text === '' ? `${path} ${i}` : (/^rec-(\d+)/.exec(text)?.[1] ?? text);
  });
  return { people, entities };
}
