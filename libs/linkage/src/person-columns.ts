/** Which column of a table of people holds which field, by the names that files of agencies and of Febrl use. */
import { ConcordatError } from '#libs/bytes';
import { PERSON_FIELDS, type PersonField, type PersonRecord } from './standardise.js';

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

/** A header as it is compared: lower case, no space around it, words joined by underscores. */
export const columnName = (header: string): string =>
  header
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');

/** The field a column is read for. Throws `unknown-field`. */
export function fieldOfColumn(column: string): PersonField {
  const name = columnName(column);
  const field = PERSON_FIELDS.find((f) => f.toLowerCase() === name || HEADERS[f].includes(name));
  if (field) return field;
  throw new ConcordatError(
    'unknown-field',
    'name a column that linkage reads, such as soc_sec_id or postcode',
  );
}

/**
 * Reads the person of a row of a table with these columns (by `columnName`). Throws `no-person-columns` unless at least two fields are
 * there: less says nothing about who somebody is.
 */
export function personReader(
  columns: readonly string[],
): (row: Readonly<Record<string, string>>) => PersonRecord {
  const sources = PERSON_FIELDS.flatMap((field) => {
    const column = columns.find((name) => HEADERS[field].includes(name));
    return column === undefined ? [] : [{ field, column }];
  });
  if (sources.length < 2) {
    throw new ConcordatError(
      'no-person-columns',
      'the file has no columns such as given_name, surname, date_of_birth',
    );
  }
  return (row) =>
    Object.fromEntries(sources.map(({ field, column }) => [field, row[column] ?? '']));
}
