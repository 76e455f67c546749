/**
 * What must hold of an Ed25519 key and signature before the equation is computed, so that every verifier of the federation
 * (OpenSSL here, plain JavaScript in the browser) accepts exactly the same signatures: RFC 8032 section 5.1.7 asks for S < L;
 * Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs" (SSR 2020), show what else libraries differ in: points that are
 * not canonically encoded, and points of small order, with which one signature fits many messages or keys.
 */

/** Group order L = 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 8032 section 5.1). */
const ORDER = hexBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
/** Field prime p = 2^255 - 19, little-endian. */
const PRIME = hexBytes('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');

/** y of the points whose order divides 8, canonical, without the sign bit: orders 4, 1, 8, 8, 2. */
const SMALL_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(hexBytes);

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Whether the 32 bytes at `offset`, little-endian and under `mask` in the last one, are below `bound`. */
function isBelow(bytes: Uint8Array, offset: number, mask: number, bound: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const byte = (bytes[offset + i] ?? 0) & (i === 31 ? mask : 0xff);
    const limit = bound[i] ?? 0;
    if (byte !== limit) return byte < limit;
  }
  return false;
}

/** A point that is canonically encoded (y < p) and not of small order. */
const isSoundPoint = (bytes: Uint8Array): boolean =>
  isBelow(bytes, 0, 0x7f, PRIME) &&
  !SMALL_ORDER_Y.some((y) =>
    y.every((byte, i) => byte === ((bytes[i] ?? 0) & (i === 31 ? 0x7f : 0xff))),
  );

/** Whether a public key may be used at all: 32 bytes, canonical, not of small order. Whether it is a point is for the equation. */
export const isSoundPublicKey = (publicKey: Uint8Array): boolean =>
  publicKey.length === 32 && isSoundPoint(publicKey);

/** Whether key and signature may be handed to the equation: sound key A, sound R, S < L. All values are public: no constant time. */
export const isStrictEd25519 = (publicKey: Uint8Array, signature: Uint8Array): boolean =>
  isSoundPublicKey(publicKey) &&
  signature.length === 64 &&
  isSoundPoint(signature.subarray(0, 32)) &&
  isBelow(signature, 32, 0xff, ORDER);
