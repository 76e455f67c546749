import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalBytes, canonicalJson, parseCanonicalJson, utf8ToBytes } from './index.js';

describe('canonical JSON (RFC 8785)', () => {
  it('sorts keys by UTF-16 code units, as the RFC example does', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
    expect([...Object.keys(JSON.parse(text))].filter((k) => k !== '1')).toEqual([
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\ud83d\ude00',
      '\ufb33',
    ]);
    expect(canonicalJson({ b: [1, 'x'], a: { d: null, c: true } })).toBe(
      '{"a":{"c":true,"d":null},"b":[1,"x"]}',
    );
  });

  it.each([
    [0.5],
    [-0],
    [Number.NaN],
    [Infinity],
    [2 ** 53],
    ['\ud800'],
    [1n],
    [new Date(0)],
    [() => 0],
  ])('refuses %p', (value) => {
    expect(() => canonicalJson({ value })).toThrow(
      expect.objectContaining({ code: 'not-canonical' }),
    );
  });

  it('parses only the canonical spelling', () => {
    for (const bad of [
      '{"a":1,"a":1}',
      '{ "a":1}',
      '{"b":1,"a":1}',
      '1.0',
      '1e3',
      '-0',
      '{"a":1',
      '"\\u0061"',
      '',
    ]) {
      expect(() => parseCanonicalJson(utf8ToBytes(bad))).toThrow(
        expect.objectContaining({ code: 'not-canonical' }),
      );
    }
    expect(() => parseCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(
      expect.objectContaining({ code: 'malformed-encoding' }),
    );
  });

  it('round-trips any document of ours', () => {
    const leaf = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.string({ unit: 'grapheme' }),
    );
    const doc = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('node')),
        fc.dictionary(fc.string(), tie('node')).map((entries) => ({ ...entries })),
      ),
    })).node;
    fc.assert(
      fc.property(doc, (value) => {
        expect(canonicalJson(parseCanonicalJson(canonicalBytes(value)))).toBe(canonicalJson(value));
      }),
    );
  });
});
