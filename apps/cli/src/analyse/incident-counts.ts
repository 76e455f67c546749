/** Counts per month and cell, for one selection of incidents and for all of them. */
import { readFileSync } from 'node:fs';
import { ConcordatError } from '#libs/bytes';
import { cellAt, type Resolution } from '#libs/grid';
import { parseTaxonomy } from '#libs/harmonise';
import type { Incident } from './incident-files.js';
import { packageFile } from './package-file.js';

/** Longest span of months between the first and the last incident. */
const MOST_MONTHS = 1200;
const CATEGORY_COLUMN = 'Crime type';
const EVERYTHING = 'all';

const fold = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll('&', ' and ')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();

export type Selection = (row: Readonly<Record<string, string>>) => boolean;

/**
 * Rows of one category: by the label in the file, or by the id, title or any label that the shipped taxonomy has for it;
 * undefined (every row) for `all`.
 */
export function categorySelection(category: string): Selection | undefined {
  const wanted = fold(category);
  if (wanted === EVERYTHING) return undefined;
  const taxonomy = parseTaxonomy(
    readFileSync(packageFile('policies/taxonomy/common-v1.yaml'), 'utf8'),
  );
  const numbers = new Map([...taxonomy.labels].map(([label, number]) => [fold(label), number]));
  const idOf = (label: string): number | string => numbers.get(label) ?? label;
  const id = idOf(wanted);
  const known = new Map<string, boolean>();
  return (row) => {
    const label = row[CATEGORY_COLUMN] ?? row.category ?? '';
    let match = known.get(label);
    if (match === undefined) {
      match = idOf(fold(label)) === id;
      known.set(label, match);
    }
    return match;
  };
}

/** Rows whose column has one of the values: `column=value` or `column=value|value`. Throws `malformed-predicate`. */
export function predicateSelection(predicate: string): Selection {
  const split = predicate.indexOf('=');
  if (split < 1) {
    throw new ConcordatError(
      'malformed-predicate',
      'a predicate is column=value, or column=value|value',
    );
  }
  const column = predicate.slice(0, split);
  const values = new Set(predicate.slice(split + 1).split('|'));
  return (row) => {
    const value = row[column];
    if (value !== undefined) return values.has(value);
    throw new ConcordatError('unknown-column', 'the predicate names a column no row has');
  };
}

const monthNumber = (month: string): number =>
  12 * Number(month.slice(0, 4)) + Number(month.slice(5)) - 1;

/** Gathers incidents by cell before the area is known: an area may be named by the incidents themselves. */
export class IncidentCounter {
  readonly forces = new Set<string>();
  incidents = 0;
  selected = 0;
  /** Month number to cell to [all, selected]. */
  private readonly months = new Map<number, Map<bigint, [number, number]>>();
  private readonly cells = new Map<string, bigint>();

  constructor(
    private readonly resolution: Resolution,
    private readonly selections: readonly Selection[],
  ) {}

  add({ month, longitude, latitude, row }: Incident): void {
    const cell = this.cellOf(longitude, latitude);
    const number = monthNumber(month);
    const counts = this.months.get(number) ?? new Map<bigint, [number, number]>();
    this.months.set(number, counts);
    const pair = counts.get(cell) ?? [0, 0];
    counts.set(cell, pair);
    const chosen = this.selections.every((selection) => selection(row));
    pair[0]++;
    this.incidents++;
    if (chosen) {
      pair[1]++;
      this.selected++;
    }
    const force = row['Falls within'];
    if (force) this.forces.add(force);
  }

  /** Published points repeat: few thousand places carry all incidents. */
  private cellOf(longitude: number, latitude: number): bigint {
    const key = `${longitude},${latitude}`;
    const known = this.cells.get(key);
    if (known !== undefined) return known;
    const cell = cellAt(latitude, longitude, this.resolution);
    this.cells.set(key, cell);
    return cell;
  }

  /**
   * Counts over ascending `cells`, one vector per month from the first to the last; a month without any incident at all is
   * missing (undefined), not zero. Incidents outside the cells are left out and counted in `outside`.
   */
  vectors(cells: BigUint64Array): {
    selected: (Int32Array | undefined)[];
    all: (Int32Array | undefined)[];
    outside: number;
  } {
    const positions = new Map(Array.from(cells, (cell, i) => [cell, i]));
    const numbers = [...this.months.keys()].sort((a, b) => a - b);
    const first = numbers[0] ?? 0;
    const span = numbers.length === 0 ? 0 : (numbers.at(-1) as number) - first + 1;
    if (span > MOST_MONTHS) {
      throw new ConcordatError('too-many-months', 'the incidents span more than a hundred years');
    }
    const selected: (Int32Array | undefined)[] = new Array(span).fill(undefined);
    const all: (Int32Array | undefined)[] = new Array(span).fill(undefined);
    let outside = 0;
    for (const [number, counts] of this.months) {
      const everything = new Int32Array(cells.length);
      const chosen = new Int32Array(cells.length);
      for (const [cell, [total, part]] of counts) {
        const position = positions.get(cell);
        if (position === undefined) {
          outside += total;
        } else {
          everything[position] = total;
          chosen[position] = part;
        }
      }
      all[number - first] = everything;
      selected[number - first] = chosen;
    }
    return { selected, all, outside };
  }
}
