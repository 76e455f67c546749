import { expect, it } from '@jest/globals';
import { disk, parentOf, sortedCells } from '#libs/grid';
import { readSeries } from './cell-series.js';
import { bristol, Published, publish } from './published.fixture-spec.js';
import { openRelease } from './release-blobs.js';
import { factorsToTotals } from './released-totals.js';

it('ties rates to the totals of the cells that each month counts', async () => {
  const store = new Published();
  const wide = sortedCells(disk(bristol, 9));
  const narrow = sortedCells(disk(bristol, 5));
  const busy = parentOf(bristol, 7);
  const truth = (cells: BigUint64Array) => (cell: number) =>
    parentOf(cells[cell] as bigint, 7) === busy ? 9 : 1;
  const ask = (month: string, cells: BigUint64Array) =>
    publish(store, {
      cells,
      rho: '4',
      seed: month,
      counts: { robbery: { [month]: truth(cells) } },
    });
  const ids = [ask('2023-01', narrow), ask('2023-02', wide), ask('2023-04', wide)];
  const releases = await Promise.all(ids.map((id) => openRelease(id, store, new Map())));
  const range = { category: 'robbery', resolution: 9 } as const;
  const series = await readSeries(releases, range);
  const flat = new Float64Array(series.cells.length).fill(3);
  // The second of the months counted has twice as much of everything as the model would have it.
  const factors = await factorsToTotals(releases, series, range, flat, [1, 0.5, 1, 1]);
  const months = Float64Array.from(series.cells, (cell) => (narrow.includes(cell) ? 2.5 : 1.5));
  const expected = (wanted: (cell: bigint) => boolean, of: (at: number) => number): number =>
    series.cells.reduce((sum, cell, i) => sum + (wanted(cell) ? of(i) : 0), 0);
  const inBusy = (cell: bigint): boolean => parentOf(cell, 7) === busy;
  const counts = (at: number): number =>
    truth(series.cells)(at) * (narrow.includes(series.cells[at] as bigint) ? 3 : 2);
  const off = (part: (cell: bigint) => boolean): number => {
    const tied = expected(part, (i) => 3 * (months[i] as number) * (factors[i] as number));
    return Math.abs(tied / expected(part, counts) - 1);
  };
  expect(off(() => true)).toBeLessThan(0.02);
  expect(off(inBusy)).toBeLessThan(0.1);
  expect(off((cell) => !inBusy(cell))).toBeLessThan(0.1);
});
