import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { disk } from './area.js';
import { cellAt, type Resolution } from './cell.js';
import { parseDomainFile, sortedCells } from './domain.js';
import { neighbourLists } from './neighbours.js';

/** Neighbours by the library, as sorted positions. */
function reference(cells: BigUint64Array, i: number): number[] {
  return Array.from(disk(cells[i] as bigint, 1), (cell) => cells.indexOf(cell)).filter(
    (j) => j >= 0 && j !== i,
  );
}

function listOf(lists: ReturnType<typeof neighbourLists>, i: number): number[] {
  return [...lists.targets.subarray(6 * i, 6 * i + (lists.degrees[i] as number))].sort(
    (a, b) => a - b,
  );
}

describe('neighbourLists', () => {
  const places: [string, number, number][] = [
    ['London', 51.5, -0.12],
    ['on the edge of two base cells', 50.1038, -5.9],
    ['near a pentagon', 64.7, 10.5],
    ['across the date line', 0.2, 179.99],
  ];
  for (const [name, latitude, longitude] of places) {
    for (const resolution of [0, 1, 4, 5, 6, 9] as Resolution[]) {
      it(`agrees with h3-js: ${name}, resolution ${resolution}`, () => {
        const cells = disk(cellAt(latitude, longitude, resolution), 9);
        const lists = neighbourLists(cells);
        for (let i = 0; i < cells.length; i++) {
          expect(listOf(lists, i)).toEqual(reference(cells, i));
        }
      });
    }
  }

  it('keeps lists symmetric and leaves -1 behind the last neighbour', () => {
    const cells = disk(cellAt(51.45, -2.58, 9), 5);
    const { targets, degrees } = neighbourLists(cells);
    for (let i = 0; i < cells.length; i++) {
      for (let side = 0; side < 6; side++) {
        const target = targets[6 * i + side] as number;
        if (side >= (degrees[i] as number)) expect(target).toBe(-1);
        else expect([...targets.subarray(6 * target, 6 * target + 6)]).toContain(i);
      }
    }
  });

  it('holds over the whole national domain on sampled cells', () => {
    const url = new URL('../../../samples/grid/ew-2026-1.txt.gz', import.meta.url);
    const { cells } = parseDomainFile('ew-2026-1', gunzipSync(readFileSync(url)).toString());
    const lists = neighbourLists(cells);
    for (let i = 0; i < cells.length; i += 15_001) {
      const want = sortedCells(disk(cells[i] as bigint, 1)).filter((cell) => cell !== cells[i]);
      const have = listOf(lists, i).map((j) => cells[j]);
      for (const cell of have) expect(want).toContain(cell);
      expect(have.length).toBeLessThanOrEqual(want.length);
    }
    expect(lists.degrees.reduce((sum, degree) => sum + degree, 0)).toBeGreaterThan(
      5.9 * cells.length,
    );
  });
});
