import { cellBoundary, parentOf, type Resolution } from '#libs/grid';
import type { DomainCells } from './domain-cells.js';

/** Degrees. No view of this map crosses the antimeridian. */
export interface Bounds {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** Hexagons beyond this number are neither readable nor fast to draw. */
export const MOST_HEXAGONS = 34_000;

/** Smallest cell area in km2 of resolutions 0..9 over England and Wales, so that counts are not underestimated. */
const CELL_KM2 = [4.0e6, 5.5e5, 7.8e4, 1.1e4, 1.6e3, 228, 32.6, 4.66, 0.666, 0.0951];

/** Resolution that suits a zoom level before the number of hexagons is looked at. */
function wantedResolution(zoom: number): number {
  if (zoom < 5) return 5;
  if (zoom < 6.8) return 6;
  if (zoom < 8.5) return 7;
  return zoom < 10 ? 8 : 9;
}

/** Resolution to show: what the zoom asks for, coarser when the view would hold too many cells or the release is coarser. */
export function resolutionFor(zoom: number, bounds: Bounds, finest: number): number {
  const area = areaKm2(bounds);
  let resolution = Math.min(wantedResolution(zoom), finest);
  while (resolution > 4 && area / (CELL_KM2[resolution] ?? 1) > MOST_HEXAGONS) resolution--;
  return resolution;
}

function areaKm2({ west, south, east, north }: Bounds): number {
  const middle = (((south + north) / 2) * Math.PI) / 180;
  return (east - west) * (north - south) * 111.32 ** 2 * Math.cos(middle);
}

/**
 * Parents whose chunks together hold every cell of the view: the whole domain down to resolution 7 (at most 33,000 cells), else
 * the domain's cells four levels coarser that touch the view. 0n is the domain.
 */
export function parentsInView(domain: DomainCells, resolution: number, bounds: Bounds): bigint[] {
  if (resolution <= 7) return [0n];
  return Array.from(domain.under(0n, resolution - 4)).filter((parent) => {
    // Children stick out of their parent by less than a tenth of its width.
    const ring = cellBoundary(parent);
    const box = boundsOf(ring);
    const dx = (box.east - box.west) * 0.1;
    const dy = (box.north - box.south) * 0.1;
    return (
      box.west - dx < bounds.east &&
      box.east + dx > bounds.west &&
      box.south - dy < bounds.north &&
      box.north + dy > bounds.south
    );
  });
}

/** Parent of the chunk that holds a cell of this resolution. */
export const parentOfChunk = (cell: bigint, resolution: number): bigint =>
  resolution <= 7 ? 0n : parentOf(cell, (resolution - 4) as Resolution);

/** Smallest box around some positions. */
export function boundsOf(positions: readonly (readonly number[])[]): Bounds {
  let west = 180;
  let south = 90;
  let east = -180;
  let north = -90;
  for (const [x = 0, y = 0] of positions) {
    west = Math.min(west, x);
    east = Math.max(east, x);
    south = Math.min(south, y);
    north = Math.max(north, y);
  }
  return { west, south, east, north };
}
