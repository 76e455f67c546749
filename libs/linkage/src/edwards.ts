/**
 * Many ristretto255 elements at once, for values that everybody on the channel sees: sums with public weights (the composites of
 * a batch proof) and sums of two answers. Elements are decoded once (RFC 9496 section 4.3.1) and kept as points of edwards25519.
 *
 * NOT for secrets: the multi-scalar multiplication looks up by digits of its scalars, and encoding branches. Whatever is multiplied by
 * a blind, a share or a nonce goes through libsodium (`ristretto.ts`), which takes constant time.
 */
import { ConcordatError } from '#libs/bytes';
import { AFFINE_BYTES, EXTENDED_BYTES, FIELD_BYTES, TWO_D_ADDRESS } from './edwards-code.js';
import {
  add,
  addAffine,
  addExtended,
  CHUNK,
  CHUNK_FIELDS,
  copy,
  D,
  ELEMENT_BYTES,
  FIELDS_PER_CHUNK_ITEM,
  INVSQRT_A_MINUS_D,
  invert,
  isNegative,
  isSmall,
  LIMBS,
  loadBytes,
  MAX_WINDOW_BITS,
  memory,
  multiply,
  ONE,
  POINTS,
  powP58,
  RUNNING,
  SQRT_M1,
  SUMS,
  square,
  storeBytes,
  subtract,
  subtractAffine,
  T,
  TOTAL,
  WINDOW,
  ZERO,
} from './edwards-field.js';

const POINT_LIMBS = AFFINE_BYTES / 4;

/** Points with Z = 1: x, y, 2d xy in ten limbs each, one after the other. */
export type Points = Int32Array;

const malformed = (): never => {
  throw new ConcordatError(
    'malformed-element',
    'not the canonical 32-byte encoding of a ristretto255 element (RFC 9496 section 4.3.1)',
  );
};

/** Refuses what is not 32 bytes of a non-negative integer below p. */
function checkCanonical(bytes: Uint8Array): void {
  if (bytes.length !== ELEMENT_BYTES) malformed();
  const top = bytes[31] as number;
  if (top > 127 || ((bytes[0] as number) & 1) === 1) malformed();
  if (top < 127 || (bytes[0] as number) < 0xed) return;
  for (let i = 1; i < 31; i++) if (bytes[i] !== 255) return;
  malformed();
}

/** RFC 9496 section 4.3.1 into `points` at index `i`. */
function decodeInto(points: Points, i: number, bytes: Uint8Array): void {
  checkCanonical(bytes);
  const [s, u1, u2, v, x, y] = T;
  loadBytes(s, bytes);
  square(y, s);
  subtract(u1, ONE, y);
  add(u2, ONE, y);
  square(x, u2);
  square(v, u1);
  multiply(v, v, D);
  subtract(v, ZERO, v);
  subtract(v, v, x);
  // invsqrt = 1 / sqrt(w), w = v u2^2: r = w^3 (w^7)^((p-5)/8) (section 4.2); y holds w, T[6] r.
  multiply(y, v, x);
  const [w, r] = [y, T[6]];
  square(T[7], w);
  multiply(x, T[7], w);
  square(T[7], x);
  multiply(T[7], T[7], w);
  copy(u1, T[7]);
  powP58(r, u1);
  multiply(r, r, x);
  square(x, r);
  multiply(x, x, w);
  if (!isSmall(x, 1)) {
    add(x, x, ONE);
    if (!isSmall(x, 0)) malformed();
    multiply(r, r, SQRT_M1);
  }
  multiply(x, r, u2);
  multiply(y, r, x);
  multiply(y, y, v);
  square(u1, s);
  subtract(u1, ONE, u1);
  multiply(y, y, u1);
  add(s, s, s);
  multiply(x, x, s);
  if (isNegative(x)) subtract(x, ZERO, x);
  multiply(u2, x, y);
  if (isNegative(u2) || isSmall(y, 0)) malformed();
  if (isSmall(x, 0)) {
    throw new ConcordatError('identity-element', 'the identity element carries no input: refused');
  }
  multiply(u2, u2, TWO_D_ADDRESS);
  [x, y, u2].forEach((field, n) => {
    points.set(memory.subarray(field / 4, field / 4 + LIMBS), i * POINT_LIMBS + n * LIMBS);
  });
}

/** Decodes elements. Throws `malformed-element` and `identity-element`, as `checkElement` does. */
export function decodePoints(elements: readonly Uint8Array[]): Points {
  const points = new Int32Array(elements.length * POINT_LIMBS);
  elements.forEach((element, i) => {
    decodeInto(points, i, element);
  });
  return points;
}

/**
 * 2 P of points in extended coordinates, encoded with one inversion for a chunk: doubling gives the square root that encoding needs
 * (Hamburg 2015, Decaf, appendix; `double_and_compress_batch` of curve25519-dalek). `place(i)` has the address of point i at hand.
 * Throws `identity-element`.
 */
function encodeDoubled(count: number, place: (i: number) => number): Uint8Array[] {
  const encoded: Uint8Array[] = [];
  for (let from = 0; from < count; from += CHUNK) {
    const size = Math.min(CHUNK, count - from);
    encodeChunk(size, (i) => place(from + i), encoded);
  }
  return encoded;
}

function encodeChunk(size: number, place: (i: number) => number, encoded: Uint8Array[]): void {
  const field = (item: number, n: number): number =>
    CHUNK_FIELDS + (item * FIELDS_PER_CHUNK_ITEM + n) * FIELD_BYTES;
  const [product, t, u] = [T[0], T[1], T[2]];
  copy(product, ONE);
  for (let i = 0; i < size; i++) {
    const [e, f, g, h, eg, fh, prefix] = [0, 1, 2, 3, 4, 5, 6].map((n) => field(i, n)) as [
      ...[number, number, number, number],
      ...[number, number, number],
    ];
    const point = place(i);
    const [x, y, z, xy] = [0, 1, 2, 3].map((n) => point + n * FIELD_BYTES) as [
      ...[number, number, number, number],
    ];
    add(e, x, x);
    multiply(e, e, y);
    square(t, z);
    square(u, xy);
    multiply(u, u, D);
    add(f, t, u);
    subtract(h, t, u);
    square(t, x);
    square(u, y);
    add(g, t, u);
    multiply(eg, e, g);
    multiply(fh, f, h);
    copy(prefix, product);
    multiply(t, eg, fh);
    if (isSmall(t, 0)) {
      throw new ConcordatError('identity-element', 'a sum of elements is the identity: refused');
    }
    multiply(product, product, t);
  }
  invert(T[3], product);
  const all = T[3];
  const chunk: Uint8Array[] = new Array(size);
  for (let i = size - 1; i >= 0; i--) {
    const [e, f, g, h, eg, fh, prefix] = [0, 1, 2, 3, 4, 5, 6].map((n) => field(i, n)) as [
      ...[number, number, number, number],
      ...[number, number, number],
    ];
    multiply(t, all, prefix);
    multiply(u, eg, fh);
    multiply(all, all, u);
    const [zInverse, tInverse] = [T[4], T[5]];
    multiply(zInverse, eg, t);
    multiply(tInverse, fh, t);
    multiply(t, eg, zInverse);
    const rotate = isNegative(t);
    if (rotate) {
      subtract(u, ZERO, e);
      copy(e, g);
      copy(g, u);
      multiply(h, f, SQRT_M1);
    }
    multiply(t, h, e);
    multiply(t, t, zInverse);
    if (isNegative(t)) subtract(g, ZERO, g);
    subtract(t, h, g);
    multiply(u, g, tInverse);
    multiply(u, u, rotate ? SQRT_M1 : INVSQRT_A_MINUS_D);
    multiply(t, t, u);
    if (isNegative(t)) subtract(t, ZERO, t);
    chunk[i] = storeBytes(t);
  }
  encoded.push(...chunk);
}

const loadPoints = (points: Points, from: number, count: number): void => {
  memory.set(points.subarray(from * POINT_LIMBS, (from + count) * POINT_LIMBS), POINTS / 4);
};

/** Writes the affine point at `point` in extended coordinates. */
function extend(sum: number, point: number): void {
  copy(sum, point);
  copy(sum + FIELD_BYTES, point + FIELD_BYTES);
  copy(sum + 2 * FIELD_BYTES, ONE);
  multiply(sum + 3 * FIELD_BYTES, point, point + FIELD_BYTES);
}

const clear = (sum: number): void => {
  copy(sum, ZERO);
  copy(sum + FIELD_BYTES, ONE);
  copy(sum + 2 * FIELD_BYTES, ONE);
  copy(sum + 3 * FIELD_BYTES, ZERO);
};

/** Encodings of 2 (left[i] + right[i]), for whoever multiplies by half a scalar next. Throws `identity-element`. */
export function addDoubled(left: Points, right: Points): Uint8Array[] {
  const count = left.length / POINT_LIMBS;
  const sums: Uint8Array[] = [];
  for (let from = 0; from < count; from += CHUNK) {
    const size = Math.min(CHUNK, count - from);
    loadPoints(left, from, size);
    for (let i = 0; i < size; i++) extend(SUMS + i * EXTENDED_BYTES, POINTS + i * AFFINE_BYTES);
    loadPoints(right, from, size);
    for (let i = 0; i < size; i++) addAffine(SUMS + i * EXTENDED_BYTES, POINTS + i * AFFINE_BYTES);
    sums.push(...encodeDoubled(size, (i) => SUMS + i * EXTENDED_BYTES));
  }
  return sums;
}

const SCALAR_BITS = 253;
const windowsOf = (bits: number): number => Math.ceil(SCALAR_BITS / bits) + 1;

/** Additions of Pippenger's method for `count` terms and windows of `bits` bits. */
const costOf = (count: number, bits: number): number => windowsOf(bits) * (count + 2 ** bits * 1.3);

/** Signed digits in base 2^bits of a scalar, least significant first, each from -2^(bits-1) to 2^(bits-1) - 1. */
function writeDigits(digits: Int16Array, at: number, scalar: Uint8Array, bits: number): void {
  const windows = windowsOf(bits);
  let carry = 0;
  for (let w = 0; w < windows; w++) {
    const start = w * bits;
    const byte = start >>> 3;
    const three =
      (scalar[byte] ?? 0) | ((scalar[byte + 1] ?? 0) << 8) | ((scalar[byte + 2] ?? 0) << 16);
    const digit = ((three >>> (start & 7)) & (2 ** bits - 1)) + carry;
    carry = digit >= 2 ** (bits - 1) ? 1 : 0;
    digits[at + w] = digit - carry * 2 ** bits;
  }
}

/**
 * Encoding of 2 sum scalars[i] points[i], by buckets (Pippenger 1976; Bernstein, Doumen, Lange, Oosterwijk 2012, section 4) of signed
 * digits. Up to `MAX_POINTS` terms; the scalars are public and below L. Throws `identity-element`.
 */
export function combineDoubled(scalars: readonly Uint8Array[], points: Points): Uint8Array {
  const count = scalars.length;
  let bits = 2;
  while (bits < MAX_WINDOW_BITS && costOf(count, bits + 1) < costOf(count, bits)) bits++;
  const windows = windowsOf(bits);
  const digits = new Int16Array(count * windows);
  scalars.forEach((scalar, i) => {
    writeDigits(digits, i * windows, scalar, bits);
  });
  loadPoints(points, 0, count);
  const buckets = 2 ** (bits - 1);
  clear(TOTAL);
  for (let w = windows - 1; w >= 0; w--) {
    for (let n = 0; n < bits; n++) addExtended(TOTAL, TOTAL);
    for (let b = 0; b < buckets; b++) clear(SUMS + b * EXTENDED_BYTES);
    for (let i = 0; i < count; i++) {
      const digit = digits[i * windows + w] as number;
      const point = POINTS + i * AFFINE_BYTES;
      if (digit > 0) addAffine(SUMS + (digit - 1) * EXTENDED_BYTES, point);
      else if (digit < 0) subtractAffine(SUMS + (-digit - 1) * EXTENDED_BYTES, point);
    }
    // sum of b times bucket b: each bucket once for itself and once for every bucket below.
    clear(RUNNING);
    clear(WINDOW);
    for (let b = buckets - 1; b >= 0; b--) {
      addExtended(RUNNING, SUMS + b * EXTENDED_BYTES);
      addExtended(WINDOW, RUNNING);
    }
    addExtended(TOTAL, WINDOW);
  }
  return encodeDoubled(1, () => TOTAL)[0] as Uint8Array;
}
