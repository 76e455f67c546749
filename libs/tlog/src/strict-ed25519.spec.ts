/** Each fault is first shown to be one: OpenSSL alone accepts it, or would without its own check. */

import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { fromHex, toBase64url } from '#libs/bytes';
import { verifyEd25519ByNode } from '#libs/host';
import { verifySignature } from '#libs/keystore';
import { isSoundPublicKey, isStrictEd25519, verifyEd25519 } from './index.js';

const L = ed25519.Point.Fn.ORDER;
const message = new TextEncoder().encode('any message at all');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const rawKey = new Uint8Array(
  Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url'),
);
const signature = new Uint8Array(sign(null, message, privateKey));

const openSsl = (key: Uint8Array, signed: Uint8Array): boolean => {
  let object: KeyObject;
  try {
    object = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: toBase64url(key) },
      format: 'jwk',
    });
  } catch {
    return false;
  }
  return verify(null, message, object, signed);
};
/** Every verifier of the federation. */
const verifiers: Record<string, (key: Uint8Array, signed: Uint8Array) => boolean> = {
  messages: (key, signed) => verifySignature(key, message, signed),
  notes: (key, signed) => verifyEd25519ByNode(signed, message, key),
  browser: (key, signed) => verifyEd25519(signed, message, key),
};
const accepted = (key: Uint8Array, signed: Uint8Array): string[] =>
  Object.keys(verifiers).filter((name) => verifiers[name]?.(key, signed));

/** All eight points of the small subgroup, as sums of a generator of it. */
const torsion = (() => {
  const generator = ed25519.Point.fromHex(
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  );
  const points = [ed25519.Point.ZERO];
  for (let i = 1; i < 8; i++) points.push((points[i - 1] ?? generator).add(generator));
  return points.map((point) => point.toBytes());
})();
const join = (r: Uint8Array, s: Uint8Array): Uint8Array => Uint8Array.of(...r, ...s);
const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from(fromHex(value.toString(16).padStart(64, '0'))).reverse();

describe('a signature', () => {
  it('is taken by every verifier when it is sound, and by none when a bit of it changes', () => {
    expect(accepted(rawKey, signature)).toEqual(Object.keys(verifiers));
    for (let bit = 0; bit < 512; bit += 7) {
      const flipped = Uint8Array.from(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(accepted(rawKey, flipped)).toEqual([]);
    }
  });

  it('is refused with S + L and every further multiple that fits', () => {
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`);
    for (let value = s + L; value < 2n ** 256n; value += L) {
      const malleated = join(signature.subarray(0, 32), littleEndian(value));
      expect(isStrictEd25519(rawKey, malleated)).toBe(false);
      expect(accepted(rawKey, malleated)).toEqual([]);
    }
  });

  it('of a key of small order fits every message for OpenSSL, and is refused here', () => {
    expect(new Set(torsion.map((point) => Buffer.from(point).toString('hex'))).size).toBe(8);
    // R = 0, S = 0 under the neutral key: the equation 0 = 0 + h * 0 holds whatever h is
    const neutral = torsion[0] as Uint8Array;
    const forged = join(neutral, new Uint8Array(32));
    expect(openSsl(neutral, forged)).toBe(true);
    for (const key of torsion) {
      expect(isSoundPublicKey(key)).toBe(false);
      for (const r of torsion) {
        expect(accepted(key, join(r, new Uint8Array(32)))).toEqual([]);
      }
    }
  });

  it('with an R of small order is refused under an honest key', () => {
    for (const r of torsion) {
      expect(isStrictEd25519(rawKey, join(r, signature.subarray(32)))).toBe(false);
    }
  });

  it('under a key that is not canonically encoded is refused', () => {
    // y = p + 1, which is the neutral element again
    const key = fromHex(`ee${'ff'.repeat(30)}7f`);
    expect(openSsl(key, join(torsion[0] as Uint8Array, new Uint8Array(32)))).toBe(true);
    for (let y = 0xed; y <= 0xff; y++) {
      for (const top of ['7f', 'ff']) {
        expect(isSoundPublicKey(fromHex(`${y.toString(16)}${'ff'.repeat(30)}${top}`))).toBe(false);
      }
    }
    expect(isSoundPublicKey(fromHex(`eb${'ff'.repeat(30)}7f`))).toBe(true);
  });
});
