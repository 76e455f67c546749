/**
 * The bits of an H3 cell index, as two 32-bit words, so that vectors of a million cells are walked without bigints.
 *
 * Layout (H3 "Cell mode", https://h3geo.org/docs/library/index/cell/), from bit 63 down: 1 reserved (0), 4 mode (1),
 * 3 reserved (0), 4 resolution, 7 base cell, 15 digits of 3 bits. Digits finer than the resolution are 7. A child is its
 * parent plus one digit 0..6, so that the ascending order of one resolution keeps the descendants of any cell together.
 * Under the twelve pentagons the first digit that is not 0 is never 1: a pentagon has six children.
 */

const FINEST_RESOLUTION = 15;

/** Where the resolution stands in a whole index. */
export const RESOLUTION_BIT = 52n;
export const RESOLUTION_BITS = 0xfn << RESOLUTION_BIT;

/** The digits finer than `resolution` in a whole index, all 1: unused in a cell of that resolution. */
export const digitsBelow = (resolution: number): bigint =>
  (1n << BigInt(3 * (FINEST_RESOLUTION - resolution))) - 1n;

/** Positions of the words of one `BigUint64Array` element in a `Uint32Array` over the same buffer. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
export const LOW = LITTLE_ENDIAN ? 0 : 1;
export const HIGH = 1 - LOW;

/** The words of `cells`, without a copy. */
export const wordsOf = (cells: BigUint64Array): Uint32Array =>
  new Uint32Array(cells.buffer, cells.byteOffset, 2 * cells.length);

const MODE_CELL = 0x08000000;
const MODE_MASK = 0xff000000;
const RESOLUTION_SHIFT = 20;
const RESOLUTION_MASK = 0x00f00000;
const BASE_CELL_SHIFT = 13;
const BASE_CELLS = 122;
const PENTAGONS = new Set([4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117]);

/** Bits that are 1 in every index of this resolution: the digits finer than it (low word, high word). */
const unusedLow = new Uint32Array(16);
const unusedHigh = new Uint32Array(16);
for (let resolution = 0; resolution <= FINEST_RESOLUTION; resolution++) {
  const bits = digitsBelow(resolution);
  unusedLow[resolution] = Number(bits & 0xffffffffn);
  unusedHigh[resolution] = Number(bits >> 32n);
}

/** Resolution field of the high word. */
export const resolutionOfHigh = (high: number): number =>
  (high & RESOLUTION_MASK) >>> RESOLUTION_SHIFT;

/** High word of the ancestor at `resolution`, which must not be finer than the cell. */
export const ancestorHigh = (high: number, resolution: number): number =>
  ((high & ~RESOLUTION_MASK) |
    (resolution << RESOLUTION_SHIFT) |
    (unusedHigh[resolution] as number)) >>>
  0;

/** Low word of the ancestor at `resolution`. */
export const ancestorLow = (low: number, resolution: number): number =>
  (low | (unusedLow[resolution] as number)) >>> 0;

/** Digit of `resolution` (1..15). */
export function digitOf(high: number, low: number, resolution: number): number {
  const shift = 3 * (FINEST_RESOLUTION - resolution);
  if (shift >= 32) return (high >>> (shift - 32)) & 7;
  // The digit of resolution 5 lies across the two words.
  return shift === 30 ? ((high & 1) << 2) | (low >>> 30) : (low >>> shift) & 7;
}

const baseCellOf = (high: number): number => (high >>> BASE_CELL_SHIFT) & 127;

/** True when the cell lies under one of the twelve pentagon base cells. */
export const hasPentagonBase = (high: number): boolean => PENTAGONS.has(baseCellOf(high));

/** True when the cell is one of the twelve pentagons of its resolution. */
export function isPentagonIndex(high: number, low: number): boolean {
  if (!hasPentagonBase(high)) return false;
  const resolution = resolutionOfHigh(high);
  for (let r = 1; r <= resolution; r++) if (digitOf(high, low, r) !== 0) return false;
  return true;
}

/** True when the two words are a valid H3 cell. */
export function isCellIndex(high: number, low: number): boolean {
  if ((high & MODE_MASK) >>> 0 !== MODE_CELL) return false;
  const baseCell = baseCellOf(high);
  if (baseCell >= BASE_CELLS) return false;
  const resolution = resolutionOfHigh(high);
  if (ancestorLow(low, resolution) !== low || ancestorHigh(high, resolution) !== high) return false;
  let leading = PENTAGONS.has(baseCell);
  for (let r = 1; r <= resolution; r++) {
    const digit = digitOf(high, low, r);
    if (digit === 7 || (leading && digit === 1)) return false;
    if (digit !== 0) leading = false;
  }
  return true;
}
