import { ConcordatError } from '#libs/bytes';
import { parentOf, type Resolution, resolutionOf } from './cell.js';
import {
  ancestorHigh,
  ancestorLow,
  digitsBelow,
  HIGH,
  isPentagonIndex,
  LOW,
  RESOLUTION_BIT,
  RESOLUTION_BITS,
  resolutionOfHigh,
  wordsOf,
} from './cell-index.js';

/** Digits of all 7^depth descendants, ascending, as numbers to be added to the first descendant. */
const offsetsByDepth: BigUint64Array[] = [BigUint64Array.of(0n)];
function offsets(depth: number): BigUint64Array {
  for (let d = offsetsByDepth.length; d <= depth; d++) {
    const finer = offsetsByDepth[d - 1] as BigUint64Array;
    const all = new BigUint64Array(7 * finer.length);
    for (let digit = 0; digit < 7; digit++) {
      const top = BigInt(digit) << BigInt(3 * (d - 1));
      for (let i = 0; i < finer.length; i++) all[digit * finer.length + i] = top + (finer[i] ?? 0n);
    }
    offsetsByDepth.push(all);
  }
  return offsetsByDepth[depth] as BigUint64Array;
}

/** First descendant of `cell` at `resolution`: all finer digits 0. */
const firstDescendant = (cell: bigint, resolution: number): bigint => {
  const kept = cell & ~RESOLUTION_BITS & ~digitsBelow(resolutionOf(cell));
  return kept | (BigInt(resolution) << RESOLUTION_BIT) | digitsBelow(resolution);
};

/** Cells under `cell` at `depth` levels finer: 7^depth, under a pentagon 1 + 5 (7^depth - 1) / 6. */
const descendantsOf = (cell: bigint, depth: number): number => {
  const all = 7 ** depth;
  const pentagon = isPentagonIndex(Number(cell >> 32n), Number(cell & 0xffffffffn));
  return pentagon ? 1 + (5 * (all - 1)) / 6 : all;
};

/** Most cells one vector may hold: 16 million are 128 MB. A short list of coarse cells must not exhaust memory. */
const MOST_CELLS = 1 << 24;

/**
 * All cells of `resolution` under the given valid cells of any coarser or equal resolutions, ascending. Throws
 * `overlapping-cells` when two of them share a descendant, `finer-than-domain` for a cell finer than `resolution`,
 * `too-many-cells` beyond 16 million.
 */
export function decompact(cells: BigUint64Array, resolution: number): BigUint64Array {
  const starts = new BigUint64Array(cells.length);
  let length = 0;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as bigint;
    const depth = resolution - resolutionOf(cell);
    if (depth < 0) {
      throw new ConcordatError(
        'finer-than-domain',
        `a cell is finer than resolution ${resolution}`,
      );
    }
    length += descendantsOf(cell, depth);
    // Sorted by place, the depth in the four bits that the reserved bits above mode 1 leave free.
    starts[i] = ((firstDescendant(cell, resolution) & ~RESOLUTION_BITS) << 4n) | BigInt(depth);
  }
  if (length > MOST_CELLS) {
    throw new ConcordatError('too-many-cells', `a list may stand for at most ${MOST_CELLS} cells`);
  }
  starts.sort();

  const all = new BigUint64Array(length);
  const field = BigInt(resolution) << RESOLUTION_BIT;
  const unit = BigInt(3 * (15 - resolution));
  let at = 0;
  let previous = -1n;
  for (const start of starts) {
    const depth = Number(start & 15n);
    const first = (start >> 4n) | field;
    if (first <= previous) {
      throw new ConcordatError('overlapping-cells', 'a cell is listed twice or under its parent');
    }
    const steps = offsets(depth);
    const pentagon =
      descendantsOf(parentOf(first, (resolution - depth) as Resolution), depth) < steps.length;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i] as bigint;
      if (!pentagon || leadingDigit(step) !== 1) all[at++] = first + (step << unit);
    }
    previous = all[at - 1] as bigint;
  }
  return all;
}

const leadingDigit = (digits: bigint): number => {
  let rest = digits;
  while (rest > 7n) rest >>= 3n;
  return Number(rest);
};

/**
 * The shortest list of cells with the same area: every complete family is replaced by its parent, up to resolution 0.
 * `cells` ascending and of one resolution; the answer ascends too (coarser cells first). Linear in `cells`.
 */
export function compact(cells: BigUint64Array): BigUint64Array {
  const kept: bigint[] = [];
  let level = cells;
  while (level.length > 0) {
    const words = wordsOf(level);
    const resolution = resolutionOfHigh(words[HIGH] as number) - 1;
    const complete: bigint[] = [];
    let start = 0;
    while (start < level.length) {
      const family = familyLength(words, start, level.length, resolution);
      if (resolution >= 0 && family.complete) complete.push(family.parent);
      else for (let i = start; i < start + family.length; i++) kept.push(level[i] as bigint);
      start += family.length;
    }
    level = BigUint64Array.from(complete);
  }
  return BigUint64Array.from(kept).sort();
}

function familyLength(words: Uint32Array, start: number, end: number, resolution: number) {
  if (resolution < 0) return { length: end - start, complete: false, parent: 0n };
  const high = ancestorHigh(words[2 * start + HIGH] as number, resolution);
  const low = ancestorLow(words[2 * start + LOW] as number, resolution);
  let i = start + 1;
  while (
    i < end &&
    ancestorHigh(words[2 * i + HIGH] as number, resolution) === high &&
    ancestorLow(words[2 * i + LOW] as number, resolution) === low
  ) {
    i++;
  }
  return {
    length: i - start,
    complete: i - start === (isPentagonIndex(high, low) ? 6 : 7),
    parent: (BigInt(high) << 32n) | BigInt(low),
  };
}
