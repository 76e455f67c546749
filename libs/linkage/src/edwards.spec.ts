import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ristretto255 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { bytesToHex, ConcordatError, concatBytes, fromHex, isConcordatError } from '#libs/bytes';
import { seededRandom } from '#libs/testing';
import { proveBatch, verifyBatch } from './dleq.js';
import { addDoubled, combineDoubled, decodePoints } from './edwards.js';
import { blindEvaluate } from './oprf.js';
import {
  addScalars,
  checkElement,
  elementFromUniform,
  multiplyBase,
  randomScalar,
  randomScalars,
  smallScalar,
  subtractScalars,
} from './ristretto.js';

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/rfc9497-a1.json', import.meta.url), 'utf8'),
);
const random = seededRandom('many elements at once');
const draw = (count: number): Uint8Array[] =>
  randomScalars(2 * count, random)
    .slice(0, count)
    .map((scalar, i) => elementFromUniform(concatBytes(scalar, sha(i))));
const sha = (i: number): Uint8Array => new Uint8Array(32).fill(i);

const { Point } = ristretto255;
const pointOf = (element: Uint8Array) => Point.fromBytes(element);
const integerOf = (scalar: Uint8Array): bigint =>
  BigInt(`0x${bytesToHex(Uint8Array.from(scalar).reverse())}`);
/** 2 sum scalars[i] elements[i], by the reference. */
const referenceSum = (scalars: readonly Uint8Array[], elements: readonly Uint8Array[]) =>
  scalars
    .reduce(
      (sum, scalar, i) =>
        sum.add(pointOf(elements[i] as Uint8Array).multiplyUnsafe(integerOf(scalar))),
      Point.ZERO,
    )
    .double()
    .toBytes();

/** L - 1: the scalar whose digits carry the most. */
const MINUS_ONE = subtractScalars(smallScalar(0), smallScalar(1));

describe('sums with public weights', () => {
  it.each([1, 2, 3, 17, 64, 300])('of %d terms are those of @noble/curves', (count) => {
    const scalars = randomScalars(count, random);
    const elements = draw(count);
    expect(combineDoubled(scalars, decodePoints(elements))).toEqual(
      referenceSum(scalars, elements),
    );
  });

  it('take extreme, equal and zero weights, equal and opposite elements', () => {
    const [a] = draw(1) as [Uint8Array];
    const negative = pointOf(a).negate().toBytes();
    const powers = Array.from({ length: 31 }, (_, n) =>
      new Uint8Array(32).fill(1 << (n % 8), n, n + 1),
    );
    const cases: [Uint8Array[], Uint8Array[]][] = [
      [[MINUS_ONE], [a]],
      [
        [MINUS_ONE, MINUS_ONE, smallScalar(1)],
        [a, a, a],
      ],
      [
        [smallScalar(0), smallScalar(3)],
        [a, negative],
      ],
      [powers, powers.map(() => a)],
      [new Array(40).fill(subtractScalars(MINUS_ONE, smallScalar(255))), new Array(40).fill(a)],
    ];
    for (const [scalars, elements] of cases) {
      expect(combineDoubled(scalars, decodePoints(elements))).toEqual(
        referenceSum(scalars, elements),
      );
    }
  });

  it('of any weights, and linear in them', () => {
    const elements = draw(5);
    const points = decodePoints(elements);
    const scalar = fc.bigInt({ min: 0n, max: integerOf(MINUS_ONE) });
    const bytes = (value: bigint): Uint8Array =>
      fromHex(value.toString(16).padStart(64, '0')).reverse();
    fc.assert(
      fc.property(fc.array(scalar, { minLength: 5, maxLength: 5 }), (values) => {
        const scalars = values.map(bytes);
        const next = scalars.map((value, i) => addScalars(value, smallScalar(i)));
        expect(combineDoubled(scalars, points)).toEqual(referenceSum(scalars, elements));
        expect(combineDoubled(next, points)).toEqual(referenceSum(next, elements));
      }),
      { numRuns: 40 },
    );
  });

  it('refuse a sum that is the identity', () => {
    const [a] = draw(1) as [Uint8Array];
    const points = decodePoints([a, a]);
    expect(() => combineDoubled([MINUS_ONE, smallScalar(1)], points)).toThrow(
      expect.objectContaining({ code: 'identity-element' }),
    );
  });
});

describe('sums of two lists', () => {
  it('are twice those of @noble/curves, across chunks', () => {
    const left = draw(70);
    const right = [...left.slice(0, 2), ...draw(68)];
    addDoubled(decodePoints(left), decodePoints(right)).forEach((sum, i) => {
      const [a, b] = [left[i], right[i]] as [Uint8Array, Uint8Array];
      expect(sum).toEqual(pointOf(a).add(pointOf(b)).double().toBytes());
    });
  });

  it('refuse two that cancel', () => {
    const elements = draw(3);
    const negative = elements.map((element) => pointOf(element).negate().toBytes());
    expect(() =>
      addDoubled(
        decodePoints(elements),
        decodePoints([elements[1], elements[2], negative[2]] as Uint8Array[]),
      ),
    ).toThrow(expect.objectContaining({ code: 'identity-element' }));
  });
});

describe('decoding', () => {
  const codeOf = (work: () => unknown): string | null => {
    try {
      work();
      return null;
    } catch (error) {
      if (isConcordatError(error)) return error.code;
      throw error;
    }
  };

  it('takes and refuses what libsodium does, byte strings of all kinds', () => {
    const [valid] = draw(1) as [Uint8Array];
    const flipped = fc.tuple(fc.nat(255), fc.nat(255)).map(([bit, other]) => {
      const bytes = Uint8Array.from(valid);
      for (const at of [bit, other])
        bytes[at >>> 3] = (bytes[at >>> 3] as number) ^ (1 << (at & 7));
      return bytes;
    });
    const small = fc
      .nat(0xffff)
      .map((value) => Uint8Array.from({ length: 32 }, (_, i) => (value >>> (8 * i)) * +(i < 2)));
    const nearP = fc
      .integer({ min: 0xd0, max: 0xff })
      .map((low) =>
        Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? low : i === 31 ? 0x7f : 0xff)),
      );
    const any = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.oneof(flipped, small, nearP, any), (bytes) => {
        expect(codeOf(() => decodePoints([bytes]))).toBe(codeOf(() => checkElement(bytes)));
      }),
      { numRuns: 600 },
    );
  });

  it.each(Object.entries(vectors.badElements as Record<string, string>))(
    'refuses %s',
    (name, hex) => {
      const expected = name === 'identity' ? 'identity-element' : 'malformed-element';
      const [good] = draw(1) as [Uint8Array];
      expect(codeOf(() => decodePoints([good, fromHex(hex)]))).toBe(expected);
      expect(
        codeOf(() =>
          verifyBatch(multiplyBase(MINUS_ONE), [good], [fromHex(hex)], new Uint8Array(64)),
        ),
      ).toBe(expected);
    },
  );
});

describe('proofs of large batches', () => {
  it('are checked and made over all elements, first and last', () => {
    const secretKey = randomScalar(random);
    const publicKey = multiplyBase(secretKey);
    const elements = draw(700);
    const evaluated = elements.map((element) => blindEvaluate(secretKey, element));
    const proof = proveBatch(secretKey, publicKey, elements, evaluated, randomScalar(random));
    verifyBatch(publicKey, elements, evaluated, proof);
    for (const at of [0, 350, 699]) {
      const wrong = [...evaluated];
      wrong[at] = elements[at] as Uint8Array;
      expect(() => verifyBatch(publicKey, elements, wrong, proof)).toThrow(ConcordatError);
    }
  });
});
