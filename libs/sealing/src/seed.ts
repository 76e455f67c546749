/**
 * Seeds out of a secret (HKDF with SHA-256, RFC 5869). A seed that is a pseudorandom function of round and answer, and not drawn
 * afresh, makes a process that was killed send the same bytes again, while no two rounds and no two answers share a mask.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ConcordatError, utf8ToBytes } from '#libs/bytes';

export const SEED_BYTES = 32;

function derive(secret: Uint8Array, info: string): Uint8Array {
  if (secret.length !== SEED_BYTES) {
    throw new ConcordatError('bad-secret', `a secret that seeds come from has ${SEED_BYTES} bytes`);
  }
  return hkdf(sha256, secret, undefined, utf8ToBytes(info), SEED_BYTES);
}

/** Seed of the mask of one answer, named by its digest, in one round. Throws `bad-secret`. */
export const maskSeed = (secret: Uint8Array, round: string, answer: string): Uint8Array =>
  derive(secret, `concordat/mask-seed/v1\n${round}\n${answer}`);

/**
 * 32 bytes in front of a vector, which make the SHA-256 of both a commitment that hides the vector: whoever knows the digest alone
 * cannot test guesses of a small vector against it. `occasion` names the one log entry that the answer is for. Throws `bad-secret`.
 */
export const answerBlind = (secret: Uint8Array, occasion: string): Uint8Array =>
  derive(secret, `concordat/answer-blind/v1\n${occasion}`);
