import type { MultiPolygon, Polygon, Position } from 'geojson';
import { gridDisk, polygonToCells } from 'h3-js';
import { ConcordatError } from '#libs/bytes';
import { cellToText, type Resolution } from './cell.js';
import { sortedCells } from './domain.js';

/** A thousand rings are three million cells. */
const MOST_RINGS = 1000;

/** Average area of a cell of resolution 0; each finer one has a seventh of it (H3's table of cell statistics). */
const KM2_RESOLUTION_0 = 4_357_449.416;
/** Cells of the box around one polygon. England and Wales have 1.6 million at resolution 9. */
const MOST_CELLS = 2e7;
const KM_PER_DEGREE = 111.2;

const toCell = (text: string): bigint => BigInt(`0x${text}`);

const isDegree = (value: unknown, most: number): boolean =>
  typeof value === 'number' && Math.abs(value) <= most;

function checkRing(ring: readonly Position[]): void {
  const valid =
    Array.isArray(ring) &&
    ring.length >= 4 &&
    ring.every(
      (position) =>
        Array.isArray(position) && isDegree(position[0], 180) && isDegree(position[1], 90),
    );
  if (!valid) {
    throw new ConcordatError(
      'invalid-geometry',
      'a ring has four or more positions [longitude, latitude] in WGS 84 degrees',
    );
  }
}

/** Refuses what would not fit into memory, by the box around the outer ring; across the antimeridian the box is the narrow one. */
function checkSize(outer: readonly Position[], resolution: Resolution): void {
  const extent = (axis: 0 | 1): readonly [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const position of outer) {
      low = Math.min(low, position[axis] as number);
      high = Math.max(high, position[axis] as number);
    }
    return [low, high];
  };
  const [west, east] = extent(0);
  const [south, north] = extent(1);
  const degrees = east - west > 180 && east - west < 360 ? 360 - (east - west) : east - west;
  const nearest = south <= 0 && north >= 0 ? 0 : Math.min(Math.abs(south), Math.abs(north));
  const width = degrees * KM_PER_DEGREE * Math.cos((nearest * Math.PI) / 180);
  const area = width * (north - south) * KM_PER_DEGREE;
  if (area <= (MOST_CELLS * KM2_RESOLUTION_0) / 7 ** resolution) return;
  throw new ConcordatError(
    'area-too-large',
    `an area has at most about ${MOST_CELLS} cells: name a smaller one, in several polygons if need be`,
  );
}

/**
 * Cells whose centre lies inside a GeoJSON area (holes are outside), ascending. Positions are [longitude, latitude] in
 * WGS 84 degrees; edges are straight in those coordinates. Throws `invalid-geometry`, `area-too-large`.
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
    if (polygon[0]) checkSize(polygon[0], resolution);
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
