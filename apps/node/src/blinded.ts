import { answerBlind, SEED_BYTES } from '#libs/sealing';
import type { Node } from './node.js';

/** The blob of an answer that was made for a sealed round: blind, then vector, so that its digest tells nothing of the vector. */
export function blinded(vector: Uint8Array, reservation: bigint, { sealSecret }: Node): Uint8Array {
  const blob = new Uint8Array(SEED_BYTES + vector.length);
  blob.set(answerBlind(sealSecret, String(reservation)));
  blob.set(vector, SEED_BYTES);
  return blob;
}
