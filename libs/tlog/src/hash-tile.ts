/** Contents of hash tiles: reading the hash of any perfect subtree out of them. */
import { ConcordatError } from '#libs/bytes';
import { HASH_BYTES, nodeHash } from './merkle.js';
import type { HashReader } from './proof.js';
import { type Tile, tileOfNode, tileWidth } from './tile.js';

/** Bytes of a hash tile: `width` times 32. */
export type TileReader = (
  tile: Tile & { readonly level: number },
) => Uint8Array | Promise<Uint8Array>;

/** Hash of `count` (a power of two) consecutive hashes of a tile from the `first`. Throws `malformed-tile`. */
export function hashInTile(tile: Uint8Array, first: number, count: number): Uint8Array {
  const end = (first + count) * HASH_BYTES;
  if (tile.length % HASH_BYTES !== 0 || tile.length < end) {
    throw new ConcordatError(
      'malformed-tile',
      'the tile is shorter than its place in the tree needs',
    );
  }
  let row: Uint8Array[] = [];
  for (let at = first * HASH_BYTES; at < end; at += HASH_BYTES) {
    row.push(tile.slice(at, at + HASH_BYTES));
  }
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < row.length; i += 2) {
      above.push(nodeHash(row[i] as Uint8Array, row[i + 1] as Uint8Array));
    }
    row = above;
  }
  return row[0] as Uint8Array;
}

/**
 * Hash reader over the tiles of the tree of `size` leaves, for `inclusionProof` and `consistencyProof`. What it reads is
 * not checked: a proof made from wrong tiles fails its verification.
 */
export const tileHashReader =
  (size: bigint, read: TileReader): HashReader =>
  async (level, index) => {
    const { tileLevel, tileIndex, first, count } = tileOfNode(level, index);
    const width = tileWidth(tileLevel, tileIndex, size);
    if (width < first + count) {
      throw new ConcordatError('out-of-range', 'the tree does not reach this far');
    }
    return hashInTile(await read({ level: tileLevel, index: tileIndex, width }), first, count);
  };
