/**
 * The node's side of the OPRF in batches: blind inputs, check and combine two holders' answers, unblind. Between the two
 * calls a `BlindedBatch` may be stored (it is as secret as the inputs) and the work resumed.
 */
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { MAX_BATCH, verifyBatch } from './dleq.js';
import type { BatchResponse } from './key-holder.js';
import { evaluationPublicKey, type HolderPair, type PublicKeySet } from './key-share.js';
import { hashToGroup, outputOf } from './oprf.js';
import { addElements, invertScalars, multiplyElement, randomScalars } from './ristretto.js';

/** Inputs, the scalar each was blinded with, and what is sent. All three stay in step. */
export interface BlindedBatch {
  readonly inputs: readonly Uint8Array[];
  readonly blinds: readonly Uint8Array[];
  readonly elements: readonly Uint8Array[];
}

/** Blinds 1 to 4,096 inputs (RFC 9497 section 3.3.1). Throws `bad-batch`. */
export function blindBatch(inputs: readonly Uint8Array[], random: RandomSource): BlindedBatch {
  if (inputs.length < 1 || inputs.length > MAX_BATCH) {
    throw new ConcordatError('bad-batch', `a batch holds 1 to ${MAX_BATCH} inputs`);
  }
  const blinds = randomScalars(inputs.length, random);
  const elements = inputs.map((input, i) =>
    multiplyElement(blinds[i] as Uint8Array, hashToGroup(input)),
  );
  return { inputs, blinds, elements };
}

/**
 * The 64-byte outputs of a batch from the answers of the two holders of `pair`: both proofs are checked against the
 * published keys first, then the answers are added, which is evaluation under the whole key, and unblinded.
 * Throws `bad-proof`, `bad-batch`, `bad-pair`, `malformed-element`, `identity-element`; then use nothing of the batch.
 */
export function finishBatch(
  batch: BlindedBatch,
  pair: HolderPair,
  responses: readonly [BatchResponse, BatchResponse],
  keys: PublicKeySet,
): Uint8Array[] {
  responses.forEach((response, i) => {
    if (response.index !== pair[i]) {
      throw new ConcordatError('bad-pair', 'the answers are not those of the two holders asked');
    }
    const publicKey = evaluationPublicKey(keys, pair, response.index);
    verifyBatch(publicKey, batch.elements, response.evaluated, response.proof);
  });
  return unblindBatch(batch, responses[0].evaluated, responses[1].evaluated);
}

/** The second half of `finishBatch`, without the proofs: adds the holders' evaluations, unblinds and hashes. */
export function unblindBatch(
  batch: BlindedBatch,
  first: readonly Uint8Array[],
  second: readonly Uint8Array[],
): Uint8Array[] {
  return invertScalars(batch.blinds).map((inverse, i) => {
    const evaluated = addElements(first[i] as Uint8Array, second[i] as Uint8Array);
    return outputOf(batch.inputs[i] as Uint8Array, multiplyElement(inverse, evaluated));
  });
}
