/**
 * The right edge of a growing Merkle tree: one hash for each perfect subtree of the size's binary form, so that a tree of
 * n leaves is carried on with log2(n) hashes. Called a compact range in transparency-dev/merkle.
 */
import { ConcordatError } from '#libs/bytes';
import { assertHash, EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash } from './merkle.js';

/** Called for each perfect subtree as it completes, smaller levels first; the leaf itself is level 0. */
export type OnNode = (level: number, hash: Uint8Array) => void;

export class CompactRange {
  #size = 0n;
  /** Perfect subtrees from left (largest) to right; their levels are the set bits of the size, highest first. */
  readonly #nodes: Uint8Array[] = [];

  /** Takes up a tree of `size` leaves from the hashes `nodes` returned before. Throws `malformed-range`. */
  static restore(size: bigint, nodes: readonly Uint8Array[]): CompactRange {
    const bits = size < 0n ? -1 : size.toString(2).replaceAll('0', '').length;
    if (nodes.length !== bits) {
      throw new ConcordatError(
        'malformed-range',
        'one hash is needed for each set bit of the size',
      );
    }
    nodes.forEach(assertHash);
    const range = new CompactRange();
    range.#size = size;
    range.#nodes.push(...nodes.map((node) => Uint8Array.from(node)));
    return range;
  }

  /** Leaves so far. */
  get size(): bigint {
    return this.#size;
  }

  /** Hashes of the perfect subtrees, largest first; what `restore` takes. */
  get nodes(): readonly Uint8Array[] {
    return this.#nodes.map((node) => Uint8Array.from(node));
  }

  /** Adds one 32-byte leaf hash. Amortised one node hash. Throws `malformed-hash`. */
  append(leaf: Uint8Array, onNode?: OnNode): void {
    assertHash(leaf);
    let node: Uint8Array = Uint8Array.from(leaf);
    onNode?.(0, node);
    let level = 0;
    for (let rest = this.#size; (rest & 1n) === 1n; rest >>= 1n) {
      node = nodeHash(this.#nodes.pop() as Uint8Array, node);
      onNode?.(++level, node);
    }
    this.#nodes.push(node);
    this.#size += 1n;
  }

  /** Merkle tree hash of the leaves so far. */
  root(): Uint8Array {
    const [last = EMPTY_ROOT, ...larger] = this.#nodes.toReversed();
    // a copy: a caller that changes it must not change the tree
    return Uint8Array.from(larger.reduce((right, left) => nodeHash(left, right), last));
  }
}

/** Merkle tree hash of 32-byte leaf hashes; `EMPTY_ROOT` for none. Throws `malformed-hash` for anything else. */
export function rootOfLeafHashes(leaves: readonly Uint8Array[]): Uint8Array {
  const range = new CompactRange();
  for (const leaf of leaves) range.append(leaf);
  return range.root();
}

/**
 * Merkle tree hash of a list (RFC 6962 section 2.1), `EMPTY_ROOT` for none. When every item is 32 bytes they are taken for leaf
 * hashes (`leafHash` of each entry); when any is not, all are entries, of any length, and are hashed first. Entries that may
 * all be 32 bytes long are told apart by hashing them first. Throws `malformed-hash` for
 * what is no list, and for items that are not bytes.
 */
export function treeRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (!Array.isArray(leaves)) {
    throw new ConcordatError('malformed-hash', 'give the leaves of a tree as a list');
  }
  const areHashes = leaves.every((leaf) => leaf?.length === HASH_BYTES);
  if (!areHashes && leaves.every((leaf) => leaf instanceof Uint8Array)) {
    return rootOfLeafHashes(leaves.map(leafHash));
  }
  return rootOfLeafHashes(leaves);
}
