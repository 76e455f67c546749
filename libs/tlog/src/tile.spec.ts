import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  CompactRange,
  formatEntryBundle,
  HASH_BYTES,
  inclusionProof,
  leafHash,
  parseEntryBundle,
  parseTilePath,
  rootOfPrefix,
  type Tile,
  tileHashReader,
  tileOfNode,
  tilePath,
  tilesOfTree,
  tileWidth,
  verifyInclusion,
} from './index.js';

const malformed = expect.objectContaining({ code: 'malformed-tile' });

describe('tile paths (C2SP tlog-tiles)', () => {
  it.each<[string, ...Parameters<typeof tilePath>]>([
    ['tile/0/x001/x234/067', 0, 1234067],
    ['tile/0/000', 0, 0n],
    ['tile/1/999', 1, 999],
    ['tile/1/x001/000', 1, 1000],
    ['tile/63/005.p/1', 63, 5, 1],
    ['tile/entries/273.p/112', 'entries', 273, 112],
    ['tile/0/x036/x028/x797/x018/x963/968', 0, 36028797018963968n],
  ])('%s', (path, ...tile) => {
    expect(tilePath(...tile)).toBe(path);
    const [level, index, width = 256] = tile;
    expect(parseTilePath(path)).toEqual({ level, index: BigInt(index), width });
  });

  it.each([
    'tile/64/000',
    'tile/00/000',
    'tile/0/00',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    '/tile/0/000',
    'tile/-1/000',
    'tile/0/../000',
  ])('refuses %s', (path) => {
    expect(() => parseTilePath(path)).toThrow(malformed);
  });

  it('refuses tiles that cannot be', () => {
    expect(() => tilePath(64, 0)).toThrow(malformed);
    expect(() => tilePath(0, -1n)).toThrow(malformed);
    expect(() => tilePath(0, 0.5)).toThrow(malformed);
    expect(() => tilePath(0, 0, 257)).toThrow(malformed);
    expect(() => tilePath(0, 0, 0)).toThrow(malformed);
    for (const bad of [undefined, null, 'x', [], {}, Number.NaN, 2 ** 53] as never[]) {
      expect(() => tilePath(0, bad)).toThrow(malformed);
      expect(() => tilePath(bad, 0)).toThrow(malformed);
    }
  });

  it('cuts a tree of 70,000 as the specification says', () => {
    const tiles = [...tilesOfTree(70_000n)];
    const widths = (level: number) => tiles.filter((t) => t.level === level).map((t) => t.width);
    expect(widths(0)).toEqual([...Array(273).fill(256), 112]);
    expect(widths(1)).toEqual([256, 17]);
    expect(widths(2)).toEqual([1]);
    expect([...tilesOfTree(256n)].map(({ level, width }) => [level, width])).toEqual([
      [0, 256],
      [1, 1],
    ]);
    expect([...tilesOfTree(0n)]).toEqual([]);
    expect(tileWidth('entries', 273n, 70_000n)).toBe(112);
    expect(tileWidth('entries', 274n, 70_000n)).toBe(0);
  });

  it('puts nodes where the specification does', () => {
    expect(tileOfNode(0, 257n)).toEqual({ tileLevel: 0, tileIndex: 1n, first: 1, count: 1 });
    expect(tileOfNode(3, 33n)).toEqual({ tileLevel: 0, tileIndex: 1n, first: 8, count: 8 });
    expect(tileOfNode(8, 300n)).toEqual({ tileLevel: 1, tileIndex: 1n, first: 44, count: 1 });
  });
});

describe('hash tiles', () => {
  it('give every root and proof back', async () => {
    const tiles = new Map<string, Uint8Array[]>();
    const counts: bigint[] = [];
    const range = new CompactRange();
    const roots: Uint8Array[] = [range.root()];
    for (let i = 0; i < 1200; i++) {
      range.append(leafHash(Uint8Array.of(i, i >> 8)), (level, hash) => {
        if (level % 8 !== 0) return;
        const count = counts[level / 8] ?? 0n;
        counts[level / 8] = count + 1n;
        const path = tilePath(level / 8, count >> 8n);
        tiles.set(path, [...(tiles.get(path) ?? []), hash]);
      });
      roots.push(range.root());
    }
    const read = ({ level, index, width }: Tile): Uint8Array => {
      const bytes = new Uint8Array(width * HASH_BYTES);
      (tiles.get(tilePath(level, index)) ?? []).slice(0, width).forEach((hash, i) => {
        bytes.set(hash, i * HASH_BYTES);
      });
      return bytes;
    };
    for (const size of [1, 2, 255, 256, 257, 511, 512, 513, 1000, 1200]) {
      const reader = tileHashReader(BigInt(size), read);
      const root = await rootOfPrefix(BigInt(size), reader);
      expect(root).toEqual(roots[size]);
      for (const index of [0, size >> 1, size - 1]) {
        const claim = {
          leafIndex: BigInt(index),
          treeSize: BigInt(size),
          leafHash: leafHash(Uint8Array.of(index, index >> 8)),
          proof: await inclusionProof(BigInt(index), BigInt(size), reader),
          root,
        };
        expect(verifyInclusion(claim)).toBe(true);
      }
      await expect(reader(0, BigInt(size))).rejects.toMatchObject({ code: 'out-of-range' });
    }
    const short = tileHashReader(1200n, () => new Uint8Array(31));
    await expect(short(0, 0n)).rejects.toMatchObject({ code: 'malformed-tile' });
  });
});

describe('entry bundles', () => {
  const code = expect.objectContaining({ code: 'malformed-bundle' });

  it('come back as they went in', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(entries, (list) => {
        expect(parseEntryBundle(formatEntryBundle(list)).map((e) => [...e])).toEqual(
          list.map((e) => [...e]),
        );
      }),
      { numRuns: 50 },
    );
    expect([...formatEntryBundle([Uint8Array.of(7, 8), new Uint8Array()])]).toEqual([
      0, 2, 7, 8, 0, 0,
    ]);
  });

  it('are refused when cut, empty or too large', () => {
    const bundle = formatEntryBundle([new Uint8Array(300), Uint8Array.of(1)]);
    for (let cut = 0; cut < bundle.length; cut++) {
      if (cut === 302) continue;
      expect(() => parseEntryBundle(bundle.subarray(0, cut))).toThrow(code);
    }
    expect(() => formatEntryBundle([])).toThrow(code);
    expect(() => formatEntryBundle([new Uint8Array(65_536)])).toThrow(code);
    expect(() => formatEntryBundle(Array(257).fill(new Uint8Array()))).toThrow(code);
    expect(() => parseEntryBundle(new Uint8Array(2 * 257))).toThrow(code);
  });
});
