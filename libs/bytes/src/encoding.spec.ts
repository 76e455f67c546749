import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  bytesToHex,
  domainDigest,
  equalBytes,
  fromBase64,
  fromBase64url,
  fromHex,
  fromUtf8,
  sha256Hex,
  toBase64,
  toBase64url,
} from './index.js';

const bytes = fc.uint8Array({ maxLength: 70 });

describe('encodings', () => {
  it('agrees with the platform and comes back', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toBase64(value)).toBe(Buffer.from(value).toString('base64'));
        expect(toBase64url(value)).toBe(Buffer.from(value).toString('base64url'));
        expect(equalBytes(fromBase64(toBase64(value)), value)).toBe(true);
        expect(equalBytes(fromBase64url(toBase64url(value)), value)).toBe(true);
        expect(equalBytes(fromHex(bytesToHex(value)), value)).toBe(true);
      }),
    );
  });

  it.each([
    [() => fromBase64('AB==')], // unused bits set
    [() => fromBase64('QQ')], // padding missing
    [() => fromBase64('QQ=Q')],
    [() => fromBase64url('QQ==')],
    [() => fromBase64url('A')],
    [() => fromBase64url('Q+')],
    [() => fromHex('AA')],
    [() => fromHex('a')],
    [() => fromUtf8(Uint8Array.of(0xc0, 0x80))],
  ])('refuses a second spelling (%#)', (decode) => {
    expect(decode).toThrow(expect.objectContaining({ code: 'malformed-encoding' }));
  });

  it('keeps digests of different purposes and splits apart', () => {
    const a = Uint8Array.of(1, 2);
    const all = [
      domainDigest('t', a),
      domainDigest('u', a),
      domainDigest('t', Uint8Array.of(1), Uint8Array.of(2)),
      domainDigest('t', a, new Uint8Array()),
    ].map(bytesToHex);
    expect(new Set(all).size).toBe(4);
    expect(sha256Hex()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});
