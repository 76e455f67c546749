import { describe, expect, it } from '@jest/globals';
import type { MultiPolygon, Polygon } from 'geojson';
import * as h3 from 'h3-js';
import { areaToCells, cellAt, cellCentre, cellToText, disk, sortedCells, widen } from './index.js';

const square = (west: number, south: number, size: number): [number, number][] => [
  [west, south],
  [west + size, south],
  [west + size, south + size],
  [west, south + size],
  [west, south],
];

describe('areas', () => {
  const outer = square(-2.7, 51.4, 0.2);
  const hole = square(-2.62, 51.48, 0.05).reverse();
  const withHole: Polygon = { type: 'Polygon', coordinates: [outer, hole] };

  it('holds exactly the cells with their centre inside and outside the hole', () => {
    const inside = (ring: [number, number][], x: number, y: number) =>
      x > (ring[0] as [number, number])[0] &&
      x < (ring[2] as [number, number])[0] &&
      y > (ring[0] as [number, number])[1] &&
      y < (ring[2] as [number, number])[1];
    const candidates = widen(areaToCells({ type: 'Polygon', coordinates: [outer] }, 9), 3);
    const expected = candidates.filter((cell) => {
      const { latitude, longitude } = cellCentre(cell);
      const inHole = inside(square(-2.62, 51.48, 0.05), longitude, latitude);
      return inside(outer, longitude, latitude) && !inHole;
    });
    expect(expected.length).toBeGreaterThan(1000);
    expect(areaToCells(withHole, 9)).toEqual(expected);
  });

  it('unites the parts of a multipolygon, overlapping or not', () => {
    const parts = [[outer], [square(-2.6, 51.3, 0.15)], [square(0.1, 51.5, 0.02)]];
    const multi: MultiPolygon = { type: 'MultiPolygon', coordinates: parts };
    const union = parts.flatMap((coordinates) => [
      ...areaToCells({ type: 'Polygon', coordinates }, 8),
    ]);
    expect(areaToCells(multi, 8)).toEqual(sortedCells(union));
  });

  it.each([
    [{ type: 'Polygon', coordinates: [square(0, 0, 1).slice(0, 3)] }],
    [{ type: 'Polygon', coordinates: [square(0, 89.5, 1)] }],
    [{ type: 'Polygon', coordinates: [[['0', 0]]] }],
    [{ type: 'Polygon', coordinates: [square(0, 0, 1).map(([, y]) => [null, y])] }],
    [{ type: 'Polygon' }],
    [{ type: 'Polygon', coordinates: 'x' }],
    [{ type: 'MultiPolygon', coordinates: [square(0, 0, 1)] }],
    [{ type: 'Point', coordinates: [0, 0] }],
  ])('refuses a malformed geometry (%#)', (geometry) => {
    expect(() => areaToCells(geometry as unknown as Polygon, 9)).toThrow(
      expect.objectContaining({ code: 'invalid-geometry' }),
    );
  });
});

describe('the size of an area', () => {
  it('is bounded before anything is laid out', () => {
    const europe: Polygon = { type: 'Polygon', coordinates: [square(0, 40, 20)] };
    const refused = expect.objectContaining({ code: 'area-too-large' });
    expect(() => areaToCells(europe, 9)).toThrow(refused);
    expect(areaToCells(europe, 4).length).toBeGreaterThan(1000);
  });

  it('goes the short way across the antimeridian', () => {
    const ring = [
      [179.95, 51.4],
      [-179.95, 51.4],
      [-179.95, 51.5],
      [179.95, 51.5],
      [179.95, 51.4],
    ];
    const cells = areaToCells({ type: 'Polygon', coordinates: [ring] }, 9);
    expect(cells.length).toBeGreaterThan(600);
    expect(cells.length).toBeLessThan(1000);
  });
});

describe('rings', () => {
  const centre = cellAt(53.48, -2.24, 9);

  it('counts 1 + 3 k (k + 1) cells', () => {
    for (const rings of [0, 1, 2, 5])
      expect(disk(centre, rings).length).toBe(1 + 3 * rings * (rings + 1));
  });

  it('widens by the union of the disks, also around a pentagon', () => {
    const pentagon = BigInt(`0x${h3.getPentagons(9)[4]}`);
    const cells = sortedCells([centre, ...disk(cellAt(53.5, -2.2, 9), 4), pentagon]);
    for (const rings of [0, 1, 3]) {
      const expected = sortedCells([...cells].flatMap((cell) => [...disk(cell, rings)]));
      expect(widen(cells, rings)).toEqual(expected);
      expect(Array.from(widen(cells, rings), cellToText).every(h3.isValidCell)).toBe(true);
    }
  });

  it.each([-1, 0.5, Number.NaN, 1001])('refuses %p rings', (rings) => {
    const bad = expect.objectContaining({ code: 'invalid-rings' });
    expect(() => disk(centre, rings)).toThrow(bad);
    expect(() => widen(BigUint64Array.of(centre), rings)).toThrow(bad);
  });
});
