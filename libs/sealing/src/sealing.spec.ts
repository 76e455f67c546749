import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bytesToHex, fromHex, sha256Hex } from '#libs/bytes';
import { type NoisyCounts, noisyCountsFromWire } from '#libs/dp';
import { aesKeyStream } from '#libs/host';
import {
  addMask,
  addMasked,
  answerBlind,
  type KeyStream,
  maskedFromBytes,
  maskedToBytes,
  maskSeed,
  referenceKeyStream,
  share,
  unmask,
} from './index.js';

interface Vectors {
  readonly shares: readonly {
    readonly name: string;
    readonly seed: string;
    readonly values: readonly number[] | string;
    readonly masked?: string;
    readonly maskedSha256?: string;
  }[];
  readonly sum: {
    readonly length: number;
    readonly contributors: readonly {
      readonly seed: string;
      readonly from: number;
      readonly values: readonly number[];
      readonly positions: readonly number[];
    }[];
    readonly masks: string;
    readonly masked: string;
    readonly total: readonly number[];
  };
  readonly derived: Readonly<
    Record<'answer' | 'answerBlind' | 'maskSeed' | 'occasion' | 'round' | 'secret', string>
  >;
  readonly bad_unmask: readonly {
    readonly name: string;
    readonly masked: string;
    readonly masks: string;
    readonly code: string;
  }[];
}
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/shares.json', import.meta.url), 'utf8'),
) as Vectors;

const counts = (values: readonly number[]): NoisyCounts =>
  noisyCountsFromWire(Int32Array.from(values));
const fromHexVector = (hex: string): BigUint64Array => maskedFromBytes(fromHex(hex));
const code = (value: string) => expect.objectContaining({ code: value });
const streams: readonly (readonly [string, KeyStream])[] = [
  ['the reference in JavaScript', referenceKeyStream],
  ['OpenSSL', aesKeyStream],
];
const seedBytes = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe.each(streams)('a key stream of %s', (_, keyStream) => {
  it('begins with AES-256 of 0 and of 1 (GCM specification, test cases 13 and 14: key of zeros)', () => {
    expect(bytesToHex(keyStream(new Uint8Array(32), 0)(32))).toBe(
      'dc95c078a2408989ad48a21492842087530f8afbc74536b9a963b4f1c4cb738b',
    );
  });

  it('can be entered at any block and read in any steps', () => {
    const seed = Uint8Array.from({ length: 32 }, (_, i) => i * 5);
    const whole = keyStream(seed, 0)(5000);
    for (const first of [0, 1, 7, 255]) {
      const next = keyStream(seed, first);
      const read = [next(16), next(160), next(5)].flatMap((bytes) => [...bytes]);
      expect(read).toEqual([...whole.subarray(16 * first, 16 * first + 181)]);
    }
  });

  it('counts past 32 bits', () => {
    const seed = new Uint8Array(32).fill(9);
    const at = keyStream(seed, 2 ** 32 - 1)(32);
    expect(keyStream(seed, 2 ** 32)(16)).toEqual(at.slice(16));
    expect(keyStream(seed, 2 ** 32)(16)).toEqual(referenceKeyStream(seed, 2 ** 32)(16));
    expect(keyStream(seed, 0)(16)).not.toEqual(keyStream(seed, 2 ** 32)(16));
  });

  it.each(vectors.shares)('masks as the vector says: $name', ({ seed, values, ...expected }) => {
    const list =
      typeof values === 'string'
        ? Array.from({ length: 8193 }, (_, i) => ((37 * i) % 101) - 50)
        : values;
    const bytes = maskedToBytes(share(counts(list), fromHex(seed), keyStream));
    if (expected.masked !== undefined) expect(bytesToHex(bytes)).toBe(expected.masked);
    else expect(sha256Hex(bytes)).toBe(expected.maskedSha256);
  });

  it('sums masks and masked vectors over the positions of a larger tree, as the vector says', () => {
    const { sum } = vectors;
    const masks = new BigUint64Array(sum.length);
    const masked = new BigUint64Array(sum.length);
    for (const { seed, from, values, positions } of sum.contributors) {
      const before = new Array<number>(from).fill(0);
      const vector = share(counts([...before, ...values]), fromHex(seed), keyStream);
      addMasked(masked, vector.subarray(from), Int32Array.from(positions));
      addMask(masks, fromHex(seed), from, Int32Array.from(positions), keyStream);
    }
    expect(bytesToHex(maskedToBytes(masks))).toBe(sum.masks);
    expect(bytesToHex(maskedToBytes(masked))).toBe(sum.masked);
    expect([...unmask(masked, masks)]).toEqual(sum.total);
  });
});

describe('sealing', () => {
  it('gives back the sum of any answers, wherever a part of the vector begins', () => {
    fc.assert(
      fc.property(
        fc.array(seedBytes, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.infiniteStream(fc.integer({ min: -(2 ** 28), max: 2 ** 28 })),
        (seeds, from, length, numbers) => {
          const answers = seeds.map(() =>
            Array.from({ length: from + length }, () => numbers.next().value as number),
          );
          const positions = Int32Array.from({ length }, (_, i) => length - 1 - i);
          const masks = new BigUint64Array(length);
          const masked = new BigUint64Array(length);
          seeds.forEach((seed, i) => {
            const vector = share(counts(answers[i] ?? []), seed, aesKeyStream);
            addMasked(masked, vector.subarray(from), positions);
            addMask(masks, seed, from, positions, aesKeyStream);
          });
          const expected = Array.from({ length }, (_, i) =>
            answers.reduce((sum, answer) => sum + (answer[from + length - 1 - i] ?? 0), 0),
          );
          expect([...unmask(masked, masks)]).toEqual(expected);
        },
      ),
    );
  });

  it.each(vectors.bad_unmask)('refuses to unmask: $name', ({ masked, masks, code: expected }) => {
    expect(() => unmask(fromHexVector(masked), fromHexVector(masks))).toThrow(code(expected));
  });

  it('opens to the ends of 32 bits', () => {
    const ends = [2 ** 31 - 1, -(2 ** 31)];
    const seed = new Uint8Array(32).fill(1);
    const masks = new BigUint64Array(2);
    addMask(masks, seed, 0, Int32Array.of(0, 1), aesKeyStream);
    expect([...unmask(share(counts(ends), seed, aesKeyStream), masks)]).toEqual(ends);
  });

  it('refuses seeds, lengths and positions that do not fit', () => {
    const sum = new BigUint64Array(2);
    const seed = new Uint8Array(32);
    for (const length of [0, 16, 31, 33]) {
      expect(() => share(counts([1]), new Uint8Array(length), aesKeyStream)).toThrow(
        code('bad-seed'),
      );
    }
    expect(() => addMasked(sum, new BigUint64Array(2), Int32Array.of(0))).toThrow(
      code('wrong-length'),
    );
    for (const position of [-1, 2, 2 ** 31 - 1]) {
      const positions = Int32Array.of(position);
      expect(() => addMasked(sum, new BigUint64Array(1), positions)).toThrow(code('unknown-node'));
      expect(() => addMask(sum, seed, 0, positions, aesKeyStream)).toThrow(code('unknown-node'));
    }
    expect(() => maskedFromBytes(new Uint8Array(12))).toThrow(code('wrong-length'));
  });

  it('reads masked vectors from bytes that lie anywhere', () => {
    const bytes = Uint8Array.from({ length: 27 }, (_, i) => i);
    for (const offset of [0, 1, 3]) {
      expect(maskedToBytes(maskedFromBytes(bytes.subarray(offset, offset + 24)))).toEqual(
        bytes.slice(offset, offset + 24),
      );
    }
  });
});

describe('what a node derives from its secret', () => {
  const { secret, round, answer, occasion } = vectors.derived;

  it('is HKDF with SHA-256, as the vector says', () => {
    expect(bytesToHex(maskSeed(fromHex(secret), round, answer))).toBe(vectors.derived.maskSeed);
    expect(bytesToHex(answerBlind(fromHex(secret), occasion))).toBe(vectors.derived.answerBlind);
  });

  it('differs between rounds, answers, occasions and secrets', () => {
    const other = fromHex(secret).map((byte) => byte ^ 1);
    const all = [
      maskSeed(fromHex(secret), round, answer),
      maskSeed(fromHex(secret), answer, round),
      maskSeed(fromHex(secret), `${round}0`, answer),
      maskSeed(other, round, answer),
      answerBlind(fromHex(secret), occasion),
      answerBlind(fromHex(secret), '18'),
      answerBlind(other, occasion),
    ].map(bytesToHex);
    expect(new Set(all).size).toBe(all.length);
    expect(() => maskSeed(new Uint8Array(16), round, answer)).toThrow(code('bad-secret'));
  });
});
