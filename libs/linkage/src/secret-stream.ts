/**
 * A stream of words that only who holds a secret can compute, the same each time: HMAC-SHA-512 in counter mode
 * (NIST SP 800-108r1 section 4.1). Two nodes draw their common dummies from it, and a node its blinds, so that a batch which a
 * kill interrupted is the same batch when it is sent again.
 */
import { ConcordatError, domainDigest, utf8ToBytes } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { hmacSha512 } from './ristretto.js';

const BLOCK_WORDS = 16;

/** The stream of `secret` (32 bytes) for one use; `use` names everything it is bound to. Throws `bad-seed`. */
export function secretStream(secret: Uint8Array, ...use: readonly string[]): RandomSource {
  if (secret.length !== 32) throw new ConcordatError('bad-seed', 'a secret has 32 bytes');
  const key = domainDigest('concordat/linkage/stream/v1', secret, ...use.map(utf8ToBytes));
  const counter = new Uint8Array(8);
  const view = new DataView(counter.buffer);
  let block: DataView = view;
  let at = BLOCK_WORDS;
  let next = 0n;
  return {
    fillWords(out) {
      for (let i = 0; i < out.length; i++) {
        if (at === BLOCK_WORDS) {
          view.setBigUint64(0, next++);
          const mac = hmacSha512(key, counter);
          block = new DataView(mac.buffer, mac.byteOffset, mac.byteLength);
          at = 0;
        }
        out[i] = block.getUint32(4 * at++);
      }
    },
  };
}
