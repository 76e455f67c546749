/**
 * Masks and masked vectors: integers modulo 2^64, on the wire 8 bytes each, little-endian, as they lie in memory on every platform that runs
 * this. Loops over `BigUint64Array` elements compile to plain 64-bit additions; no bigint outlives its line.
 */
import { ConcordatError } from '#libs/bytes';
import type { NoisyCounts } from '#libs/dp';
import { BLOCK_BYTES, type KeyStream } from './key-stream.js';
import { SEED_BYTES } from './seed.js';

export const BYTES_PER_VALUE = 8;
const VALUES_PER_BLOCK = BLOCK_BYTES / BYTES_PER_VALUE;
/** Values of a mask that are made and used up at a time: they and what they are added to stay in the processor's cache. */
const STRETCH = 8192;

/** Wire form of a masked vector, which shares its memory. */
export const maskedToBytes = (masked: BigUint64Array): Uint8Array =>
  new Uint8Array(masked.buffer, masked.byteOffset, masked.byteLength);

/** Inverse of `maskedToBytes`; shares memory where the bytes are aligned. Throws `wrong-length`. */
export function maskedFromBytes(bytes: Uint8Array): BigUint64Array {
  if (bytes.length % BYTES_PER_VALUE !== 0) {
    throw new ConcordatError('wrong-length', 'a masked vector has 8 bytes a value');
  }
  const aligned = bytes.byteOffset % BYTES_PER_VALUE === 0 ? bytes : Uint8Array.from(bytes);
  return new BigUint64Array(aligned.buffer, aligned.byteOffset, aligned.length / BYTES_PER_VALUE);
}

/**
 * Hands out values `from` to `from + length` of the mask that a seed expands to, which is the seed's key stream read as little-endian
 * 64-bit integers; `take` gets a stretch at a time and where it begins, counted from `from`.
 */
function eachStretch(
  seed: Uint8Array,
  { from, length }: { readonly from: number; readonly length: number },
  keyStream: KeyStream,
  take: (values: BigUint64Array, at: number) => void,
): void {
  if (seed.length !== SEED_BYTES) {
    throw new ConcordatError('bad-seed', `a seed has ${SEED_BYTES} bytes`);
  }
  const skipped = from % VALUES_PER_BLOCK;
  const next = keyStream(seed, (from - skipped) / VALUES_PER_BLOCK);
  const end = skipped + length;
  for (let at = 0; at < end; at += STRETCH) {
    const values = maskedFromBytes(next(Math.min(STRETCH, end - at) * BYTES_PER_VALUE));
    if (at === 0) take(values.subarray(skipped), 0);
    else take(values, at - skipped);
  }
}

/**
 * The coordinator's share of an answer: every value with its mask added, modulo 2^64. The other share is the seed.
 * [Prio] section 3; one share alone is uniform whatever the values are, as far as the key stream is. Throws `bad-seed`.
 */
export function share(values: NoisyCounts, seed: Uint8Array, keyStream: KeyStream): BigUint64Array {
  const masked = new BigUint64Array(values.length);
  const words = new Uint32Array(masked.buffer);
  eachStretch(seed, { from: 0, length: values.length }, keyStream, (mask, start) => {
    const maskWords = new Uint32Array(mask.buffer, mask.byteOffset, 2 * mask.length);
    for (let i = 0; i < mask.length; i++) {
      const at = start + i;
      const value = values[at] as number;
      const low = (maskWords[2 * i] as number) + (value >>> 0);
      words[2 * at] = low;
      // the sign of the value, extended, and the carry out of the low word
      words[2 * at + 1] = (maskWords[2 * i + 1] as number) + (value >> 31) + +(low > 0xffffffff);
    }
  });
  return masked;
}

/**
 * Adds values `from` to `from + positions.length` of a seed's mask to a sum, value i at `positions[i]`. Throws `bad-seed`, `unknown-node`;
 * the sum is then of no use.
 */
export function addMask(
  sum: BigUint64Array,
  seed: Uint8Array,
  from: number,
  positions: Int32Array,
  keyStream: KeyStream,
): void {
  eachStretch(seed, { from, length: positions.length }, keyStream, (mask, start) => {
    addAt(sum, mask, positions.subarray(start, start + mask.length));
  });
}

/** Adds value i of `values` at `positions[i]` of a sum, modulo 2^64. Throws `unknown-node`. */
export function addAt(sum: BigUint64Array, values: BigUint64Array, positions: Int32Array): void {
  const { length } = sum;
  for (let i = 0; i < values.length; i++) {
    const at = positions[i] as number;
    if (at >>> 0 >= length) {
      throw new ConcordatError('unknown-node', 'not a position in the sum');
    }
    sum[at] = (sum[at] as bigint) + (values[i] as bigint);
  }
}
