/** People that an agency brings to linkage: standardised at the door, in one sealed file of the node's folder. */
import { z } from 'zod';
import {
  bytesToHex,
  ConcordatError,
  canonicalBytes,
  domainDigest,
  parseCanonicalJson,
} from '#libs/bytes';
import { cellAt, cellToText } from '#libs/grid';
import {
  columnName,
  personReader,
  RULES_VERSION,
  type StandardPerson,
  standardise,
} from '#libs/linkage';
import { readPersonRows, type SealedFolder } from '#libs/linkage-party';
import { CATEGORIES, type Category } from '#libs/query';

/** Name of the dataset in policies, ledger and log. */
export const PEOPLE_DATASET = 'people';
const FILE = 'people';
const MONTH = /^\d{4}-(?:0[1-9]|1[0-2])$/;
const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const AUTHORITY = /^[EW]\d{8}$/;
const DEGREES = /^-?\d{1,3}(?:\.\d+)?$/;
const CELL_RESOLUTION = 7;

/** How an agency knows one of its people: one row of its file. */
export interface Encounter {
  /** Position in `people`. */
  readonly person: number;
  readonly category: Category;
  readonly month: string;
  readonly role: string | null;
  readonly authority: string | null;
  /** H3 cell of resolution 7, the finest that is ever asked about. */
  readonly cell: string | null;
}

/** One standardised record for each person, and every way the agency knows them. No reference to a person is kept. */
export interface People {
  readonly people: readonly StandardPerson[];
  readonly encounters: readonly Encounter[];
}

const Stored = z.strictObject({
  rules: z.literal(RULES_VERSION),
  people: z.array(z.record(z.string(), z.string())),
  encounters: z.array(
    z.tuple([
      z.int().min(0),
      z.enum(CATEGORIES),
      z.string().regex(MONTH),
      z.string().nullable(),
      z.string().nullable(),
      // people brought before there were cells have none
      z.string().nullable().optional(),
    ]),
  ),
});

const refuseRow = (row: number, what: string): never => {
  throw new ConcordatError('malformed-people', `row ${row}: ${what}`);
};

/** The cell of a row's `latitude` and `longitude`; of a row with neither there is none. The place itself is not kept. */
function cellOf(row: Readonly<Record<string, string>>, at: number): string | null {
  const { latitude = '', longitude = '' } = row;
  if (latitude === '' && longitude === '') return null;
  if (!DEGREES.test(latitude) || !DEGREES.test(longitude)) {
    return refuseRow(at, 'latitude and longitude are not both decimal degrees');
  }
  try {
    return cellToText(cellAt(Number(latitude), Number(longitude), CELL_RESOLUTION));
  } catch {
    return refuseRow(at, 'latitude and longitude are no place on Earth');
  }
}

/**
 * Reads a CSV of encounters: `person_id` (or `idColumn`), `category` (common name), `month` YYYY-MM, and, where the agency has them, `role`,
 * `local_authority` (ONS code), `latitude` and `longitude` (WGS 84), beside the columns that say who it is. A person's record is the one of their latest month, the last such
 * row. Throws what `readPersonRows` does, `malformed-people` (with the row, never a value), `no-person-columns`.
 */
export function parsePeople(path: string, idColumn: string): People {
  const rows = readPersonRows(path);
  const columns = Object.keys(rows[0] ?? {});
  for (const needed of [columnName(idColumn), 'category', 'month']) {
    if (!columns.includes(needed)) {
      throw new ConcordatError(
        'malformed-people',
        `the file is empty or has no column ${needed === columnName(idColumn) ? 'for --id' : needed}`,
      );
    }
  }
  const recordOf = personReader(columns);
  const positions = new Map<string, number>();
  const people: StandardPerson[] = [];
  const months: string[] = [];
  const encounters = rows.map((row, i): Encounter => {
    const at = i + 2;
    const { category = '', month = '', role = '', local_authority: authority = '' } = row;
    const id = row[columnName(idColumn)] ?? '';
    if (id === '') refuseRow(at, 'says not whom it is about');
    if (!CATEGORIES.includes(category as Category)) refuseRow(at, 'category is not a common one');
    if (!MONTH.test(month)) refuseRow(at, 'month is not YYYY-MM');
    if (role !== '' && !KEBAB.test(role)) refuseRow(at, 'role is not lower-case words and hyphens');
    if (authority !== '' && !AUTHORITY.test(authority)) {
      refuseRow(at, 'local_authority is not a code such as E06000023');
    }
    const person = positions.get(id) ?? people.length;
    positions.set(id, person);
    if (month >= (months[person] ?? '')) {
      people[person] = standardise(recordOf(row));
      months[person] = month;
    }
    return {
      person,
      category: category as Category,
      month,
      role: role || null,
      authority: authority || null,
      cell: cellOf(row, at),
    };
  });
  return { people, encounters };
}

const bytesOf = ({ people, encounters }: People): Uint8Array =>
  canonicalBytes({
    rules: RULES_VERSION,
    people: people.map((person) => ({ ...person })),
    encounters: encounters.map(({ person, category, month, role, authority, cell }) => [
      person,
      category,
      month,
      role,
      authority,
      cell,
    ]),
  });

/** Digest of people keyed by the record secret: equal for equal people at one node, tells nothing else. In hex. */
export const peopleDigest = (people: People, secret: Uint8Array): string =>
  bytesToHex(domainDigest('concordat/linkage-people/v1', secret, bytesOf(people)));

export const writePeople = (folder: SealedFolder, people: People): Promise<void> =>
  folder.write(FILE, bytesOf(people));

/** Undefined where none were brought. Throws `other-rules` when they were standardised by another version. */
export async function readPeople(folder: SealedFolder): Promise<People | undefined> {
  const bytes = await folder.read(FILE);
  if (!bytes) return undefined;
  const parsed = Stored.safeParse(parseCanonicalJson(bytes));
  if (!parsed.success) {
    throw new ConcordatError(
      'other-rules',
      'the people were standardised by another version: bring them again with node people',
    );
  }
  return {
    people: parsed.data.people as unknown as readonly StandardPerson[],
    encounters: parsed.data.encounters.map(
      ([person, category, month, role, authority, cell = null]) => ({
        person,
        category,
        month,
        role,
        authority,
        cell,
      }),
    ),
  };
}

export const erasePeople = (folder: SealedFolder): void => folder.erase(FILE);
