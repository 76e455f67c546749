/**
 * The node's side of the OPRF in batches: blind inputs, check and combine two holders' answers, unblind. Between the two
 * calls a `BlindedBatch` may be stored (it is as secret as the inputs) and the work resumed.
 */
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { type DecodedBatch, decodeBatch, MAX_BATCH, verifyDecodedBatch } from './dleq.js';
import { addDoubled } from './edwards.js';
import type { BatchResponse } from './key-holder.js';
import { evaluationPublicKey, type HolderPair, type PublicKeySet } from './key-share.js';
import { hashToGroup, outputOf } from './oprf.js';
import { addScalars, invertScalars, multiplyElement, randomScalars } from './ristretto.js';

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
  });
  const blinded = decodeBatch(batch.elements);
  const [first, second] = [
    decodeBatch(responses[0].evaluated),
    decodeBatch(responses[1].evaluated),
  ];
  for (const [response, evaluated] of [
    [responses[0], first],
    [responses[1], second],
  ] as const) {
    const publicKey = evaluationPublicKey(keys, pair, response.index);
    verifyDecodedBatch(publicKey, blinded, evaluated, response.proof);
  }
  return unblind(batch, first, second);
}

/** The second half of `finishBatch`, without the proofs: adds the holders' evaluations, unblinds and hashes. Throws likewise. */
export const unblindBatch = (
  batch: BlindedBatch,
  first: readonly Uint8Array[],
  second: readonly Uint8Array[],
): Uint8Array[] => unblind(batch, decodeBatch(first), decodeBatch(second));

function unblind(batch: BlindedBatch, first: DecodedBatch, second: DecodedBatch): Uint8Array[] {
  const { inputs, blinds } = batch;
  if (first.elements.length !== inputs.length || second.elements.length !== inputs.length) {
    throw new ConcordatError('bad-batch', 'as many elements must come back as were sent');
  }
  const sums = addDoubled(first.points, second.points);
  // The sums come doubled: dividing by twice the blind takes both away.
  return invertScalars(blinds.map((blind) => addScalars(blind, blind))).map((inverse, i) =>
    outputOf(inputs[i] as Uint8Array, multiplyElement(inverse, sums[i] as Uint8Array)),
  );
}
