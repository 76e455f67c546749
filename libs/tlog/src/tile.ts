/**
 * Where a log's hashes and entries stand, after C2SP tlog-tiles: a tile is 256 consecutive hashes of one tree level, level L
 * of tiles holding tree level 8L. Path and position arithmetic alone; nothing here reads or hashes.
 */
import { ConcordatError } from '#libs/bytes';

/** Levels of the tree in one tile. */
export const TILE_HEIGHT = 8;
/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256;

/** `'entries'` names the entry bundles, which are laid out as level 0 is. */
export type TileLevel = number | 'entries';

export interface Tile {
  readonly level: TileLevel;
  readonly index: bigint;
  /** Hashes or entries in it, 1 to 256. */
  readonly width: number;
}

const malformed = (why: string): never => {
  throw new ConcordatError('malformed-tile', `not a tile: ${why}`);
};

function assertTile({ level, index, width }: Tile): void {
  if (level !== 'entries' && !(Number.isInteger(level) && level >= 0 && level <= 63)) {
    malformed("the level is 0 to 63 or 'entries'");
  }
  if (index < 0n) malformed('the index is not negative');
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH)
    malformed('the width is 1 to 256');
}

/** Index in groups of three digits, all but the last marked: 1234067 is `x001/x234/067`. */
const indexPath = (index: bigint): string => {
  const digits = index.toString();
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  return padded.replace(/\d{3}(?=\d)/g, 'x$&/');
};

/**
 * Path below a log's prefix, without a leading slash: `tilePath(0, 1234067)` is `tile/0/x001/x234/067`, and
 * `tilePath('entries', 273, 112)` is `tile/entries/273.p/112`. Throws `malformed-tile`.
 */
export function tilePath(level: TileLevel, index: bigint | number, width = TILE_WIDTH): string {
  if (typeof index !== 'bigint' && !Number.isSafeInteger(index))
    malformed('the index is an integer');
  const tile = { level, index: BigInt(index), width };
  assertTile(tile);
  const suffix = width === TILE_WIDTH ? '' : `.p/${width}`;
  return `tile/${level}/${indexPath(tile.index)}${suffix}`;
}

/** Inverse of `tilePath`; any other spelling is `malformed-tile`. */
export function parseTilePath(path: string): Tile {
  const match = /^tile\/(\d{1,2}|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (!match) return malformed('the path is tile/<level>/<index>[.p/<width>]');
  const [, level = '', index = '', width] = match;
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: BigInt(index.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  if (tilePath(tile.level, tile.index, tile.width) !== path)
    malformed('the path has another spelling');
  return tile;
}

/** Position of the perfect subtree `(level, index)`: the tile it lies in, and the tile's hashes that make it up. */
export function tileOfNode(
  level: number,
  index: bigint,
): {
  readonly tileLevel: number;
  readonly tileIndex: bigint;
  readonly first: number;
  readonly count: number;
} {
  const within = level % TILE_HEIGHT;
  const offset = index << BigInt(within);
  return {
    tileLevel: (level - within) / TILE_HEIGHT,
    tileIndex: offset >> BigInt(TILE_HEIGHT),
    first: Number(offset & BigInt(TILE_WIDTH - 1)),
    count: 1 << within,
  };
}

/** The tile's width in a tree of `size` leaves: 256 when full, 0 when the tree does not reach it. */
export function tileWidth(level: TileLevel, index: bigint, size: bigint): number {
  const height = level === 'entries' ? 0n : BigInt(TILE_HEIGHT * level);
  const left = (size >> height) - index * BigInt(TILE_WIDTH);
  return left <= 0n ? 0 : left >= BigInt(TILE_WIDTH) ? TILE_WIDTH : Number(left);
}

/** The hash tiles of the tree of `size` leaves, level by level from the leaves, full ones before the partial one. */
export function* tilesOfTree(size: bigint): Generator<Tile & { readonly level: number }> {
  for (let level = 0; size >> BigInt(TILE_HEIGHT * level) > 0n; level++) {
    for (let index = 0n; ; index++) {
      const width = tileWidth(level, index, size);
      if (width === 0) break;
      yield { level, index, width };
    }
  }
}
