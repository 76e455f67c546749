/**
 * Deprivation of places, from a public file: `cell,quintile,people` with resolution-9 cells ascending, quintile 1 (most deprived) to
 * 5 (least), and people as a share of the neighbourhoods (LSOAs, about 1,600 residents each) that lie in the cell. A cell that
 * the file does not have is of quintile 0, unknown.
 */
import { ConcordatError, fromUtf8 } from '#libs/bytes';
import { cellFromText, parentOf, type Resolution, resolutionOf } from '#libs/grid';

const HEADER = 'cell,quintile,people';
const LINE = /^([0-9a-f]{15}),([1-5]),(\d{1,6}(?:\.\d{1,6})?)$/;
const FINEST = 9;
const QUINTILES = 6;

export interface Deprivation {
  /** Quintile of each cell; 0 unknown. */
  readonly quintiles: Uint8Array;
  /** Neighbourhoods in each cell. */
  readonly people: Float64Array;
}

interface DeprivationFile {
  readonly cells: BigUint64Array;
  readonly quintiles: Uint8Array;
  readonly people: Float64Array;
}

const malformed = (): ConcordatError =>
  new ConcordatError(
    'malformed-deprivation',
    `the deprivation file is not CSV with ${HEADER} and ascending resolution-9 cells`,
  );

function parseFile(bytes: Uint8Array): DeprivationFile {
  const lines = fromUtf8(bytes).split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.shift() !== HEADER) throw malformed();
  const cells = new BigUint64Array(lines.length);
  const quintiles = new Uint8Array(lines.length);
  const people = new Float64Array(lines.length);
  lines.forEach((line, i) => {
    const match = LINE.exec(line);
    if (!match) throw malformed();
    const cell = cellFromText(match[1] as string);
    if (resolutionOf(cell) !== FINEST || (i > 0 && cell <= (cells[i - 1] as bigint))) {
      throw malformed();
    }
    cells[i] = cell;
    quintiles[i] = Number(match[2]);
    people[i] = Number(match[3]);
  });
  return { cells, quintiles, people };
}

/**
 * Quintile and people of every cell of an ascending vector of one resolution, 9 or coarser. A coarse cell has the quintile that
 * most of its people have; the more deprived of two. Throws `malformed-deprivation`.
 */
export function deprivationOf(
  bytes: Uint8Array,
  cells: BigUint64Array,
  resolution: Resolution,
): Deprivation {
  const file = parseFile(bytes);
  const place = new Map<bigint, number>();
  cells.forEach((cell, i) => void place.set(cell, i));
  const sums = new Float64Array(QUINTILES * cells.length);
  for (let i = 0; i < file.cells.length; i++) {
    const at = place.get(parentOf(file.cells[i] as bigint, resolution));
    if (at === undefined) continue;
    const slot = QUINTILES * at + (file.quintiles[i] as number);
    sums[slot] = (sums[slot] as number) + (file.people[i] as number);
  }
  const quintiles = new Uint8Array(cells.length);
  const people = new Float64Array(cells.length);
  for (let at = 0; at < cells.length; at++) {
    let most = 0;
    for (let quintile = 1; quintile < QUINTILES; quintile++) {
      const held = sums[QUINTILES * at + quintile] as number;
      people[at] = (people[at] as number) + held;
      if (held > most) {
        most = held;
        quintiles[at] = quintile;
      }
    }
  }
  return { quintiles, people };
}
