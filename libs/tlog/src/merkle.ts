/**
 * Merkle tree hashing of RFC 6962 section 2.1 (RFC 9162 section 2.1 is the same): SHA-256, a 0x00 byte before an entry
 * and a 0x01 byte before two child hashes, so that neither can be passed off as the other.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { ConcordatError } from '#libs/bytes';

export const HASH_BYTES = 32;

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** Root of the tree without entries: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array());

/** `SHA-256(0x00 || entry)`: the leaf that stands for an entry of any length. Throws `malformed-leaf` for what is not bytes. */
export function leafHash(entry: Uint8Array): Uint8Array {
  if (!(entry instanceof Uint8Array)) {
    throw new ConcordatError('malformed-leaf', 'an entry is bytes (Uint8Array); encode it first');
  }
  return sha256.create().update(LEAF_PREFIX).update(entry).digest();
}

/** `SHA-256(0x01 || left || right)` of two 32-byte hashes. */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256.create().update(NODE_PREFIX).update(left).update(right).digest();

/** Throws `malformed-hash` unless `hash` is 32 bytes. */
export function assertHash(hash: Uint8Array): void {
  if (!(hash instanceof Uint8Array) || hash.length !== HASH_BYTES) {
    throw new ConcordatError(
      'malformed-hash',
      'a Merkle tree hash is 32 bytes; hash entries with leafHash first',
    );
  }
}
