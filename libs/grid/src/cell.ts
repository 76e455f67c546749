import {
  cellToBoundary as h3Boundary,
  latLngToCell as h3CellAt,
  cellToLatLng as h3Centre,
} from 'h3-js';
import { ConcordatError } from '#libs/bytes';
import {
  digitsBelow,
  isCellIndex,
  isPentagonIndex,
  RESOLUTION_BIT,
  RESOLUTION_BITS,
  resolutionOfHigh,
} from './cell-index.js';

/** H3 resolution: 0 (4.4 million km2 a cell) to 15 (0.9 m2); 9 is about 0.1 km2, 4 about 1,770 km2. */
export type Resolution = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;

const highOf = (cell: bigint): number => Number(cell >> 32n);
const lowOf = (cell: bigint): number => Number(cell & 0xffffffffn);

/** True when `value` is the index of an H3 cell (not of an edge or a vertex). */
export const isCell = (value: bigint): boolean =>
  value >= 0n && value < 1n << 64n && isCellIndex(highOf(value), lowOf(value));

/** Resolution of a valid cell. */
export const resolutionOf = (cell: bigint): Resolution =>
  resolutionOfHigh(highOf(cell)) as Resolution;

/** Checks a number from outside; throws `invalid-resolution`. */
export function resolutionFrom(value: number): Resolution {
  if (!Number.isInteger(value) || value < 0 || value > 15) {
    throw new ConcordatError('invalid-resolution', 'a resolution is a whole number from 0 to 15');
  }
  return value as Resolution;
}

/** 15 lower-case hexadecimal digits. */
export const cellToText = (cell: bigint): string => cell.toString(16).padStart(15, '0');

/** Inverse of `cellToText`; anything but 15 lower-case hexadecimal digits of a valid cell is `invalid-cell`. */
export function cellFromText(text: string): bigint {
  if (/^[0-9a-f]{15}$/.test(text)) {
    const cell = BigInt(`0x${text}`);
    if (isCell(cell)) return cell;
  }
  throw new ConcordatError(
    'invalid-cell',
    'not an H3 cell: write the index as 15 lower-case hexadecimal digits',
  );
}

/**
 * Cell that holds a point given in WGS 84 degrees. Throws `invalid-coordinate` for what is no place on Earth: NaN,
 * |latitude| > 90, |longitude| > 180.
 */
export function cellAt(latitude: number, longitude: number, resolution: Resolution): bigint {
  if (!(Math.abs(latitude) <= 90) || !(Math.abs(longitude) <= 180)) {
    throw new ConcordatError(
      'invalid-coordinate',
      'latitude must lie in -90..90 and longitude in -180..180 degrees',
    );
  }
  return BigInt(`0x${h3CellAt(latitude, longitude, resolution)}`);
}

/** Ancestor of a cell; the cell itself at its own resolution. Throws `finer-than-cell` for a finer one. */
export function parentOf(cell: bigint, resolution: Resolution): bigint {
  if (resolution > resolutionOf(cell)) {
    throw new ConcordatError('finer-than-cell', 'a parent is not finer than its cell');
  }
  const place = BigInt(resolution) << RESOLUTION_BIT;
  return (cell & ~RESOLUTION_BITS) | place | digitsBelow(resolution);
}

/** The seven (under a pentagon six) children of a cell one resolution finer, ascending. Throws `no-children` at 15. */
export function childrenOf(cell: bigint): BigUint64Array {
  const resolution = resolutionOf(cell);
  if (resolution === 15) throw new ConcordatError('no-children', 'resolution 15 is the finest');
  const shift = BigInt(3 * (14 - resolution));
  const first = (cell + (1n << RESOLUTION_BIT)) & ~(7n << shift);
  const pentagon = isPentagonIndex(highOf(cell), lowOf(cell));
  const digits = pentagon ? [0n, 2n, 3n, 4n, 5n, 6n] : [0n, 1n, 2n, 3n, 4n, 5n, 6n];
  return BigUint64Array.from(digits, (digit) => first | (digit << shift));
}

/** Outline as a closed GeoJSON ring: [longitude, latitude] in degrees, anticlockwise, first position repeated last. */
export const cellBoundary = (cell: bigint): [number, number][] =>
  h3Boundary(cellToText(cell), true) as [number, number][];

/** Centre in WGS 84 degrees. */
export function cellCentre(cell: bigint): { latitude: number; longitude: number } {
  const [latitude, longitude] = h3Centre(cellToText(cell));
  return { latitude, longitude };
}
