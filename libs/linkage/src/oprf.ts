/**
 * RFC 9497, oblivious pseudorandom functions, ciphersuite ristretto255-SHA512 (section 4.1): the base mode that makes
 * labels (section 3.3.1) and the hashes that the verifiable mode (section 3.3.2) shares with it. Reproduces the vectors of
 * appendix A.1.1 and A.1.2 byte for byte.
 */
import { ConcordatError, concatBytes, utf8ToBytes } from '#libs/bytes';
import {
  checkElement,
  checkScalar,
  elementFromUniform,
  invertScalar,
  multiplyBase,
  multiplyElement,
  reduceScalar,
  sha512,
} from './ristretto.js';

/** `oprf` is mode 0x00, `voprf` mode 0x01 (RFC 9497 section 3.1). */
export type OprfMode = 'oprf' | 'voprf';

/** Secret scalar and public element, 32 bytes each. */
export interface OprfKeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

const SUITE = utf8ToBytes('-ristretto255-SHA512');
/** "OPRFV1-" || I2OSP(mode, 1) || "-" || identifier (RFC 9497 section 3.1). */
const contextOf = (mode: OprfMode): Uint8Array =>
  concatBytes(utf8ToBytes('OPRFV1-'), Uint8Array.of(mode === 'oprf' ? 0 : 1), SUITE);

/** Domain separation tag `prefix || contextString`, with its length byte behind it as expand_message_xmd wants it. */
export const tagOf = (prefix: string, mode: OprfMode): Uint8Array => {
  const tag = concatBytes(utf8ToBytes(prefix), contextOf(mode));
  return concatBytes(tag, Uint8Array.of(tag.length));
};

const GROUP_TAG = { oprf: tagOf('HashToGroup-', 'oprf'), voprf: tagOf('HashToGroup-', 'voprf') };
export const SCALAR_TAG = {
  oprf: tagOf('HashToScalar-', 'oprf'),
  voprf: tagOf('HashToScalar-', 'voprf'),
};
const KEY_TAG = { oprf: tagOf('DeriveKeyPair', 'oprf'), voprf: tagOf('DeriveKeyPair', 'voprf') };
const FINALIZE = utf8ToBytes('Finalize');
const MAX_INPUT_BYTES = 0xffff;
const SHA512_BLOCK = 128;
const UNIFORM_BYTES = 64;

/**
 * expand_message_xmd with SHA-512 for 64 bytes, which is one block of output (RFC 9380 section 5.3.1):
 * b_0 = H(Z_pad || msg || I2OSP(64, 2) || I2OSP(0, 1) || DST_prime), b_1 = H(b_0 || I2OSP(1, 1) || DST_prime).
 */
function expandMessage(message: Uint8Array, tagPrime: Uint8Array): Uint8Array {
  const first = new Uint8Array(SHA512_BLOCK + message.length + 3 + tagPrime.length);
  first.set(message, SHA512_BLOCK);
  first[SHA512_BLOCK + message.length + 1] = UNIFORM_BYTES;
  first.set(tagPrime, SHA512_BLOCK + message.length + 3);
  const second = new Uint8Array(UNIFORM_BYTES + 1 + tagPrime.length);
  second.set(sha512(first));
  second[UNIFORM_BYTES] = 1;
  second.set(tagPrime, UNIFORM_BYTES + 1);
  return sha512(second);
}

/** HashToGroup of RFC 9497 section 4.1. Throws `input-too-long` above 65,535 bytes. */
export function hashToGroup(input: Uint8Array, mode: OprfMode = 'oprf'): Uint8Array {
  if (input.length > MAX_INPUT_BYTES) {
    throw new ConcordatError('input-too-long', 'an OPRF input has at most 65535 bytes');
  }
  return elementFromUniform(expandMessage(input, GROUP_TAG[mode]));
}

/** HashToScalar of RFC 9497 section 4.1, with a tag made by `tagOf`. */
export const hashToScalar = (message: Uint8Array, tagPrime: Uint8Array): Uint8Array =>
  reduceScalar(expandMessage(message, tagPrime));

/** Two bytes of length, big-endian, then the bytes. */
export const lengthPrefixed = (bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(bytes.length >>> 8, bytes.length & 255), bytes);

/** DeriveKeyPair of RFC 9497 section 3.2.1: `seed` of 32 bytes, public `info` of at most 65,535. Throws `bad-seed`. */
export function deriveKeyPair(
  seed: Uint8Array,
  info: Uint8Array,
  mode: OprfMode = 'oprf',
): OprfKeyPair {
  if (seed.length !== 32 || info.length > MAX_INPUT_BYTES) {
    throw new ConcordatError('bad-seed', 'give a 32-byte seed and at most 65535 bytes of info');
  }
  const input = concatBytes(seed, lengthPrefixed(info));
  for (let counter = 0; counter < 256; counter++) {
    const secretKey = hashToScalar(concatBytes(input, Uint8Array.of(counter)), KEY_TAG[mode]);
    if (secretKey.some((byte) => byte !== 0)) {
      return { secretKey, publicKey: multiplyBase(secretKey) };
    }
  }
  throw new ConcordatError('bad-seed', 'no key can be derived from this seed: draw another');
}

/**
 * Blind of RFC 9497 section 3.3.1: `blindScalar` * HashToGroup(input). The scalar is drawn with `randomScalar`, used once
 * and kept for `finalize`. Throws `malformed-scalar`, `input-too-long`, `identity-element`.
 */
export function blind(
  input: Uint8Array,
  blindScalar: Uint8Array,
  mode: OprfMode = 'oprf',
): { readonly blind: Uint8Array; readonly blindedElement: Uint8Array } {
  checkScalar(blindScalar);
  const blindedElement = multiplyElement(blindScalar, hashToGroup(input, mode));
  return { blind: blindScalar, blindedElement };
}

/** BlindEvaluate of RFC 9497 section 3.3.1: `secretKey` * `blindedElement`. Throws `malformed-element`, `identity-element`, `malformed-scalar`. */
export function blindEvaluate(secretKey: Uint8Array, blindedElement: Uint8Array): Uint8Array {
  checkScalar(secretKey);
  return multiplyElement(secretKey, blindedElement);
}

/** The output hash of Finalize over the unblinded element (RFC 9497 section 3.3.1): 64 bytes. */
export function outputOf(input: Uint8Array, unblinded: Uint8Array): Uint8Array {
  const message = new Uint8Array(4 + input.length + unblinded.length + FINALIZE.length);
  message[0] = input.length >>> 8;
  message[1] = input.length & 255;
  message.set(input, 2);
  message[3 + input.length] = unblinded.length;
  message.set(unblinded, 4 + input.length);
  message.set(FINALIZE, 4 + input.length + unblinded.length);
  return sha512(message);
}

/** Finalize of RFC 9497 section 3.3.1: the 64-byte output for `input`. Throws as `blindEvaluate` does. */
export function finalize(
  input: Uint8Array,
  blindScalar: Uint8Array,
  evaluatedElement: Uint8Array,
): Uint8Array {
  checkScalar(blindScalar);
  checkElement(evaluatedElement);
  return outputOf(input, multiplyElement(invertScalar(blindScalar), evaluatedElement));
}

/** Evaluate of RFC 9497 section 3.3.1: what `finalize` gives, for whoever holds key and input. The tests' short way. */
export const evaluate = (secretKey: Uint8Array, input: Uint8Array): Uint8Array =>
  outputOf(input, multiplyElement(secretKey, hashToGroup(input)));
