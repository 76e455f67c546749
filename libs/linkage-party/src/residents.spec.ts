import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { cellAt, cellToText, childrenOf, parentOf, resolutionOf } from '#libs/grid';
import { packageRoot } from '#libs/host';
import { loadResidents, parseResidents, RESIDENTS_FLOOR, residentsOfArea } from './residents.js';

const BRISTOL = cellAt(51.4545, -2.5879, 7);
const text = cellToText(BRISTOL);

describe('public residents of cells', () => {
  it('are summed into larger cells', () => {
    const [first, second] = childrenOf(parentOf(BRISTOL, 6)) as unknown as [bigint, bigint];
    const table = parseResidents(
      `cell,residents\n${cellToText(first)},4000\n${cellToText(second)},1500\n`,
    );
    expect(residentsOfArea(table, cellToText(parentOf(first, 6)))).toBe(5_500);
    expect(() => residentsOfArea(table, cellToText(first))).toThrow(
      expect.objectContaining({ code: 'area-below-floor' }),
    );
  });

  it('of a cell that the table does not hold are not known: it is refused', () => {
    expect(() => residentsOfArea(new Map(), text)).toThrow(
      expect.objectContaining({ code: 'area-not-covered' }),
    );
    expect(residentsOfArea(new Map([[BRISTOL, RESIDENTS_FLOOR]]), text)).toBe(RESIDENTS_FLOOR);
  });

  it('are not asked of a local authority or of the total', () => {
    expect(residentsOfArea(new Map(), 'E06000023')).toBeUndefined();
    expect(residentsOfArea(new Map(), 'total')).toBeUndefined();
  });

  it.each([
    '',
    'cell,people\n',
    `cell,residents\n${text},-1`,
    `cell,residents\n${text},1.5`,
    `cell,residents\n${text},5\n${text},5`,
    `cell,residents\n${cellToText(parentOf(BRISTOL, 6))},5`,
    'cell,residents\nfffffffffffffff,5',
  ])('refuses a table that is none %#', (broken) => {
    expect(() => parseResidents(broken)).toThrow(
      expect.objectContaining({ code: 'malformed-residents' }),
    );
  });

  it('ship for Bristol and not for Wales or Scotland; a parent has no fewer than its children', () => {
    const path = join(packageRoot(import.meta.url), 'samples', 'population');
    const table = loadResidents(join(path, 'residents-res7.csv.gz'));
    const [cardiff, edinburgh] = [cellAt(51.4816, -3.1791, 7), cellAt(55.9533, -3.1883, 6)];
    for (const cell of [cardiff, edinburgh]) {
      expect(() => residentsOfArea(table, cellToText(cell))).toThrow(
        expect.objectContaining({ code: 'area-not-covered' }),
      );
    }
    expect(table.get(BRISTOL)).toBeGreaterThan(RESIDENTS_FLOOR);
    for (const [cell, count] of table) {
      if (resolutionOf(cell) === 4) continue;
      const parent = parentOf(cell, (resolutionOf(cell) - 1) as 4 | 5 | 6);
      expect(table.get(parent)).toBeGreaterThanOrEqual(count);
    }
    expect(() => loadResidents(join(path, 'none.csv.gz'))).toThrow(
      expect.objectContaining({ code: 'unreadable-file' }),
    );
  });
});
