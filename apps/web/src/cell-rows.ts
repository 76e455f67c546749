import { cellCentre, cellToText } from '#libs/grid';
import { type Basemap, placeOf } from './basemap.js';
import { cannotTellFromZero } from './interval.js';
import type { LayerView } from './layer-store.js';
import type { Bounds } from './viewport.js';

/** One listed cell. `place` is the local authority it lies in. */
export interface CellRow {
  readonly cell: string;
  readonly place: string;
  readonly estimate: number;
  readonly standardError: number;
}

/** What the table says of a view. */
export interface CellRows {
  /** Highest first. */
  readonly rows: readonly CellRow[];
  /** Covered cells in view that cannot be told from zero. */
  readonly unclear: number;
}

/** Highest cells of the view that can be told from zero, and how many cannot. */
export function cellRows(
  view: LayerView,
  bounds: Bounds,
  basemap: Basemap,
  most: number,
): CellRows {
  const inside = view.cells(bounds);
  const clear = inside.filter((c) => !cannotTellFromZero(c.estimate, c.standardError));
  const rows = clear
    .sort((a, b) => b.estimate - a.estimate)
    .slice(0, most)
    .map(({ cell, ring, estimate, standardError }) => {
      const { latitude, longitude } = cellCentre(cell);
      const place = placeOf(basemap, [longitude, latitude], ring);
      return { cell: cellToText(cell), place, estimate, standardError };
    });
  return { rows, unclear: inside.length - clear.length };
}
