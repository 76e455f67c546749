import { readFileSync } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import { ConcordatError } from '#libs/bytes';
import {
  type PersonField,
  type PersonRecord,
  type StandardPerson,
  standardise,
} from '#libs/linkage';

/** Column names read for each field, lower case. */
const HEADERS: Readonly<Record<PersonField, readonly string[]>> = {
  forename: ['forename', 'given_name', 'first_name', 'forename1', 'givenname'],
  surname: ['surname', 'last_name', 'family_name', 'lastname'],
  dateOfBirth: ['date_of_birth', 'dob', 'birth_date', 'dateofbirth'],
  houseNumber: ['street_number', 'house_number', 'house'],
  street: ['address_1', 'street', 'address1', 'address'],
  locality: ['address_2', 'locality', 'address2'],
  town: ['suburb', 'town', 'city'],
  region: ['state', 'county', 'region'],
  postcode: ['postcode', 'post_code', 'postal_code'],
  idNumber: ['soc_sec_id', 'nhs_number', 'id_number', 'national_id'],
};
const FIELDS = Object.keys(HEADERS) as PersonField[];

/** The field a column is read for. Throws `unknown-field`. */
export function fieldOfColumn(column: string): PersonField {
  const name = column.trim().toLowerCase();
  const field = FIELDS.find((f) => f.toLowerCase() === name || HEADERS[f].includes(name));
  if (field) return field;
  throw new ConcordatError(
    'unknown-field',
    'name a column that linkage reads, such as soc_sec_id or postcode',
  );
}

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
      columns: (header: string[]) => header.map((name) => name.trim().toLowerCase()),
      skip_empty_lines: true,
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
  const id = idColumn.trim().toLowerCase();
  if (!columns.includes(id)) {
    throw new ConcordatError('no-id-column', 'a file is empty or lacks the column given with --id');
  }
  const sources = FIELDS.flatMap((field) => {
    const column = columns.find((name) => HEADERS[field].includes(name));
    return column === undefined ? [] : [{ field, column }];
  });
  if (sources.length < 2) {
    throw new ConcordatError(
      'no-person-columns',
      'the file has no columns such as given_name, surname, date_of_birth',
    );
  }
  const people = rows.map((row) => {
    const record: PersonRecord = Object.fromEntries(
      sources.map(({ field, column }) => [field, row[column] ?? '']),
    );
    return standardise(record);
  });
  const entities = rows.map((row) => {
    const text = row[id] ?? '';
    return /^rec-(\d+)/.exec(text)?.[1] ?? text;
  });
  return { people, entities };
}
