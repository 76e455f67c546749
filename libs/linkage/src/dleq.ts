/**
 * Batched proofs of equal discrete logarithms, RFC 9497 section 2.2: one proof of 64 bytes shows that all elements of a
 * batch were multiplied by the scalar behind a public key. Reproduces the proofs of appendix A.1.2.
 */
import { ConcordatError, concatBytes, equalBytes, utf8ToBytes } from '#libs/bytes';
import { combineDoubled, decodePoints, type Points } from './edwards.js';
import { MAX_POINTS } from './edwards-field.js';
import { hashToScalar, lengthPrefixed, SCALAR_TAG, tagOf } from './oprf.js';
import {
  addElements,
  checkElement,
  checkScalar,
  ELEMENT_BYTES,
  invertScalar,
  multiplyBase,
  multiplyElement,
  multiplyScalars,
  SCALAR_BYTES,
  sha512,
  smallScalar,
  subtractScalars,
} from './ristretto.js';

/** Largest batch: its indexes fit the two bytes RFC 9497 gives them, and a key-holder answers in about a second. */
export const MAX_BATCH = MAX_POINTS;

/** The elements of a batch as they travel, and the same decoded: valid, and none the identity. */
export interface DecodedBatch {
  readonly elements: readonly Uint8Array[];
  readonly points: Points;
}

/** Decodes 1 to 4,096 elements. Throws `bad-batch`, `malformed-element`, `identity-element`. */
export function decodeBatch(elements: readonly Uint8Array[]): DecodedBatch {
  if (elements.length < 1 || elements.length > MAX_BATCH) {
    throw new ConcordatError('bad-batch', `a batch holds 1 to ${MAX_BATCH} elements`);
  }
  return { elements, points: decodePoints(elements) };
}

const GENERATOR = multiplyBase(smallScalar(1));
const HALF = invertScalar(smallScalar(2));
const COMPOSITE = utf8ToBytes('Composite');
const CHALLENGE = utf8ToBytes('Challenge');
const SEED_TAG = (() => {
  const withLength = tagOf('Seed-', 'voprf');
  return withLength.subarray(0, withLength.length - 1);
})();

const badProof = (): never => {
  throw new ConcordatError(
    'bad-proof',
    'the batch was not evaluated with the announced key: use none of it and report the key-holder',
  );
};

/** The weights d_i of ComputeComposites (RFC 9497 section 2.2.1) for the pairs (C_i, D_i) under public key B. */
function compositeWeights(
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
): Uint8Array[] {
  if (blinded.length !== evaluated.length) {
    throw new ConcordatError('bad-batch', 'as many elements must come back as were sent');
  }
  const seed = sha512(concatBytes(lengthPrefixed(publicKey), lengthPrefixed(SEED_TAG)));
  const prefix = lengthPrefixed(seed);
  // All messages are of one length: prefix, index, C_i, D_i with their lengths, "Composite".
  const element = lengthPrefixed(new Uint8Array(ELEMENT_BYTES));
  const message = concatBytes(prefix, new Uint8Array(2), element, element, COMPOSITE);
  const blindedAt = prefix.length + 4;
  const evaluatedAt = blindedAt + element.length;
  return blinded.map((blindedElement, i) => {
    message[prefix.length] = i >>> 8;
    message[prefix.length + 1] = i & 255;
    message.set(blindedElement, blindedAt);
    message.set(evaluated[i] as Uint8Array, evaluatedAt);
    return hashToScalar(message, SCALAR_TAG.voprf);
  });
}

/** Sum of weights[i] elements[i]: weights and elements are public, as `combineDoubled` demands. */
const weightedSum = (weights: readonly Uint8Array[], points: Points): Uint8Array =>
  multiplyElement(HALF, combineDoubled(weights, points));

const challengeOf = (parts: readonly Uint8Array[]): Uint8Array =>
  hashToScalar(concatBytes(...parts.map(lengthPrefixed), CHALLENGE), SCALAR_TAG.voprf);

/**
 * GenerateProof (RFC 9497 section 2.2.1): `evaluated[i]` = `secretKey` * `blinded[i]` for all i. `nonce` is a fresh
 * `randomScalar`: one that is used twice reveals the key. Returns c || s, 64 bytes. Throws `bad-batch`, `malformed-scalar`,
 * `malformed-element`, `identity-element`.
 */
export function proveBatch(
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
  nonce: Uint8Array,
): Uint8Array {
  checkScalar(nonce);
  // ComputeCompositesFast: who holds the key needs no sum of the evaluated elements.
  const { points } = decodeBatch(blinded);
  const m = weightedSum(compositeWeights(publicKey, blinded, evaluated), points);
  const z = multiplyElement(secretKey, m);
  const t2 = multiplyBase(nonce);
  const t3 = multiplyElement(nonce, m);
  const c = challengeOf([publicKey, m, z, t2, t3]);
  return concatBytes(c, subtractScalars(nonce, multiplyScalars(c, secretKey)));
}

/** VerifyProof (RFC 9497 section 2.2.2). Throws `bad-proof`, `bad-batch`, and the codes of malformed elements. */
export const verifyBatch = (
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
  proof: Uint8Array,
): void => verifyDecodedBatch(publicKey, decodeBatch(blinded), decodeBatch(evaluated), proof);

/** The same for elements that are decoded already. */
export function verifyDecodedBatch(
  publicKey: Uint8Array,
  blinded: DecodedBatch,
  evaluated: DecodedBatch,
  proof: Uint8Array,
): void {
  if (proof.length !== 2 * SCALAR_BYTES) badProof();
  checkElement(publicKey);
  const c = proof.subarray(0, SCALAR_BYTES);
  const s = proof.subarray(SCALAR_BYTES);
  try {
    checkScalar(c);
    checkScalar(s);
  } catch {
    badProof();
  }
  const weights = compositeWeights(publicKey, blinded.elements, evaluated.elements);
  const m = weightedSum(weights, blinded.points);
  const z = weightedSum(weights, evaluated.points);
  const t2 = addElements(multiplyElement(s, GENERATOR), multiplyElement(c, publicKey));
  const t3 = addElements(multiplyElement(s, m), multiplyElement(c, z));
  if (!equalBytes(challengeOf([publicKey, m, z, t2, t3]), c)) badProof();
}
