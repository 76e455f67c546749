import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as h3 from 'h3-js';
import {
  buildTree,
  cellAt,
  cellToText,
  disk,
  domainFromCells,
  embed,
  type GridTree,
  indexOf,
  parentOf,
  parentsOf,
  parseDomainFile,
  type Resolution,
  resolutionOf,
  rollUp,
  sortedCells,
} from './index.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
/** Two places far apart and the surroundings of a pentagon: families of one to seven children. */
const pool = sortedCells([
  ...disk(cellAt(51.4545, -2.5879, 9), 15),
  ...disk(cellAt(54.97, -1.61, 9), 9),
  ...disk(BigInt(`0x${h3.getPentagons(9)[7]}`), 8),
]);
const everyNth = (n: number) =>
  domainFromCells(
    'part',
    pool.filter((_, i) => i % n === 0),
  );
const whole = domainFromCells('whole', pool);

const childrenOfNode = (tree: GridTree, v: number) =>
  Array.from(
    { length: (tree.firstChild[v + 1] as number) - (tree.firstChild[v] as number) },
    (_, k) => (tree.firstChild[v] as number) + k,
  );

describe('tree', () => {
  it.each([4, 5, 6, 7, 8, 9] as const)(
    'holds every ancestor of every cell down to %p',
    (finest) => {
      const tree = buildTree(whole, { finest });
      const levels = Array.from({ length: finest - 3 }, (_, i) => (4 + i) as Resolution);
      expect([...tree.levelResolution]).toEqual([-1, ...levels]);
      expect(tree.cells.length).toBe(tree.nodeCount);
      expect(tree.levelStart.at(-1)).toBe(tree.nodeCount);
      levels.forEach((resolution, i) => {
        const texts = new Set(
          Array.from(pool, (cell) => h3.cellToParent(cellToText(cell), resolution)),
        );
        const level = tree.cells.slice(tree.levelStart[i + 1], tree.levelStart[i + 2]);
        expect(Array.from(level, cellToText)).toEqual([...texts].sort());
        expect(parentsOf(pool, resolution)).toEqual(level);
      });
      for (let v = 1; v < tree.nodeCount; v++) {
        const cell = tree.cells[v] as bigint;
        expect(indexOf(tree, cell)).toBe(v);
        const up = tree.parent[v] as number;
        if (up > 0)
          expect(tree.cells[up]).toBe(parentOf(cell, (resolutionOf(cell) - 1) as Resolution));
        else expect(resolutionOf(cell)).toBe(4);
      }
      const listed = Array.from({ length: tree.nodeCount }, (_, v) => childrenOfNode(tree, v));
      expect(listed.flat()).toEqual(Array.from({ length: tree.nodeCount - 1 }, (_, i) => i + 1));
      listed.forEach((children, v) => {
        expect(children.every((child) => tree.parent[child] === v)).toBe(true);
      });
    },
  );

  it('does not find what it does not hold', () => {
    const tree = buildTree(whole, { finest: 7 });
    expect(indexOf(tree, pool[0] as bigint)).toBe(-1);
    expect(indexOf(tree, cellAt(0, 0, 7))).toBe(-1);
    expect(indexOf(tree, cellAt(0, 0, 3))).toBe(-1);
  });

  it('rolls leaf counts up', () => {
    const tree = buildTree(whole, { finest: 9 });
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: -1000, max: 1000 })), (stream) => {
        const leaves = Int32Array.from(pool, () => stream.next().value as number);
        const counts = rollUp(tree, leaves);
        expect(counts[0]).toBe(leaves.reduce((a, b) => a + b, 0));
        for (let v = 0; v < (tree.levelStart.at(-2) as number); v++) {
          const sum = childrenOfNode(tree, v).reduce((a, c) => a + (counts[c] as number), 0);
          expect(counts[v]).toBe(sum);
        }
        expect(counts.slice(tree.levelStart.at(-2))).toEqual(leaves);
      }),
      { numRuns: 5 },
    );
    expect(() => rollUp(tree, new Int32Array(3))).toThrow(code('wrong-length'));
    const large = new Int32Array(pool.length).fill(2 ** 31 - 1);
    expect(() => rollUp(tree, large)).toThrow(code('count-overflow'));
  });

  it('embeds the tree of a part', () => {
    const tree = buildTree(whole, { finest: 9 });
    for (const finest of [5, 9] as const) {
      const part = buildTree(everyNth(3), { finest });
      const map = embed(part, tree);
      expect(map[0]).toBe(0);
      for (let v = 1; v < part.nodeCount; v++) {
        expect(tree.cells[map[v] as number]).toBe(part.cells[v]);
      }
    }
    const part = buildTree(everyNth(3), { finest: 9 });
    expect(() => embed(tree, part)).toThrow(code('not-a-subtree'));
    expect(() => embed(part, buildTree(whole, { finest: 8 }))).toThrow(code('not-a-subtree'));
    expect(() => embed(part, buildTree(whole, { coarsest: 5, finest: 9 }))).toThrow(
      code('not-a-subtree'),
    );
  });

  it('refuses levels that are not there', () => {
    expect(() => buildTree(whole, { finest: 10 })).toThrow(code('invalid-resolution'));
    expect(() => buildTree(whole, { coarsest: 8, finest: 7 })).toThrow(code('invalid-resolution'));
  });
});

describe('the national domain', () => {
  const file = new URL('../../../samples/grid/ew-2026-1.txt.gz', import.meta.url);

  it('has 1,612,819 cells and families of 1 to 7 children', () => {
    const domain = parseDomainFile('ew-2026-1', gunzipSync(readFileSync(file)).toString());
    expect(domain.cells.length).toBe(1_612_819);
    expect(domain.hash).toBe('1a46f8092d2ef02770b98ecb90141aac4a89703424f7c1eb83a6bde5cab8f6cf');
    const tree = buildTree(domain, { finest: 9 });
    expect([...tree.levelStart]).toEqual([0, 1, 142, 942, 6009, 39912, 272411, 1885230]);
    const sizes = new Set<number>();
    for (let v = 1; v < 272411; v++)
      sizes.add((tree.firstChild[v + 1] as number) - (tree.firstChild[v] as number));
    expect([...sizes].sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
