/**
 * How many people live in an H3 cell, from the public table that ships (`samples/population`), and the floor below which no count of
 * linked people is asked for. Of a cell that the table does not hold nothing is known, and it is refused.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ConcordatError } from '#libs/bytes';
import { cellFromText, parentOf, resolutionFrom, resolutionOf } from '#libs/grid';
import { packageRoot } from '#libs/host';

/** Least residents of a cell that is asked about: those of the smallest middle layer super output area (MSOA) of the ONS. */
export const RESIDENTS_FLOOR = 5_000;

const TABLE = join(packageRoot(import.meta.url), 'samples', 'population', 'residents-res7.csv.gz');
const HEADER = 'cell,residents';
const RESOLUTION = 7;
const COARSEST = 4;

/** Residents by cell, of resolutions 4 to 7. */
export type Residents = ReadonlyMap<bigint, number>;

const malformed = (row: number): ConcordatError =>
  new ConcordatError(
    'malformed-residents',
    `row ${row} of the table of residents is not a cell of resolution ${RESOLUTION}, once, and a whole number`,
  );

function readRow(line: string, row: number): { readonly cell: bigint; readonly count: number } {
  const [, text = '', count = ''] = /^([0-9a-f]{15}),(\d{1,9})$/.exec(line) ?? [];
  try {
    const cell = cellFromText(text);
    if (resolutionOf(cell) === RESOLUTION) return { cell, count: Number(count) };
  } catch {
    // told below
  }
  throw malformed(row);
}

/** Reads the text of a table `cell,residents` of resolution 7. Throws `malformed-residents` with the row. */
export function parseResidents(text: string): Residents {
  const [header, ...rows] = text.trim().split('\n');
  if (header !== HEADER) throw malformed(1);
  const residents = new Map<bigint, number>();
  for (const [i, line] of rows.entries()) {
    const { cell, count } = readRow(line, i + 2);
    if (residents.has(cell)) throw malformed(i + 2);
    for (let resolution = RESOLUTION; resolution >= COARSEST; resolution--) {
      const parent = parentOf(cell, resolutionFrom(resolution));
      residents.set(parent, (residents.get(parent) ?? 0) + count);
    }
  }
  return residents;
}

/** Reads a gzipped table. Throws `unreadable-file`, `malformed-residents`. */
export function loadResidents(path: string): Residents {
  let text: string;
  try {
    text = gunzipSync(readFileSync(path)).toString('utf8');
  } catch (cause) {
    throw new ConcordatError('unreadable-file', 'the table of residents cannot be read', { cause });
  }
  return parseResidents(text);
}

/**
 * Residents of the area of a linked count where it is a cell, undefined for a local authority and for the total, which are areas that are
 * public as they stand. Throws `area-below-floor` for a cell with too few, `area-not-covered` for one that the table does not hold.
 */
export function residentsOfArea(residents: Residents, area: string): number | undefined {
  if (!/^[0-9a-f]{15}$/.test(area)) return undefined;
  const count = residents.get(cellFromText(area));
  if (count === undefined) {
    throw new ConcordatError(
      'area-not-covered',
      'the public table of residents, which covers parts of England alone, does not hold this cell: ask about a local authority',
    );
  }
  if (count >= RESIDENTS_FLOOR) return count;
  throw new ConcordatError(
    'area-below-floor',
    `fewer than ${RESIDENTS_FLOOR} people live in this cell as far as the public table knows: ask about a larger one, or a local authority`,
  );
}

let shipped: Residents | undefined;

/** The same by the table that ships, read when it is first needed; undefined too for a question of no linked count. */
export function residentsAsked(linkage: { readonly area: string } | undefined): number | undefined {
  if (!linkage || linkage.area === 'total') return undefined;
  shipped ??= loadResidents(TABLE);
  return residentsOfArea(shipped, linkage.area);
}
