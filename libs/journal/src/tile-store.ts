/**
 * The tiles and entry bundles of a growing log, written as they fill. They repeat what the record file holds, in the layout
 * C2SP tlog-tiles gives to clients; whatever is missing is built again when the log is opened.
 */

import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, replaceFile } from '#libs/host';
import {
  CompactRange,
  formatEntryBundle,
  HASH_BYTES,
  type HashReader,
  leafHash,
  TILE_HEIGHT,
  TILE_WIDTH,
  type TileLevel,
  tileHashReader,
  tilePath,
} from '#libs/tlog';

interface FilledTile {
  readonly level: TileLevel;
  readonly index: bigint;
  readonly bytes: Uint8Array;
}

const joinHashes = (row: readonly Uint8Array[]): Uint8Array => Buffer.concat(row);

export class TileStore {
  readonly #dir: string;
  readonly #range = new CompactRange();
  /** Hashes of the partial tile of each level. */
  readonly #rows: Uint8Array[][] = [];
  /** Full tiles of each level so far. */
  readonly #filled: bigint[] = [];
  /** Entries of the partial bundle. */
  #bundle: Uint8Array[] = [];
  /** Full tiles and bundles not on disk yet, by path. */
  readonly #pending = new Map<string, FilledTile>();
  #writing: Promise<void> = Promise.resolve();

  constructor(dir: string) {
    this.#dir = dir;
  }

  get size(): bigint {
    return this.#range.size;
  }

  root(): Uint8Array {
    return this.#range.root();
  }

  /** Adds one entry in memory; `flush` writes what has filled. The bytes must not change afterwards. */
  add(entry: Uint8Array): void {
    this.#bundle.push(entry);
    this.#range.append(leafHash(entry), (level, hash) => {
      if (level % TILE_HEIGHT !== 0) return;
      const tileLevel = level / TILE_HEIGHT;
      const row = this.#rows[tileLevel] ?? [];
      this.#rows[tileLevel] = row;
      row.push(hash);
      if (row.length < TILE_WIDTH) return;
      const index = this.#filled[tileLevel] ?? 0n;
      this.#fill({ level: tileLevel, index, bytes: joinHashes(row) });
      if (tileLevel === 0) {
        this.#fill({ level: 'entries', index, bytes: formatEntryBundle(this.#bundle) });
        this.#bundle = [];
      }
      this.#rows[tileLevel] = [];
      this.#filled[tileLevel] = index + 1n;
    });
  }

  #fill(tile: FilledTile): void {
    this.#pending.set(tilePath(tile.level, tile.index), tile);
  }

  /** While a log is opened: writes those of its full tiles that are missing or cut, and lets go of the rest. */
  async writeMissing(): Promise<void> {
    for (const [path, { bytes }] of this.#pending) {
      try {
        if ((await stat(join(this.#dir, path))).size === bytes.length) this.#pending.delete(path);
      } catch (error) {
        if (!hasErrno(error, 'ENOENT')) throw error;
      }
    }
    await this.flush();
  }

  /** Deletes what stands on disk past the right edge: tiles of entries that were never signed and are gone. */
  async removeBeyond(): Promise<void> {
    const edges: [TileLevel, number][] = this.#rows.map((row, level) => [level, row.length]);
    edges.push(['entries', this.#bundle.length]);
    for (const [level, width] of edges) {
      const path = tilePath(level, this.#filled[level === 'entries' ? 0 : level] ?? 0n);
      await rm(join(this.#dir, path), { force: true });
      for (const name of await readdir(join(this.#dir, `${path}.p`)).catch(() => [])) {
        if (Number(name) > width) await rm(join(this.#dir, `${path}.p`, name), { force: true });
      }
    }
  }

  /** Writes the full tiles that are not on disk yet; what fails is tried again by the next call. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      for (const [path, { bytes }] of this.#pending) {
        await replaceFile(join(this.#dir, path), bytes);
        this.#pending.delete(path);
        await rm(join(this.#dir, `${path}.p`), { recursive: true, force: true });
      }
    });
  }

  /** One write at a time: a partial tile must not be written where its directory is just being deleted. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    const run = this.#writing.then(task);
    this.#writing = run.catch(() => undefined);
    return run;
  }

  /** The partial tiles and the partial bundle of the present size, for `writePartial`. */
  partial(): readonly (readonly [path: string, bytes: Uint8Array])[] {
    const tiles: (readonly [string, Uint8Array])[] = [];
    this.#rows.forEach((row, level) => {
      if (row.length === 0) return;
      const index = this.#filled[level] ?? 0n;
      tiles.push([tilePath(level, index, row.length), joinHashes(row)]);
    });
    if (this.#bundle.length > 0) {
      const path = tilePath('entries', this.#filled[0] ?? 0n, this.#bundle.length);
      tiles.push([path, formatEntryBundle(this.#bundle)]);
    }
    return tiles;
  }

  /** Writes partial tiles. Not durable: they can be built again, and a full tile replaces them soon. */
  writePartial(tiles: readonly (readonly [string, Uint8Array])[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const [path, bytes] of tiles) {
        await replaceFile(join(this.#dir, path), bytes, { durable: false });
      }
    });
  }

  /** Node hashes of the tree as it is now, from memory and from the full tiles on disk. */
  reader(): HashReader {
    const rows = this.#rows.map((row) => [...row]);
    const filled = [...this.#filled];
    return tileHashReader(this.size, async ({ level, index }) => {
      if (index === (filled[level] ?? 0n)) return joinHashes(rows[level] ?? []);
      const path = tilePath(level, index);
      const bytes = this.#pending.get(path)?.bytes ?? (await readFile(join(this.#dir, path)));
      return bytes.subarray(0, TILE_WIDTH * HASH_BYTES);
    });
  }
}
