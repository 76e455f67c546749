import type { MultiPolygon, Polygon, Position } from 'geojson';
import { gridDisk, polygonToCells } from 'h3-js';
import { ConcordatError } from '#libs/bytes';
import { cellToText, type Resolution } from './cell.js';
import { sortedCells } from './domain.js';

/** A thousand rings are three million cells. */
const MOST_RINGS = 1000;

const toCell = (text: string): bigint => BigInt(`0x${text}`);

function checkRing(ring: readonly Position[]): void {
  const valid =
    Array.isArray(ring) &&
    ring.length >= 4 &&
    ring.every(
      (position) =>
        Array.isArray(position) &&
        Math.abs(position[0] as number) <= 180 &&
        Math.abs(position[1] as number) <= 90,
    );
  if (!valid) {
    throw new ConcordatError(
      'invalid-geometry',
      'a ring has four or more positions [longitude, latitude] in WGS 84 degrees',
    );
  }
}

/**
 * Cells whose centre lies inside a GeoJSON area (holes are outside), ascending. Positions are [longitude, latitude] in
 * WGS 84 degrees; edges are straight in those coordinates. Throws `invalid-geometry`.
 */
export function areaToCells(
  geometry: Polygon | MultiPolygon,
  resolution: Resolution,
): BigUint64Array {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  const nested = Array.isArray(polygons) && polygons.every(Array.isArray);
  if (!nested || !/^(?:Multi)?Polygon$/.test(geometry.type)) {
    throw new ConcordatError('invalid-geometry', 'an area is a GeoJSON Polygon or MultiPolygon');
  }
  const cells: bigint[] = [];
  for (const polygon of polygons) {
    polygon.forEach(checkRing);
    for (const text of polygonToCells(polygon, resolution, true)) cells.push(toCell(text));
  }
  return sortedCells(cells);
}

function checkRings(rings: number): void {
  if (!Number.isInteger(rings) || rings < 0 || rings > MOST_RINGS) {
    throw new ConcordatError('invalid-rings', `rings are a whole number from 0 to ${MOST_RINGS}`);
  }
}

/** Cells at most `rings` steps from `cell`, itself included, ascending. Throws `invalid-rings`. */
export function disk(cell: bigint, rings: number): BigUint64Array {
  checkRings(rings);
  return sortedCells(gridDisk(cellToText(cell), rings).map(toCell));
}

/** `cells` and every cell at most `rings` steps from one of them, ascending. Throws `invalid-rings`. */
export function widen(cells: BigUint64Array, rings: number): BigUint64Array {
  checkRings(rings);
  const all = new Set<bigint>(cells);
  let fringe: Iterable<bigint> = cells;
  for (let ring = 0; ring < rings; ring++) {
    const next: bigint[] = [];
    for (const cell of fringe) {
      for (const text of gridDisk(cellToText(cell), 1)) {
        const neighbour = toCell(text);
        if (!all.has(neighbour)) {
          all.add(neighbour);
          next.push(neighbour);
        }
      }
    }
    fringe = next;
  }
  return sortedCells(all);
}
