import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ristretto255_oprf as reference } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { bytesToHex, fromHex } from '#libs/bytes';
import { seededRandom } from '#libs/testing';
import { proveBatch, verifyBatch } from './dleq.js';
import { blind, blindEvaluate, deriveKeyPair, evaluate, finalize } from './oprf.js';
import {
  checkElement,
  invertScalar,
  invertScalars,
  randomScalar,
  randomScalars,
} from './ristretto.js';

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/rfc9497-a1.json', import.meta.url), 'utf8'),
);
const seed = fromHex(vectors.seed);
const info = fromHex(vectors.keyInfo);
const hexOf = (list: readonly Uint8Array[]) => list.map(bytesToHex);

describe('RFC 9497 A.1.1, base mode', () => {
  const keys = deriveKeyPair(seed, info);

  it('derives the key', () => {
    expect(bytesToHex(keys.secretKey)).toBe(vectors.oprf.secretKey);
  });

  it.each(vectors.oprf.vectors as Record<string, string>[])('vector %#', (vector) => {
    const input = fromHex(vector.input as string);
    const blinded = blind(input, fromHex(vector.blind as string));
    expect(bytesToHex(blinded.blindedElement)).toBe(vector.blindedElement);
    const evaluated = blindEvaluate(keys.secretKey, blinded.blindedElement);
    expect(bytesToHex(evaluated)).toBe(vector.evaluationElement);
    expect(bytesToHex(finalize(input, blinded.blind, evaluated))).toBe(vector.output);
    expect(bytesToHex(evaluate(keys.secretKey, input))).toBe(vector.output);
  });
});

describe('RFC 9497 A.1.2, verifiable mode', () => {
  const keys = deriveKeyPair(seed, info, 'voprf');

  it('derives the key pair', () => {
    expect(bytesToHex(keys.secretKey)).toBe(vectors.voprf.secretKey);
    expect(bytesToHex(keys.publicKey)).toBe(vectors.voprf.publicKey);
  });

  it.each(vectors.voprf.vectors as Record<string, string[] & string>[])('vector %#', (vector) => {
    const inputs = (vector.inputs as string[]).map(fromHex);
    const blinds = (vector.blinds as string[]).map(fromHex);
    const elements = inputs.map(
      (input, i) => blind(input, blinds[i] as Uint8Array, 'voprf').blindedElement,
    );
    expect(hexOf(elements)).toEqual(vector.blindedElements);
    const evaluated = elements.map((element) => blindEvaluate(keys.secretKey, element));
    expect(hexOf(evaluated)).toEqual(vector.evaluationElements);
    const nonce = fromHex(vector.proofRandomScalar as string);
    const proof = proveBatch(keys.secretKey, keys.publicKey, elements, evaluated, nonce);
    expect(bytesToHex(proof)).toBe(vector.proof);
    verifyBatch(keys.publicKey, elements, evaluated, proof);
    const outputs = inputs.map((input, i) =>
      finalize(input, blinds[i] as Uint8Array, evaluated[i] as Uint8Array),
    );
    expect(hexOf(outputs)).toEqual(vector.outputs);
  });
});

describe('agreement with @noble/curves', () => {
  it('which reproduces A.1.1 and A.1.2 too', () => {
    expect(bytesToHex(reference.oprf.deriveKeyPair(seed, info).secretKey)).toBe(
      vectors.oprf.secretKey,
    );
    const voprf = reference.voprf.deriveKeyPair(seed, info);
    expect(hexOf([voprf.secretKey, voprf.publicKey])).toEqual([
      vectors.voprf.secretKey,
      vectors.voprf.publicKey,
    ]);
    for (const vector of vectors.oprf.vectors as Record<string, string>[]) {
      const [input, scalar, blinded] = [vector.input, vector.blind, vector.blindedElement].map(
        (hex) => fromHex(hex as string),
      ) as [Uint8Array, Uint8Array, Uint8Array];
      const secretKey = fromHex(vectors.oprf.secretKey);
      const evaluated = reference.oprf.blindEvaluate(secretKey, blinded);
      expect(bytesToHex(evaluated)).toBe(vector.evaluationElement);
      expect(bytesToHex(reference.oprf.finalize(input, scalar, evaluated))).toBe(vector.output);
    }
  });

  it('gives the same outputs for any input, key and blind', () => {
    const random = seededRandom('oprf against the reference');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
        const secretKey = randomScalar(random);
        const { blind: scalar, blindedElement } = blind(input, randomScalar(random));
        const evaluated = blindEvaluate(secretKey, blindedElement);
        expect(reference.oprf.blindEvaluate(secretKey, blindedElement)).toEqual(evaluated);
        const output = finalize(input, scalar, evaluated);
        expect(reference.oprf.finalize(input, scalar, evaluated)).toEqual(output);
      }),
      { numRuns: 30 },
    );
  });

  it('accepts the proofs of the reference, and the reference ours', () => {
    const random = seededRandom('proofs against the reference');
    const keys = deriveKeyPair(seed, info, 'voprf');
    const inputs = [1, 2, 3].map((n) => new Uint8Array(n));
    const blinded = inputs.map((input) => blind(input, randomScalar(random), 'voprf'));
    const elements = blinded.map(({ blindedElement }) => blindedElement);
    const theirs = reference.voprf.blindEvaluateBatch(keys.secretKey, keys.publicKey, elements);
    verifyBatch(keys.publicKey, elements, theirs.evaluated, theirs.proof);
    const ours = proveBatch(
      keys.secretKey,
      keys.publicKey,
      elements,
      theirs.evaluated,
      randomScalar(random),
    );
    const items = inputs.map((input, i) => ({
      input,
      blind: blinded[i]?.blind as Uint8Array,
      evaluated: theirs.evaluated[i] as Uint8Array,
      blinded: elements[i] as Uint8Array,
    }));
    expect(reference.voprf.finalizeBatch(items, keys.publicKey, ours)).toHaveLength(3);
  });
});

describe('refusals', () => {
  const bad = Object.entries(vectors.badElements as Record<string, string>);
  const secretKey = fromHex(vectors.oprf.secretKey);

  it.each(bad)('%s', (name, hex) => {
    const expected = expect.objectContaining({
      code: name === 'identity' ? 'identity-element' : 'malformed-element',
    });
    expect(() => checkElement(fromHex(hex))).toThrow(expected);
    expect(() => blindEvaluate(secretKey, fromHex(hex))).toThrow(expected);
    expect(() => finalize(new Uint8Array(1), secretKey, fromHex(hex))).toThrow(expected);
  });

  it('refuses scalars that are zero, not reduced or of another length', () => {
    const order = 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010';
    const element = fromHex(vectors.oprf.vectors[0].blindedElement);
    for (const hex of ['00'.repeat(32), order, 'ff'.repeat(32), '01'.repeat(31)]) {
      expect(() => blind(element, fromHex(hex))).toThrow(
        expect.objectContaining({ code: 'malformed-scalar' }),
      );
      expect(() => blindEvaluate(fromHex(hex), element)).toThrow(
        expect.objectContaining({ code: 'malformed-scalar' }),
      );
    }
  });

  it('refuses a proof after any change of key, element, order or proof', () => {
    const random = seededRandom('proof changes');
    const keys = deriveKeyPair(seed, info, 'voprf');
    const elements = [7, 8, 9].map(
      (n) => blind(Uint8Array.of(n), randomScalar(random)).blindedElement,
    );
    const evaluated = elements.map((element) => blindEvaluate(keys.secretKey, element));
    const proof = proveBatch(
      keys.secretKey,
      keys.publicKey,
      elements,
      evaluated,
      randomScalar(random),
    );
    const other = deriveKeyPair(seed, Uint8Array.of(1));
    const refused = expect.objectContaining({ code: 'bad-proof' });
    const swapped = [evaluated[1], evaluated[0], evaluated[2]] as Uint8Array[];
    const oneWrong = [
      ...evaluated.slice(0, 2),
      blindEvaluate(other.secretKey, elements[2] as Uint8Array),
    ];
    expect(() => verifyBatch(other.publicKey, elements, evaluated, proof)).toThrow(refused);
    expect(() => verifyBatch(keys.publicKey, elements, swapped, proof)).toThrow(refused);
    expect(() => verifyBatch(keys.publicKey, elements, oneWrong, proof)).toThrow(refused);
    expect(() => verifyBatch(keys.publicKey, elements, evaluated, proof.subarray(1))).toThrow(
      refused,
    );
    for (const at of [0, 31, 32, 63]) {
      const changed = Uint8Array.from(proof);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => verifyBatch(keys.publicKey, elements, evaluated, changed)).toThrow(refused);
    }
  });

  it('inverts a batch as it inverts one by one', () => {
    const scalars = randomScalars(9, seededRandom('inverses'));
    expect(invertScalars(scalars)).toEqual(scalars.map(invertScalar));
    expect(invertScalars([])).toEqual([]);
  });
});
