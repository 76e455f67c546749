import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { fromHex } from '#libs/bytes';
import { aesKeyStream, osRandom, verifyEd25519ByNode } from './index.js';

describe('Ed25519 by node:crypto', () => {
  it('says no to whatever is not a signature', () => {
    const pair = generateKeyPairSync('ed25519');
    const publicKey = Buffer.from(String(pair.publicKey.export({ format: 'jwk' }).x), 'base64url');
    const message = Buffer.from('message');
    const signature = sign(null, message, pair.privateKey);
    expect(verifyEd25519ByNode(signature, message, publicKey)).toBe(true);
    expect(verifyEd25519ByNode(signature, Buffer.from('massage'), publicKey)).toBe(false);
    expect(verifyEd25519ByNode(signature.subarray(1), message, publicKey)).toBe(false);
    expect(verifyEd25519ByNode(signature, message, publicKey.subarray(1))).toBe(false);
    expect(verifyEd25519ByNode(signature, message, new Uint8Array(32).fill(255))).toBe(false);
  });
});

describe('the key stream', () => {
  it('starts with AES-256 of block 0, here under the zero key', () => {
    const zero = new Uint8Array(32);
    expect(Buffer.from(aesKeyStream(zero, 0)(16)).toString('hex')).toBe(
      'dc95c078a2408989ad48a21492842087',
    );
  });

  it('goes on where the last call ended, and starts at any block', () => {
    const seed = fromHex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
    const whole = Buffer.from(aesKeyStream(seed, 0)(400_000));
    const next = aesKeyStream(seed, 0);
    const pieces = [1, 15, 17, 399_967].map((bytes) => Buffer.from(next(bytes)));
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
    expect(Buffer.from(aesKeyStream(seed, 1000)(64))).toEqual(whole.subarray(16_000, 16_064));
  });
});

describe('random words of the system', () => {
  it('come in requests of any size, none of them twice', () => {
    const source = osRandom();
    const seen = new Set<string>();
    let pairs = 0;
    for (const words of [2, 16_382, 16_384, 2, 20_000, 6, 16_380, 40]) {
      const out = new Uint32Array(words);
      source.fillWords(out);
      for (let i = 0; i + 1 < words; i += 2) {
        seen.add(`${out[i]} ${out[i + 1]}`);
        pairs++;
      }
    }
    // two equal pairs of 2^64 among 35,000 of a fair source: below 1e-10
    expect(seen.size).toBe(pairs);
    expect(seen.has('0 0')).toBe(false);
  });
});
