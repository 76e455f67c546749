/**
 * Components: the pieces of a standardised record that match keys are made of. Each tolerates one kind of error: a
 * metaphone a misspelling, a pair of sorted names swapped fields, sorted digits a transposition, a prefix a wrong ending.
 */
import { doubleMetaphone } from 'double-metaphone';
import type { PersonField, StandardPerson } from './standardise.js';

const sortedText = (text: string): string => [...text].sort().join('');
const prefix = (text: string, length: number): string =>
  text.length >= length ? text.slice(0, length) : '';
/** Primary double metaphone (Philips 2000) behind the first letter, which it keeps apart. */
const soundOf = (text: string): string =>
  text === '' ? '' : `${text.charAt(0)}${doubleMetaphone(text)[0]}`;
const both = (a: string, b: string): string => (a === '' || b === '' ? '' : `${a},${b}`);
const sortedPair = (a: string, b: string): string =>
  a === '' || b === '' ? '' : a < b ? `${a},${b}` : `${b},${a}`;
/** Year with day and month in ascending order: a swapped day and month give the same. */
const unorderedDate = (date: string): string =>
  date === '' ? '' : both(date.slice(0, 4), sortedPair(date.slice(4, 6), date.slice(6, 8)));
const skeleton = (text: string): string =>
  text === '' ? '' : `${text.charAt(0)}${text.slice(1).replace(/[aeiouy]|(.)(?=\1)/g, '')}`;

type Part = (person: StandardPerson) => string;

/** Every component by its wire name. Changing one, or adding a rule to it, is a new `RULES_VERSION`. */
const COMPONENTS = {
  forename: (p) => p.forename,
  'forename-sound': (p) => soundOf(p.forename),
  'forename-2': (p) => prefix(p.forename, 2),
  'forename-3': (p) => prefix(p.forename, 3),
  surname: (p) => p.surname,
  'surname-sound': (p) => soundOf(p.surname),
  'surname-2': (p) => prefix(p.surname, 2),
  'surname-3': (p) => prefix(p.surname, 3),
  'names-sorted': (p) => sortedPair(p.forename, p.surname),
  'names-sorted-sound': (p) => sortedPair(soundOf(p.forename), soundOf(p.surname)),
  'names-sorted-2': (p) => sortedPair(prefix(p.forename, 2), prefix(p.surname, 2)),
  date: (p) => p.date,
  'date-unordered': (p) => unorderedDate(p.date),
  'date-digits': (p) => sortedText(p.dateDigits),
  year: (p) => p.dateDigits.slice(0, 4),
  'year-month': (p) => prefix(p.dateDigits, 6),
  'year-day': (p) => both(p.dateDigits.slice(0, 4), p.dateDigits.slice(6, 8)),
  'month-day': (p) => p.dateDigits.slice(4, 8),
  house: (p) => p.houseNumber,
  'house-digits': (p) => sortedText(p.houseNumber),
  street: (p) => p.street,
  'street-skeleton': (p) => skeleton(p.street),
  'street-4': (p) => prefix(p.street, 4),
  locality: (p) => p.locality,
  'locality-4': (p) => prefix(p.locality, 4),
  'places-sorted-4': (p) => sortedPair(prefix(p.street, 4), prefix(p.locality, 4)),
  town: (p) => p.town,
  'town-4': (p) => prefix(p.town, 4),
  postcode: (p) => p.postcode,
  'postcode-sorted': (p) => sortedText(p.postcode),
  sector: (p) => p.sector,
  region: (p) => p.region,
  'id-number': (p) => p.idNumber,
  'id-digits': (p) => sortedText(p.idNumber),
} as const satisfies Record<string, Part>;

export type ComponentName = keyof typeof COMPONENTS;
export const COMPONENT_NAMES = Object.keys(COMPONENTS) as ComponentName[];
export const isComponentName = (name: string): name is ComponentName =>
  Object.hasOwn(COMPONENTS, name);

/** The component of a standardised record, '' where it is missing. */
export const componentOf = (name: ComponentName, person: StandardPerson): string =>
  COMPONENTS[name](person);

/** The record fields a component reads. */
export function fieldsOf(name: ComponentName): readonly PersonField[] {
  if (name.startsWith('names-')) return ['forename', 'surname'];
  if (name.startsWith('forename')) return ['forename'];
  if (name.startsWith('surname')) return ['surname'];
  if (/^(date|year|month)/.test(name)) return ['dateOfBirth'];
  if (name.startsWith('house')) return ['houseNumber'];
  if (name.startsWith('places-')) return ['street', 'locality'];
  if (name.startsWith('postcode') || name === 'sector') return ['postcode'];
  if (name.startsWith('id-')) return ['idNumber'];
  return [name.replace(/-.*$/, '') as PersonField];
}
