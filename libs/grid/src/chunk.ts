/**
 * Binary chunk: the values of one map layer for all domain cells of one resolution under one parent cell, in ascending
 * cell order. The cells themselves are not sent: both sides know the domain. Layout and vectors: docs/protocol/chunk.md.
 *
 * Estimates are fixed-point numbers whose step follows the noise (at most 1/8 of the smallest standard error), so that
 * no byte carries precision that the release does not have. Columns are zigzag coded and split into byte planes, which
 * leaves long runs of zero bytes for the HTTP content coding (brotli) to remove.
 */
import { ConcordatError } from '#libs/bytes';

/** How much of a sum the agencies of a release cover at one cell. Missing is not zero. */
export const COVERAGE = { none: 0, part: 1, full: 2 } as const;

/**
 * Columns of `n` cells. `estimate` and `standardError` are NaN and `integer` is 0 where `coverage` is `COVERAGE.none`;
 * `integer` is the additive map: whole, never negative.
 */
export interface ChunkColumns {
  readonly coverage: Uint8Array;
  readonly estimate: Float64Array;
  readonly standardError: Float64Array;
  readonly integer: Int32Array;
}

/** `parent` is 0n for the whole domain. */
export interface Chunk extends ChunkColumns {
  readonly resolution: number;
  readonly parent: bigint;
  /** The estimates differ from the release by at most half of this. */
  readonly step: number;
}

const MAGIC = 0x31_4b_48_43; // 'CHK1' in little-endian order
const HEADER_BYTES = 24;
const MIN_FRACTION_BITS = 1;
const MAX_FRACTION_BITS = 8;
/** Standard errors are 256 times finer than estimates: rounding one up costs less than 0.05 %. */
const EXTRA_ERROR_BITS = 8;
const COLUMN_BYTES = 4;
const COLUMNS = 3;

const invalid = (message: string): ConcordatError => new ConcordatError('invalid-chunk', message);
const outOfRange = (what: string): ConcordatError =>
  new ConcordatError('chunk-out-of-range', `${what} does not fit a chunk; ask for JSON instead`);

/**
 * Encodes one chunk. Deterministic: the same columns give the same bytes.
 * Errors: `invalid-chunk` for columns of different lengths or a covered cell without finite numbers,
 * `chunk-out-of-range` for an estimate, standard error or integer beyond 32 bits.
 */
export function encodeChunk(
  parent: bigint,
  resolution: number,
  { coverage, estimate, standardError, integer }: ChunkColumns,
): Uint8Array {
  const n = coverage.length;
  if (estimate.length !== n || standardError.length !== n || integer.length !== n) {
    throw invalid('every column needs one value per cell');
  }
  let covered = 0;
  let largest = 0;
  let smallestError = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const state = coverage[i] ?? 0;
    if (state > COVERAGE.full) throw invalid('coverage is 0, 1 or 2');
    if (state === COVERAGE.none) continue;
    covered++;
    const error = standardError[i] ?? Number.NaN;
    if (!Number.isFinite(estimate[i]) || !Number.isFinite(error) || error < 0) {
      throw invalid('a covered cell needs a finite estimate and a finite standard error');
    }
    largest = Math.max(largest, Math.abs(estimate[i] ?? 0));
    smallestError = Math.min(smallestError, error);
  }
  const fractionBits = fractionBitsFor(smallestError, largest);
  const scale = 2 ** fractionBits;
  const errorScale = 2 ** (fractionBits + EXTRA_ERROR_BITS);

  const planeBytes = Math.ceil(n / 8);
  const bytes = new Uint8Array(HEADER_BYTES + 2 * planeBytes + COLUMNS * COLUMN_BYTES * covered);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, resolution);
  view.setUint8(5, fractionBits);
  view.setBigUint64(8, parent, true);
  view.setUint32(16, n, true);
  view.setUint32(20, covered, true);

  let at = HEADER_BYTES + 2 * planeBytes;
  const columns = Array.from({ length: COLUMNS }, () => {
    const start = at;
    at += COLUMN_BYTES * covered;
    return start;
  }) as [number, number, number];
  let row = 0;
  for (let i = 0; i < n; i++) {
    const state = coverage[i] ?? 0;
    if (state === COVERAGE.none) continue;
    const plane = HEADER_BYTES + (state - 1) * planeBytes + (i >> 3);
    bytes[plane] = (bytes[plane] ?? 0) | (1 << (i & 7));
    const value = Math.round((estimate[i] ?? 0) * scale);
    const error = Math.ceil((standardError[i] ?? 0) * errorScale);
    const whole = integer[i] ?? 0;
    if (error > 0xffff_ffff) throw outOfRange('a standard error');
    if (whole < 0) throw invalid('the integer map is never negative');
    putWord(bytes, columns[0], covered, row, ((value << 1) ^ (value >> 31)) >>> 0);
    putWord(bytes, columns[1], covered, row, error);
    putWord(bytes, columns[2], covered, row, whole);
    row++;
  }
  return bytes;
}

/**
 * Decodes one chunk. Strict: a wrong magic, a length that does not follow from the header, a set bit that stands for
 * no cell, a cell both partly and fully covered, or an integer beyond 31 bits is `invalid-chunk`.
 */
export function decodeChunk(bytes: Uint8Array): Chunk {
  if (bytes.length < HEADER_BYTES) throw invalid('shorter than a header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw invalid('not a chunk of this version');
  if (view.getUint16(6, true) !== 0) throw invalid('reserved bytes are not zero');
  const resolution = view.getUint8(4);
  const fractionBits = view.getUint8(5);
  const n = view.getUint32(16, true);
  const covered = view.getUint32(20, true);
  if (resolution > 15) throw invalid('no such resolution');
  if (fractionBits < MIN_FRACTION_BITS || fractionBits > MAX_FRACTION_BITS) {
    throw invalid('no such step');
  }
  const planeBytes = Math.ceil(n / 8);
  const body = HEADER_BYTES + 2 * planeBytes;
  if (bytes.length !== body + COLUMNS * COLUMN_BYTES * covered) {
    throw invalid('the length does not follow from the header');
  }

  const step = 2 ** -fractionBits;
  const errorStep = 2 ** -(fractionBits + EXTRA_ERROR_BITS);
  const coverage = new Uint8Array(n);
  const estimate = new Float64Array(n).fill(Number.NaN);
  const standardError = new Float64Array(n).fill(Number.NaN);
  const integer = new Int32Array(n);
  let row = 0;
  for (let i = 0; i < 8 * planeBytes; i++) {
    const at = HEADER_BYTES + (i >> 3);
    const part = ((bytes[at] ?? 0) >> (i & 7)) & 1;
    const full = ((bytes[at + planeBytes] ?? 0) >> (i & 7)) & 1;
    if (part + full === 0) continue;
    if (i >= n || part + full === 2 || row === covered)
      throw invalid('coverage contradicts itself');
    coverage[i] = full ? COVERAGE.full : COVERAGE.part;
    const zigzag = word(bytes, body, covered, row);
    estimate[i] = ((zigzag >>> 1) ^ -(zigzag & 1)) * step;
    standardError[i] = word(bytes, body + COLUMN_BYTES * covered, covered, row) * errorStep;
    const whole = word(bytes, body + 2 * COLUMN_BYTES * covered, covered, row);
    if (whole > 0x7fff_ffff) throw invalid('an integer is out of range');
    integer[i] = whole;
    row++;
  }
  if (row !== covered) throw invalid('coverage contradicts itself');
  const parent = view.getBigUint64(8, true);
  return { resolution, parent, step, coverage, estimate, standardError, integer };
}

/** Largest step of 2^-1 .. 2^-8 that is at most 1/8 of the smallest standard error and lets every estimate fit. */
function fractionBitsFor(smallestError: number, largest: number): number {
  const wanted = Math.ceil(Math.log2(8 / smallestError)); // -Infinity for a chunk without covered cells
  const room = 31 - Math.ceil(Math.log2(largest + 1)) - 1;
  if (room < MIN_FRACTION_BITS) throw outOfRange('an estimate');
  return Math.min(Math.max(wanted, MIN_FRACTION_BITS), MAX_FRACTION_BITS, room);
}

/** Byte planes: all lowest bytes of the column first, then all second bytes, and so on. */
function putWord(bytes: Uint8Array, start: number, rows: number, row: number, value: number): void {
  for (let plane = 0; plane < COLUMN_BYTES; plane++) {
    bytes[start + plane * rows + row] = (value >>> (8 * plane)) & 0xff;
  }
}

function word(bytes: Uint8Array, start: number, rows: number, row: number): number {
  let value = 0;
  for (let plane = 0; plane < COLUMN_BYTES; plane++) {
    value |= (bytes[start + plane * rows + row] ?? 0) << (8 * plane);
  }
  return value >>> 0;
}
