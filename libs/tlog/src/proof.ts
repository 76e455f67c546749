/**
 * Inclusion and consistency proofs of RFC 9162 sections 2.1.3 and 2.1.4 (the proofs of RFC 6962 with their verification
 * written out). Sizes are bigints: a tree may be larger than 2^53.
 */
import { ConcordatError, equalBytes } from '#libs/bytes';
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './merkle.js';

/** Hash of the perfect subtree over leaves `[index * 2^level, (index + 1) * 2^level)`. */
export type HashReader = (level: number, index: bigint) => Uint8Array | Promise<Uint8Array>;

const isHash = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && value.length === HASH_BYTES;

/** Checkpoints of C2SP give sizes below 2^64, so no path is longer. */
const MAX_SIZE = 1n << 64n;
const MAX_PROOF_HASHES = 64;

const isSize = (value: unknown): value is bigint =>
  typeof value === 'bigint' && value >= 0n && value < MAX_SIZE;

/** One hash more than the longest inclusion proof: a consistency proof may begin with the old subtree. */
const isProof = (proof: unknown): proof is readonly Uint8Array[] =>
  // Array.from: `every` alone would pass over the holes of a sparse list
  Array.isArray(proof) && proof.length <= MAX_PROOF_HASHES + 1 && Array.from(proof).every(isHash);

/** Number of bits of `value`; 0 for 0. */
const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

/** Hash of leaves `[start, end)`, `start` a multiple of the largest power of two below the length. */
async function rangeHash(start: bigint, end: bigint, read: HashReader): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let at = start; at < end; ) {
    const level = bitLength(end - at) - 1;
    parts.push(await read(level, at >> BigInt(level)));
    at += 1n << BigInt(level);
  }
  return parts.reduceRight((right, left) => nodeHash(left, right));
}

/** Root of the tree of the first `size` leaves. */
export const rootOfPrefix = async (size: bigint, read: HashReader): Promise<Uint8Array> =>
  size === 0n ? EMPTY_ROOT : rangeHash(0n, size, read);

/**
 * Hashes that prove entry `index` to be in the tree of `size` leaves, leaf side first (RFC 9162 section 2.1.3.1).
 * Throws `out-of-range` unless 0 <= index < size.
 */
export async function inclusionProof(
  index: bigint,
  size: bigint,
  read: HashReader,
): Promise<Uint8Array[]> {
  if (index < 0n || index >= size) {
    throw new ConcordatError('out-of-range', 'an inclusion proof needs 0 <= index < size');
  }
  const proof: Uint8Array[] = [];
  let start = 0n;
  let end = size;
  while (end - start > 1n) {
    // k is the largest power of two smaller than the number of leaves
    const middle = start + (1n << BigInt(bitLength(end - start - 1n) - 1));
    if (index < middle) {
      proof.push(await rangeHash(middle, end, read));
      end = middle;
    } else {
      proof.push(await rangeHash(start, middle, read));
      start = middle;
    }
  }
  return proof.reverse();
}

/**
 * Hashes that prove the tree of `size1` leaves to be a prefix of the tree of `size2` (RFC 9162 section 2.1.4.1); none when
 * the sizes are equal or `size1` is 0. Throws `out-of-range` unless 0 <= size1 <= size2.
 */
export async function consistencyProof(
  size1: bigint,
  size2: bigint,
  read: HashReader,
): Promise<Uint8Array[]> {
  if (size1 < 0n || size1 > size2) {
    throw new ConcordatError('out-of-range', 'a consistency proof needs 0 <= size1 <= size2');
  }
  if (size1 === 0n || size1 === size2) return [];
  const proof: Uint8Array[] = [];
  let start = 0n;
  let end = size2;
  while (size1 !== end) {
    const middle = start + (1n << BigInt(bitLength(end - start - 1n) - 1));
    if (size1 <= middle) {
      proof.push(await rangeHash(middle, end, read));
      end = middle;
    } else {
      proof.push(await rangeHash(start, middle, read));
      start = middle;
    }
  }
  // SUBPROOF's boolean: the verifier has the old root, so the old tree itself is not sent
  if (start > 0n) proof.push(await rangeHash(start, end, read));
  return proof.reverse();
}

export interface InclusionClaim {
  readonly leafIndex: bigint;
  readonly treeSize: bigint;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/**
 * RFC 9162 section 2.1.3.2. False for anything that does not prove it, never an error: sizes that are no bigints of 0 to
 * 2^64 - 1 and hashes that are not 32 bytes prove nothing.
 */
export function verifyInclusion(claim: InclusionClaim): boolean {
  const { leafIndex, treeSize, leafHash, proof, root } = claim ?? {};
  if (!isSize(leafIndex) || !isSize(treeSize) || leafIndex >= treeSize) return false;
  if (!isHash(leafHash) || !isHash(root) || !isProof(proof)) return false;
  let fn = leafIndex;
  let sn = treeSize - 1n;
  let hash = leafHash;
  for (const sibling of proof) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      hash = nodeHash(sibling, hash);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && equalBytes(hash, root);
}

export interface ConsistencyClaim {
  readonly size1: bigint;
  readonly size2: bigint;
  readonly root1: Uint8Array;
  readonly root2: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * RFC 9162 section 2.1.4.2, and C2SP tlog-witness for the empty tree: every tree follows size 0, so `size1` 0 is accepted
 * with an empty proof and any `root1` of 32 bytes, and refused with any other. False for anything else that is not proved,
 * never an error: sizes that are no bigints of 0 to 2^64 - 1 and hashes that are not 32 bytes prove nothing.
 */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { size1, size2, root1, root2, proof } = claim ?? {};
  if (!isSize(size1) || !isSize(size2) || size1 > size2) return false;
  if (!isHash(root1) || !isHash(root2) || !isProof(proof)) return false;
  if (size1 === size2) {
    if (size1 === 0n && !equalBytes(root2, EMPTY_ROOT)) return false;
    return proof.length === 0 && equalBytes(root1, root2);
  }
  if (size1 === 0n) return proof.length === 0;
  if (proof.length === 0) return false;

  const isPowerOfTwo = (size1 & (size1 - 1n)) === 0n;
  const path = isPowerOfTwo ? [root1, ...proof] : proof;
  let fn = size1 - 1n;
  let sn = size2 - 1n;
  while ((fn & 1n) === 1n) {
    fn >>= 1n;
    sn >>= 1n;
  }
  let hash1 = path[0] as Uint8Array;
  let hash2 = hash1;
  for (const sibling of path.slice(1)) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      hash1 = nodeHash(sibling, hash1);
      hash2 = nodeHash(sibling, hash2);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      hash2 = nodeHash(hash2, sibling);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && equalBytes(hash1, root1) && equalBytes(hash2, root2);
}
