/**
 * The eight key types of a count-only query, what each submits, and the counts two lists give. The components tolerate
 * what they can (a metaphone, a swapped day and month); what they cannot, `overlap.ts` corrects for.
 */
import { type ComponentName, componentOf } from './component.js';
import { type MatchKey, matchKey } from './match-key.js';
import { COUNT_KEYS, type CountKey, type KeyCount, type OverlapCounts } from './overlap-counts.js';
import type { StandardPerson } from './standardise.js';

const FIELD_COMPONENTS: Readonly<Record<string, ComponentName>> = {
  F: 'forename-sound',
  S: 'surname-sound',
  D: 'date-unordered',
  L: 'postcode',
};

/**
 * Years by which the right list's dates are shifted for decoys. Day and month stay, for dates heap (1 January, the first of a month) and
 * strangers meet there; four, so that 29 February stays one, and a slip of the pen by exactly four years is rare.
 */
const DECOY_SHIFT_YEARS = 4;

/** Keys with few enough fields that strangers agree by chance. */
export const DECOYED_KEYS: readonly CountKey[] = ['FD', 'SD', 'DL'];
/** The field in which relatives differ who agree on the key: twins in forename, namesakes of one household in date. */
const RELATIVES_DIFFER: Readonly<Partial<Record<CountKey, string>>> = {
  SD: 'F',
  DL: 'F',
  SDL: 'F',
  FSL: 'D',
};

/** Key types whose relatives are counted. */
export const RELATED_KEYS = Object.keys(RELATIVES_DIFFER) as readonly CountKey[];

/** The match key of a count key. */
export const countMatchKey = (key: CountKey): MatchKey =>
  matchKey([...key].map((field) => FIELD_COMPONENTS[field] as ComponentName));

/** A decoy: the person with another date of birth. A missing date stays missing. */
export function decoyOf(person: StandardPerson): StandardPerson {
  if (person.date === '') return person;
  const { date } = person;
  const time = Date.UTC(
    +date.slice(0, 4) + DECOY_SHIFT_YEARS,
    +date.slice(4, 6) - 1,
    +date.slice(6, 8),
  );
  const moved = new Date(time).toISOString().slice(0, 10).replaceAll('-', '');
  return { ...person, date: moved, dateDigits: moved };
}

/** The four components of one person, each computed once. */
type Fields = Readonly<Record<string, string>>;
const fieldsOfPerson = (person: StandardPerson): Fields =>
  Object.fromEntries(
    Object.entries(FIELD_COMPONENTS).map(([field, name]) => [field, componentOf(name, person)]),
  );

/** The value under a key in the clear, '' where a component is missing. NUL separates: no component holds one. */
function keyValue(key: CountKey, fields: Fields): string {
  let value = '';
  for (const field of key) {
    const part = fields[field] as string;
    if (part === '') return '';
    value += `${part}\0`;
  }
  return value;
}

/** Values that several people of one list share who differ in `field`: counted by the agency on its own people. */
function relativesIn(key: CountKey, field: string, people: readonly Fields[]): number {
  const first = new Map<string, string>();
  const several = new Set<string>();
  for (const person of people) {
    const value = keyValue(key, person);
    const other = person[field] as string;
    if (value === '' || other === '') continue;
    const seen = first.get(value);
    if (seen === undefined) first.set(value, other);
    else if (seen !== other) several.add(value);
  }
  return several.size;
}

/** The same of every key type that needs it, for one list with one record per person. */
export function relativesOf(people: readonly StandardPerson[]): ReadonlyMap<CountKey, number> {
  const fields = people.map(fieldsOfPerson);
  return new Map(
    RELATED_KEYS.map((key) => [key, relativesIn(key, RELATIVES_DIFFER[key] as string, fields)]),
  );
}

const sharedBy = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  let shared = 0;
  for (const value of b) if (a.has(value)) shared++;
  return shared;
};

/** The distinct labels of one list, or of the right list's decoys, under one key. */
export type LabelsOf = (key: CountKey, list: 'left' | 'right' | 'decoys') => ReadonlySet<string>;

/** Counts of all eight key types from labels; one record per person in either list. */
export const overlapCounts = (
  left: readonly StandardPerson[],
  right: readonly StandardPerson[],
  labelsOf: LabelsOf,
): OverlapCounts => countAll(left.map(fieldsOfPerson), right.map(fieldsOfPerson), labelsOf);

function countAll(
  left: readonly Fields[],
  right: readonly Fields[],
  labelsOf: LabelsOf,
): OverlapCounts {
  const count = (key: CountKey): KeyCount => {
    const here = labelsOf(key, 'left');
    const there = labelsOf(key, 'right');
    const field = RELATIVES_DIFFER[key];
    return {
      shared: sharedBy(here, there),
      left: here.size,
      right: there.size,
      decoys: DECOYED_KEYS.includes(key) ? sharedBy(here, labelsOf(key, 'decoys')) : null,
      relatives: field
        ? { left: relativesIn(key, field, left), right: relativesIn(key, field, right) }
        : null,
    };
  };
  return {
    counts: Object.fromEntries(COUNT_KEYS.map((key) => [key, count(key)])),
    noiseVariance: 0,
  };
}

/** The same with the values themselves for labels: equal values, equal labels. For evaluation and simulation. */
export function plainCounts(
  left: readonly StandardPerson[],
  right: readonly StandardPerson[],
): OverlapCounts {
  const lists = {
    left: left.map(fieldsOfPerson),
    right: right.map(fieldsOfPerson),
    decoys: [] as readonly Fields[],
  };
  const date = FIELD_COMPONENTS.D as ComponentName;
  lists.decoys = right.map((person, i) => ({
    ...(lists.right[i] as Fields),
    D: componentOf(date, decoyOf(person)),
  }));
  return countAll(lists.left, lists.right, (key, list) => {
    const values = new Set(lists[list].map((person) => keyValue(key, person)));
    values.delete('');
    return values;
  });
}
