import { ConcordatError } from '#libs/bytes';
import { columnName, personReader, type StandardPerson, standardise } from '#libs/linkage';
import { readPersonRows } from '#libs/linkage-party';

export interface PersonFile {
  /** One per row, in file order. */
  readonly people: readonly StandardPerson[];
  /** Who each row is about: the number of `rec-<N>`, or the identifier itself. */
  readonly entities: readonly string[];
}

/** Reads people from CSV with a header. Throws what `readPersonRows` does, `no-id-column`, `no-person-columns`. */
export function readPeople(path: string, idColumn: string): PersonFile {
  const rows = readPersonRows(path);
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
