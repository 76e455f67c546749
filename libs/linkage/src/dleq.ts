/**
 * Batched proofs of equal discrete logarithms, RFC 9497 section 2.2: one proof of 64 bytes shows that all elements of a
 * batch were multiplied by the scalar behind a public key. Reproduces the proofs of appendix A.1.2.
 */
import { ConcordatError, concatBytes, equalBytes, utf8ToBytes } from '#libs/bytes';
import { hashToScalar, lengthPrefixed, SCALAR_TAG, tagOf } from './oprf.js';
import {
  addElements,
  checkElement,
  checkScalar,
  multiplyBase,
  multiplyElement,
  multiplyScalars,
  SCALAR_BYTES,
  sha512,
  smallScalar,
  subtractScalars,
} from './ristretto.js';

/** Largest batch: its indexes fit the two bytes RFC 9497 gives them, and a key-holder answers in about a second. */
export const MAX_BATCH = 4096;

const GENERATOR = multiplyBase(smallScalar(1));
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
  if (blinded.length !== evaluated.length || blinded.length < 1 || blinded.length > MAX_BATCH) {
    throw new ConcordatError('bad-batch', `a batch holds 1 to ${MAX_BATCH} elements`);
  }
  const seed = sha512(concatBytes(lengthPrefixed(publicKey), lengthPrefixed(SEED_TAG)));
  const prefix = lengthPrefixed(seed);
  return blinded.map((element, i) =>
    hashToScalar(
      concatBytes(
        prefix,
        Uint8Array.of(i >>> 8, i & 255),
        lengthPrefixed(element),
        lengthPrefixed(evaluated[i] as Uint8Array),
        COMPOSITE,
      ),
      SCALAR_TAG.voprf,
    ),
  );
}

const weightedSum = (
  weights: readonly Uint8Array[],
  elements: readonly Uint8Array[],
): Uint8Array => {
  let sum: Uint8Array | null = null;
  weights.forEach((weight, i) => {
    const term = multiplyElement(weight, elements[i] as Uint8Array);
    sum = sum === null ? term : addElements(sum, term);
  });
  return sum ?? badProof();
};

const challengeOf = (parts: readonly Uint8Array[]): Uint8Array =>
  hashToScalar(concatBytes(...parts.map(lengthPrefixed), CHALLENGE), SCALAR_TAG.voprf);

/**
 * GenerateProof (RFC 9497 section 2.2.1): `evaluated[i]` = `secretKey` * `blinded[i]` for all i. `nonce` is a fresh
 * `randomScalar`: one that is used twice reveals the key. Returns c || s, 64 bytes.
 */
export function proveBatch(
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
  nonce: Uint8Array,
): Uint8Array {
  checkScalar(nonce);
  const m = weightedSum(compositeWeights(publicKey, blinded, evaluated), blinded);
  const z = multiplyElement(secretKey, m);
  const t2 = multiplyBase(nonce);
  const t3 = multiplyElement(nonce, m);
  const c = challengeOf([publicKey, m, z, t2, t3]);
  return concatBytes(c, subtractScalars(nonce, multiplyScalars(c, secretKey)));
}

/** VerifyProof (RFC 9497 section 2.2.2). Throws `bad-proof`, `bad-batch`, and the codes of malformed elements. */
export function verifyBatch(
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
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
  const weights = compositeWeights(publicKey, blinded, evaluated);
  const m = weightedSum(weights, blinded);
  const z = weightedSum(weights, evaluated);
  const t2 = addElements(multiplyElement(s, GENERATOR), multiplyElement(c, publicKey));
  const t3 = addElements(multiplyElement(s, m), multiplyElement(c, z));
  if (!equalBytes(challengeOf([publicKey, m, z, t2, t3]), c)) badProof();
}
