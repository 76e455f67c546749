/**
 * The prime-order group ristretto255 (RFC 9496) and its scalars, computed by libsodium's WebAssembly build in constant
 * time. Elements are 32 bytes in their one canonical encoding, scalars 32 bytes little-endian below the order L.
 * libsodium's own random generator is never used: every scalar comes from a `RandomSource` argument.
 *
 * Importing this module waits for the WebAssembly to compile (some 20 ms): programs that may not need linkage import it lazily.
 */
import sodium from 'libsodium-wrappers-sumo';
import { ConcordatError, equalBytes } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';

await sodium.ready;

export const ELEMENT_BYTES = 32;
export const SCALAR_BYTES = 32;
const UNIFORM_BYTES = 64;

const IDENTITY = new Uint8Array(ELEMENT_BYTES);

/** L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const ORDER = Uint8Array.of(
  ...[
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
  ],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10],
);

const refuseElement = (bytes: Uint8Array): never => {
  if (bytes.length === ELEMENT_BYTES && equalBytes(bytes, IDENTITY)) {
    throw new ConcordatError('identity-element', 'the identity element carries no input: refused');
  }
  throw new ConcordatError(
    'malformed-element',
    'not the canonical 32-byte encoding of a ristretto255 element (RFC 9496 section 4.3.1)',
  );
};

/** Refuses everything but the canonical encoding of an element other than the identity: `malformed-element`, `identity-element`. */
export function checkElement(bytes: Uint8Array): void {
  const valid =
    bytes.length === ELEMENT_BYTES &&
    !equalBytes(bytes, IDENTITY) &&
    sodium.crypto_core_ristretto255_is_valid_point(bytes);
  if (!valid) refuseElement(bytes);
}

const isReduced = (bytes: Uint8Array): boolean => {
  for (let i = SCALAR_BYTES - 1; i >= 0; i--) {
    const difference = (bytes[i] as number) - (ORDER[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
};

/** Refuses everything but 32 bytes of a scalar in 1..L-1: `malformed-scalar`. */
export function checkScalar(bytes: Uint8Array): void {
  if (bytes.length !== SCALAR_BYTES || !isReduced(bytes) || bytes.every((byte) => byte === 0)) {
    throw new ConcordatError('malformed-scalar', 'not a 32-byte scalar from 1 to L - 1');
  }
}

/** 64 uniform bytes to a scalar, little-endian modulo L (RFC 9497 section 4.1, hash_to_scalar). */
export const reduceScalar = (uniform: Uint8Array): Uint8Array =>
  sodium.crypto_core_ristretto255_scalar_reduce(uniform);

/** `count` independent uniform scalars; 512 bits of `random` each, so that the bias is below 2^-250. */
export function randomScalars(count: number, random: RandomSource): Uint8Array[] {
  const words = new Uint32Array((count * UNIFORM_BYTES) / 4);
  random.fillWords(words);
  const bytes = new Uint8Array(words.buffer);
  return Array.from({ length: count }, (_, i) => {
    const scalar = reduceScalar(bytes.subarray(i * UNIFORM_BYTES, (i + 1) * UNIFORM_BYTES));
    checkScalar(scalar);
    return scalar;
  });
}

/** One uniform scalar in 1..L-1. */
export const randomScalar = (random: RandomSource): Uint8Array =>
  randomScalars(1, random)[0] as Uint8Array;

/** A small non-negative integer as a scalar. */
export function smallScalar(value: number): Uint8Array {
  const scalar = new Uint8Array(SCALAR_BYTES);
  new DataView(scalar.buffer).setUint32(0, value, true);
  return scalar;
}

export const addScalars = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  sodium.crypto_core_ristretto255_scalar_add(a, b);
export const subtractScalars = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  sodium.crypto_core_ristretto255_scalar_sub(a, b);
export const multiplyScalars = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  sodium.crypto_core_ristretto255_scalar_mul(a, b);
export const invertScalar = (a: Uint8Array): Uint8Array =>
  sodium.crypto_core_ristretto255_scalar_invert(a);

/** Inverses of non-zero scalars for one inversion and three multiplications each (Montgomery 1987, section 10.3.1). */
export function invertScalars(scalars: readonly Uint8Array[]): Uint8Array[] {
  const prefix: Uint8Array[] = [];
  let product = smallScalar(1);
  for (const scalar of scalars) {
    prefix.push(product);
    product = multiplyScalars(product, scalar);
  }
  let inverse = invertScalar(product);
  const inverses: Uint8Array[] = new Array(scalars.length);
  for (let i = scalars.length - 1; i >= 0; i--) {
    inverses[i] = multiplyScalars(inverse, prefix[i] as Uint8Array);
    inverse = multiplyScalars(inverse, scalars[i] as Uint8Array);
  }
  return inverses;
}

/** The element derived from 64 uniform bytes (RFC 9496 section 4.3.4). */
export const elementFromUniform = (uniform: Uint8Array): Uint8Array =>
  sodium.crypto_core_ristretto255_from_hash(uniform);

/** scalar * element. Refuses what `checkElement` refuses; the scalar must be in 1..L-1. */
export function multiplyElement(scalar: Uint8Array, element: Uint8Array): Uint8Array {
  try {
    return sodium.crypto_scalarmult_ristretto255(scalar, element);
  } catch {
    // libsodium fails for a malformed element and for a result that is the identity: with a non-zero scalar in a group
    // of prime order the second means that the element was.
    checkScalar(scalar);
    return refuseElement(element);
  }
}

/** scalar * generator. */
export function multiplyBase(scalar: Uint8Array): Uint8Array {
  checkScalar(scalar);
  return sodium.crypto_scalarmult_ristretto255_base(scalar);
}

/** Sum of two elements; either may be the identity, and so may the result. */
export function addElements(a: Uint8Array, b: Uint8Array): Uint8Array {
  try {
    return sodium.crypto_core_ristretto255_add(a, b);
  } catch {
    return refuseElement(a.length === ELEMENT_BYTES ? b : a);
  }
}

export const sha512 = (message: Uint8Array): Uint8Array => sodium.crypto_hash_sha512(message);

/** HMAC-SHA-512 of `message` under a 32-byte key. */
export const hmacSha512 = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  sodium.crypto_auth_hmacsha512(message, key);
