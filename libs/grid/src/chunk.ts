/**
 * Binary chunk: the values of one map layer for all domain cells of one resolution under one parent cell, in ascending
 * cell order. The cells themselves are not sent: both sides know the domain. Layout and vectors: docs/protocol/chunk.md.
 *
 * Estimates are fixed-point numbers whose step follows the noise (at most 1/4 of the smallest standard error), so that
 * no byte carries precision that the release does not have: Gaussian noise of standard deviation s in steps of s/4 has an entropy
 * of log2(4 sqrt(2 pi e)) = 4.05 bits, and each halving of the step adds one. Columns are zigzag coded and split into byte planes,
 * which leaves long runs of zero bytes and one skewed alphabet for the HTTP content coding (brotli) to work on.
 */
import { ConcordatError } from '#libs/bytes';

/** How much of a sum the agencies of a release cover at one cell. Missing is not zero. */
export const COVERAGE = { none: 0, part: 1, full: 2 } as const;

/** Columns of `n` cells. `estimate` and `standardError` are NaN where `coverage` is `COVERAGE.none`. */
export interface ChunkColumns {
  readonly coverage: Uint8Array;
  readonly estimate: Float64Array;
  readonly standardError: Float64Array;
}

/** `parent` is 0n for the whole domain. */
export interface Chunk extends ChunkColumns {
  readonly resolution: number;
  readonly parent: bigint;
  /** The estimates differ from the release by at most half of this. */
  readonly step: number;
}

const MAGIC = 0x32_4b_48_43; // 'CHK2' in little-endian order
const HEADER_BYTES = 24;
/** Steps to one smallest standard error, at least. */
const STEPS_PER_ERROR = 4;
/** Finest step 1/256, coarsest 4096. */
const MOST_PARTS = 256;
const MOST_WHOLE = 4096;
/** Standard errors are 256 times finer than estimates: rounding one up costs less than 0.1 %. */
const ERROR_PARTS = 256;
/** Estimates in steps stay below this, so that zigzag coding fits 32 bits. */
const MOST_STEPS = 2 ** 30;
const COLUMN_BYTES = 4;
const COLUMNS = 2;

const invalid = (message: string): ConcordatError => new ConcordatError('invalid-chunk', message);
const outOfRange = (what: string): ConcordatError =>
  new ConcordatError('chunk-out-of-range', `${what} does not fit a chunk; ask for JSON instead`);

/**
 * Encodes one chunk. Deterministic: the same columns give the same bytes.
 * Errors: `invalid-chunk` for columns of different lengths or a covered cell without finite numbers,
 * `chunk-out-of-range` for an estimate or standard error beyond 32 bits.
 */
export function encodeChunk(
  parent: bigint,
  resolution: number,
  { coverage, estimate, standardError }: ChunkColumns,
): Uint8Array {
  const n = coverage.length;
  if (estimate.length !== n || standardError.length !== n) {
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
  const code = stepCodeFor(smallestError, largest);
  const perUnit = stepsPerUnit(code);
  const errorsPerUnit = perUnit * ERROR_PARTS;

  const planeBytes = Math.ceil(n / 8);
  const bytes = new Uint8Array(HEADER_BYTES + 2 * planeBytes + COLUMNS * COLUMN_BYTES * covered);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, resolution);
  view.setInt16(6, code, true);
  view.setBigUint64(8, parent, true);
  view.setUint32(16, n, true);
  view.setUint32(20, covered, true);

  let at = HEADER_BYTES + 2 * planeBytes;
  const columns = Array.from({ length: COLUMNS }, () => {
    const start = at;
    at += COLUMN_BYTES * covered;
    return start;
  }) as [number, number];
  let row = 0;
  for (let i = 0; i < n; i++) {
    const state = coverage[i] ?? 0;
    if (state === COVERAGE.none) continue;
    const plane = HEADER_BYTES + (state - 1) * planeBytes + (i >> 3);
    bytes[plane] = (bytes[plane] ?? 0) | (1 << (i & 7));
    const value = Math.round((estimate[i] ?? 0) * perUnit);
    const exact = standardError[i] ?? 0;
    let error = Math.ceil(exact * errorsPerUnit);
    // Not under-reported by the decoder's own arithmetic either.
    while (error / errorsPerUnit < exact) error++;
    if (error > 0xffff_ffff) throw outOfRange('a standard error');
    putWord(bytes, columns[0], covered, row, ((value << 1) ^ (value >> 31)) >>> 0);
    putWord(bytes, columns[1], covered, row, error);
    row++;
  }
  return bytes;
}

/**
 * Decodes one chunk. Strict: a wrong magic, a length that does not follow from the header, a set bit that stands for
 * no cell, or a cell both partly and fully covered is `invalid-chunk`.
 */
export function decodeChunk(bytes: Uint8Array): Chunk {
  if (bytes.length < HEADER_BYTES) throw invalid('shorter than a header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw invalid('not a chunk of this version');
  if (view.getUint8(5) !== 0) throw invalid('the reserved byte is not zero');
  const resolution = view.getUint8(4);
  const code = view.getInt16(6, true);
  const n = view.getUint32(16, true);
  const covered = view.getUint32(20, true);
  if (resolution > 15) throw invalid('no such resolution');
  if (code > MOST_PARTS || code < -MOST_WHOLE || (code <= 0 && code > -2)) {
    throw invalid('no such step');
  }
  const planeBytes = Math.ceil(n / 8);
  const body = HEADER_BYTES + 2 * planeBytes;
  if (bytes.length !== body + COLUMNS * COLUMN_BYTES * covered) {
    throw invalid('the length does not follow from the header');
  }

  const perUnit = stepsPerUnit(code);
  const errorsPerUnit = perUnit * ERROR_PARTS;
  const coverage = new Uint8Array(n);
  const estimate = new Float64Array(n).fill(Number.NaN);
  const standardError = new Float64Array(n).fill(Number.NaN);
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
    estimate[i] = ((zigzag >>> 1) ^ -(zigzag & 1)) / perUnit;
    standardError[i] = word(bytes, body + COLUMN_BYTES * covered, covered, row) / errorsPerUnit;
    row++;
  }
  if (row !== covered) throw invalid('coverage contradicts itself');
  const parent = view.getBigUint64(8, true);
  return { resolution, parent, step: 1 / perUnit, coverage, estimate, standardError };
}

/** A positive code k is a step of 1/k, a negative one a step of -k. */
const stepsPerUnit = (code: number): number => (code > 0 ? code : -1 / code);

/** Coarsest step that is at most 1/4 of the smallest standard error and at least 1/256, and lets every estimate fit. */
function stepCodeFor(smallestError: number, largest: number): number {
  if (smallestError === Number.POSITIVE_INFINITY) return 1; // no covered cell
  const whole = Math.min(MOST_WHOLE, Math.floor(smallestError / STEPS_PER_ERROR));
  if (largest / Math.max(1, whole) >= MOST_STEPS) throw outOfRange('an estimate');
  if (whole > 1) return -whole;
  const room = Math.floor(MOST_STEPS / (largest + 1));
  return Math.max(1, Math.min(Math.ceil(STEPS_PER_ERROR / smallestError), MOST_PARTS, room));
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
