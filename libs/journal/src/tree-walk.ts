/**
 * One pass over the entries of a log, in which all that is stored of the tree is compared: bundles with leaf hashes, leaf
 * hashes with tiles, tiles with each other, roots with every checkpoint. Memory does not grow with the log.
 */
import { equalBytes, isConcordatError } from '#libs/bytes';
import {
  type Checkpoint,
  CompactRange,
  HASH_BYTES,
  leafHash,
  parseEntryBundle,
  TILE_HEIGHT,
  TILE_WIDTH,
  type TileLevel,
  tilePath,
  tileWidth,
} from '#libs/tlog';
import { CHECKPOINT } from './layout.js';
import { partialWidths } from './log-source.js';
import type { Claim, Verification } from './verification.js';

/** The next entry of another copy, compared with the bundles' as they go by. */
export type NextRecord = () => Promise<Uint8Array | undefined>;

/** A tile and the hashes its entries give it. */
interface ComputedTile {
  readonly level: TileLevel;
  readonly index: bigint;
  readonly row: readonly Uint8Array[];
}

/** Walks the tree `latest` signed; each claim is settled at its size. Returns where it came to, so that entries after it can be hashed on. */
export async function walkTree(
  verification: Verification,
  latest: Checkpoint,
  claims: readonly Claim[],
  nextRecord?: NextRecord,
): Promise<CompactRange> {
  const { size } = latest;
  const bySize = [...claims].sort((a, b) => (a.size < b.size ? -1 : a.size > b.size ? 1 : 0));
  const range = new CompactRange();
  const rows: Uint8Array[][] = [];
  const filled: bigint[] = [];
  let settled = 0;
  const settle = (): void => {
    for (; bySize[settled]?.size === range.size; settled++) {
      const { at, kind, root } = bySize[settled] as Claim;
      if (!equalBytes(range.root(), root)) verification.fault(at, kind);
    }
  };
  const append = (leaf: Uint8Array): ComputedTile[] => {
    const full: ComputedTile[] = [];
    range.append(leaf, (level, hash) => {
      if (level % TILE_HEIGHT !== 0) return;
      const tileLevel = level / TILE_HEIGHT;
      const row = rows[tileLevel] ?? [];
      rows[tileLevel] = row;
      row.push(hash);
      if (row.length < TILE_WIDTH) return;
      const index = filled[tileLevel] ?? 0n;
      full.push({ level: tileLevel, index, row });
      rows[tileLevel] = [];
      filled[tileLevel] = index + 1n;
    });
    settle();
    return full;
  };

  settle();
  for (let index = 0n; range.size < size; index++) {
    const entries = await readBundle(verification, index, size);
    const leaves = entries?.map(leafHash) ?? (await readRow(verification, index, size));
    // neither entries nor their hashes: nothing behind this place can be verified
    if (!leaves) break;
    const full: ComputedTile[] = [{ level: 'entries', index, row: leaves }];
    for (const [i, leaf] of leaves.entries()) {
      const record = await nextRecord?.();
      if (record && !equalBytes(leafHash(record), leaf)) {
        verification.fault(`entry ${range.size}`, 'record-mismatch');
      }
      const entry = entries?.[i];
      if (entry) await verification.options.onEntry?.(range.size, entry);
      full.push(...append(leaf));
    }
    for (const tile of full) await compareTile(verification, tile, size);
  }
  for (const [level, row] of rows.entries()) {
    if (row.length === 0) continue;
    await compareTile(verification, { level, index: filled[level] ?? 0n, row }, size);
  }
  if (range.size !== size || !equalBytes(range.root(), latest.root)) {
    verification.fault(CHECKPOINT, 'root-mismatch');
  }
  return range;
}

/** A tile's bytes in the tree of `size`, from the full file where the partial one is gone already. */
async function readTile(
  { read }: Verification,
  level: TileLevel,
  index: bigint,
  size: bigint,
): Promise<Uint8Array | undefined> {
  const width = tileWidth(level, index, size);
  return (await read(tilePath(level, index, width))) ?? (await read(tilePath(level, index)));
}

/** Leaf hashes as a level-0 tile claims them, for entries whose bundle is gone. */
async function readRow(
  verification: Verification,
  index: bigint,
  size: bigint,
): Promise<Uint8Array[] | undefined> {
  const width = tileWidth(0, index, size);
  const bytes = await readTile(verification, 0, index, size);
  if (!bytes || bytes.length < width * HASH_BYTES) return undefined;
  return Array.from({ length: width }, (_, i) => hashAt(bytes, i));
}

const hashAt = (tile: Uint8Array, i: number): Uint8Array =>
  tile.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES);

async function readBundle(
  verification: Verification,
  index: bigint,
  size: bigint,
): Promise<Uint8Array[] | undefined> {
  const width = tileWidth('entries', index, size);
  const path = tilePath('entries', index, width);
  const bytes = await readTile(verification, 'entries', index, size);
  if (!bytes) return verification.fault(path, 'bundle-missing');
  const entries = parseBundle(bytes);
  if (!entries || entries.length < width) return verification.fault(path, 'bundle-malformed');
  return entries.slice(0, width);
}

function parseBundle(bytes: Uint8Array): Uint8Array[] | undefined {
  try {
    return parseEntryBundle(bytes);
  } catch (error) {
    if (isConcordatError(error, 'malformed-bundle')) return undefined;
    throw error;
  }
}

/**
 * Compares every file of a tile with the hashes its entries give: the one a client of this tree needs, and in a directory
 * the narrower and wider ones of the same tile that are still there.
 */
async function compareTile(
  verification: Verification,
  { level, index, row }: ComputedTile,
  size: bigint,
): Promise<void> {
  const own = tileWidth(level, index, size);
  const widths = new Set([own, TILE_WIDTH]);
  // the row of a bundle was computed from just this file
  if (level === 'entries') widths.delete(own);
  if (verification.dir !== undefined) {
    for (const width of await partialWidths(verification.dir, tilePath(level, index))) {
      if (width < TILE_WIDTH) widths.add(width);
    }
  }
  let isServed = false;
  for (const width of widths) {
    const path = tilePath(level, index, width);
    const bytes = await verification.read(path);
    if (!bytes) continue;
    if (width === own || width === TILE_WIDTH) isServed = true;
    const hashes = level === 'entries' ? parseBundle(bytes)?.map(leafHash) : splitHashes(bytes);
    if (hashes?.length !== width) {
      verification.fault(path, level === 'entries' ? 'bundle-malformed' : 'tile-mismatch');
      continue;
    }
    const wrong = row.findIndex(
      (hash, i) => i < width && !equalBytes(hash, hashes[i] as Uint8Array),
    );
    if (wrong < 0) continue;
    verification.fault(path, level === 'entries' ? 'bundle-mismatch' : 'tile-mismatch');
    if (level !== 0) continue;
    verification.fault(`entry ${index * BigInt(TILE_WIDTH) + BigInt(wrong)}`, 'entry-mismatch');
  }
  if (!isServed && level !== 'entries') {
    verification.fault(tilePath(level, index, own), 'tile-missing');
  }
}

const splitHashes = (bytes: Uint8Array): Uint8Array[] | undefined =>
  bytes.length % HASH_BYTES === 0
    ? Array.from({ length: bytes.length / HASH_BYTES }, (_, i) => hashAt(bytes, i))
    : undefined;
