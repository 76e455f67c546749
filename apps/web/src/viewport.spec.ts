import { describe, expect, it } from '@jest/globals';
import { cellAt, cellToText, compact, disk, parentsOf, sortedCells } from '#libs/grid';
import { DomainCells } from './domain-cells.js';
import { MOST_HEXAGONS, parentsInView, resolutionFor } from './viewport.js';

const nine = sortedCells(disk(cellAt(51.4545, -2.5879, 9), 40));
const domain = DomainCells.parse(Array.from(compact(nine), (c) => `${cellToText(c)}\n`).join(''));
/** What a window of this many pixels shows at a zoom level (512-pixel tiles) around Bristol. */
const boundsAt = (zoom: number, width: number, height: number) => {
  const x = (width / 512 / 2 ** zoom) * 180;
  const y = (height / 512 / 2 ** zoom) * 180 * Math.cos((51.45 * Math.PI) / 180);
  return { west: -2.59 - x, east: -2.59 + x, south: 51.45 - y, north: 51.45 + y };
};

describe('domain cells', () => {
  it.each([4, 5, 6, 7, 8, 9] as const)('lists the domain in chunk order at resolution %d', (r) => {
    expect(domain.under(0n, r)).toEqual(parentsOf(nine, r));
  });

  it('splits into its parents without loss', () => {
    const parents = domain.under(0n, 5);
    const parts = Array.from(parents).flatMap((parent) => [...domain.under(parent, 9)]);
    expect(parts).toEqual([...nine]);
  });
});

describe('viewport', () => {
  it.each([
    [4.6, 5],
    [6, 6],
    [7.5, 7],
    [9, 8],
    [10.2, 9],
    [13, 9],
  ])('zoom %d shows resolution %d on a common screen', (zoom, resolution) => {
    expect(resolutionFor(zoom, boundsAt(zoom, 1000, 740), 9)).toBe(resolution);
  });

  it('is never finer than the release, and coarser on a screen that would hold too much', () => {
    expect(resolutionFor(13, boundsAt(13, 1000, 740), 7)).toBe(7);
    expect(resolutionFor(10, boundsAt(10, 3840, 2160), 9)).toBe(8);
  });

  it.each([4.5, 6, 7, 8, 8.5, 9.3, 10, 11])('draws at most 34,000 hexagons at zoom %d', (zoom) => {
    const bounds = boundsAt(zoom, 2560, 1440);
    const resolution = resolutionFor(zoom, bounds, 9);
    // Mean cell area in km2 (H3 documentation); England and Wales have 151,000 km2 and no view holds more of them.
    const area = [0, 0, 0, 0, 1770, 253, 36.1, 5.16, 0.737, 0.105][resolution] ?? Number.NaN;
    const view = (bounds.east - bounds.west) * (bounds.north - bounds.south) * 111.32 ** 2 * 0.623;
    expect(Math.min(view, 170_000) / area).toBeLessThan(MOST_HEXAGONS);
  });

  it('asks for the whole domain when coarse, and for all parents of visible cells when fine', () => {
    const bounds = boundsAt(12, 1000, 740);
    expect(parentsInView(domain, 7, bounds)).toEqual([0n]);
    const asked = new Set(parentsInView(domain, 9, bounds));
    const seen = disk(cellAt(51.45, -2.59, 9), 8);
    for (const parent of parentsOf(sortedCells(seen), 5)) expect(asked).toContain(parent);
    expect(parentsInView(domain, 9, { west: 0, east: 1, south: 50, north: 51 })).toEqual([]);
  });
});
