import { ConcordatError } from '#libs/bytes';
import { foldColumn, type Mapping } from './mapping.js';
import type { Month } from './month.js';
import { parseDegrees, positionFault } from './position.js';
import type { Rejection } from './rejection.js';
import { categoryNumbers, foldLabel, type Taxonomy } from './taxonomy.js';
import { timeReader } from './time-format.js';

/** A row in common terms. `id` and `person` are '' where the file has none. */
export interface MappedRow {
  readonly rejected: undefined;
  /** Number of the category in the taxonomy. */
  readonly category: number;
  readonly month: Month;
  /** Day of the month; 0 where the mapping does not say that the day is that of the incident. */
  readonly day: number;
  /** False when both coordinates are blank; latitude and longitude are then 0. */
  readonly located: boolean;
  readonly latitude: number;
  readonly longitude: number;
  readonly id: string;
  readonly person: string;
}

export interface RejectedRow {
  readonly rejected: Rejection;
}

export type RowMapper = (fields: readonly string[]) => MappedRow | RejectedRow;

export interface RowMapperOptions {
  readonly header: readonly string[];
  /** Milliseconds since 1970 UTC; later dates are refused. */
  readonly nowMs: number;
  /** Narrows what the dataset declares; the mapping's own declaration when left out. */
  readonly categories?: readonly string[] | undefined;
}

/** The category ids a dataset covers: what it declares itself, else its mapping, else the whole taxonomy. */
export function declaredCategories(
  mapping: Mapping,
  taxonomy: Taxonomy,
  narrowed?: readonly string[],
): string[] {
  const offered =
    'constant' in mapping.category
      ? [mapping.category.constant]
      : (mapping.categories ?? taxonomy.categories);
  if (narrowed?.some((id) => !offered.includes(id))) {
    throw new ConcordatError(
      'undeclared-category',
      `a category is declared that mapping ${mapping.mapping} cannot give`,
    );
  }
  return categoryNumbers(taxonomy, narrowed ?? offered).map((n) => taxonomy.categories[n] ?? '');
}

/** Where the wanted column stands in the header. Throws `missing-column` and `duplicate-column`. */
export function columnIndex(header: readonly string[], name: string): number {
  const folded = header.map(foldColumn);
  const index = folded.indexOf(foldColumn(name));
  if (index < 0) {
    throw new ConcordatError(
      'missing-column',
      `the header has no column "${name}": correct the mapping or the file`,
    );
  }
  if (folded.lastIndexOf(foldColumn(name)) !== index) {
    throw new ConcordatError(
      'duplicate-column',
      `the header has the column "${name}" more than once: rename one of them`,
    );
  }
  return index;
}

/**
 * Remembers answers for texts seen before: dates and labels repeat on nearly every row. Bounded, since a kept text may
 * keep the chunk of the file that it was cut from.
 */
function remembered<T>(answer: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const now = answer(text);
    if (known.size < 512) known.set(text, now);
    return now;
  };
}

const rejections = new Map<Rejection, RejectedRow>();
const reject = (reason: Rejection): RejectedRow => {
  const row = rejections.get(reason) ?? { rejected: reason };
  rejections.set(reason, row);
  return row;
};

/**
 * Compiles a mapping for one file's header into a function from raw fields to a row in common terms or a reason. Throws
 * `missing-column`, `duplicate-column`, `unknown-category`, `undeclared-category`.
 */
export function compileMapping(
  mapping: Mapping,
  taxonomy: Taxonomy,
  { header, nowMs, categories }: RowMapperOptions,
): RowMapper {
  const at = (name: string): number => columnIndex(header, name);
  const width = header.length;
  const idAt = mapping.id === undefined ? -1 : at(mapping.id);
  const personAt = mapping.person === undefined ? -1 : at(mapping.person);
  const timeAt = at(mapping.time.column);
  const longitudeAt = at(mapping.location.longitude);
  const latitudeAt = at(mapping.location.latitude);
  const categoryAt = 'column' in mapping.category ? at(mapping.category.column) : -1;
  const declared = categoryNumbers(taxonomy, declaredCategories(mapping, taxonomy, categories));
  const constant = categoryAt < 0 ? (declared[0] ?? -1) : -1;

  const hasDays = mapping.time.precision === 'day';
  const readTime = remembered(timeReader(mapping.time.formats, nowMs));
  const readCategory = remembered((label): number | Rejection => {
    if (label === '') return 'missing-category';
    const number = taxonomy.labels.get(foldLabel(label));
    if (number === undefined) return 'unknown-category';
    return declared.includes(number) ? number : 'undeclared-category';
  });
  const field = (fields: readonly string[], index: number): string =>
    index < 0 ? '' : (fields[index] ?? '').trim();

  return (fields) => {
    if (fields.length < width) return reject('too-few-fields');
    if (fields.length > width) return reject('too-many-fields');

    const category = categoryAt < 0 ? constant : readCategory(field(fields, categoryAt));
    if (typeof category === 'string') return reject(category);

    const time = field(fields, timeAt);
    if (time === '') return reject('missing-date');
    const date = readTime(time);
    if (typeof date === 'string') return reject(date);
    const { month } = date;
    const day = hasDays ? date.day : 0;

    const id = field(fields, idAt);
    const person = field(fields, personAt);
    const latitudeText = field(fields, latitudeAt);
    const longitudeText = field(fields, longitudeAt);
    if (latitudeText === '' && longitudeText === '') {
      return {
        rejected: undefined,
        category,
        month,
        day,
        located: false,
        latitude: 0,
        longitude: 0,
        id,
        person,
      };
    }
    const latitude = parseDegrees(latitudeText);
    const longitude = parseDegrees(longitudeText);
    const fault = positionFault(latitude, longitude);
    if (fault) return reject(fault);
    return {
      rejected: undefined,
      category,
      month,
      day,
      located: true,
      latitude,
      longitude,
      id,
      person,
    };
  };
}
