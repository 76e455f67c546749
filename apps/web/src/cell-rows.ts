import { cellCentre, cellToText } from '#libs/grid';
import { type Basemap, placeOf } from './basemap.js';
import type { FoundCell } from './found-cells.js';
import { cannotTellFromZero, formatWhole, likelyRange, rangeText } from './interval.js';
import type { LayerDocument } from './layer-client.js';
import type { CellValue, LayerView } from './layer-store.js';
import type { Statistic } from './statistics.js';
import type { Bounds } from './viewport.js';

/** One listed cell. `place` is the local authority it lies in; `texts` and `orders` are one a column. */
export interface CellRow {
  readonly cell: string;
  readonly place: string;
  readonly texts: readonly string[];
  readonly orders: readonly number[];
}

/** The map as a table: the same cells with the same words. */
export interface CellRows {
  readonly caption: string;
  readonly columns: readonly string[];
  /** In descending order of the first column. */
  readonly rows: readonly CellRow[];
  /** How many more there are in view. */
  readonly more: number;
  readonly note: string | undefined;
}

const rowOf = (
  cell: bigint,
  ring: CellValue['ring'],
  basemap: Basemap,
): Pick<CellRow, 'cell' | 'place'> => {
  const { latitude, longitude } = cellCentre(cell);
  return { cell: cellToText(cell), place: placeOf(basemap, [longitude, latitude], ring) };
};

/** Highest `most` cells of the view that can be told from zero, and how many cannot. */
export function countRows(
  view: LayerView,
  bounds: Bounds,
  basemap: Basemap,
  most: number,
): CellRows {
  const inside = view.cells(bounds);
  const clear = inside
    .filter((c) => !cannotTellFromZero(c.estimate, c.standardError))
    .sort((a, b) => b.estimate - a.estimate);
  const unclear = inside.length - clear.length;
  const rows = clear.slice(0, most).map(({ cell, ring, estimate, standardError }) => ({
    ...rowOf(cell, ring, basemap),
    texts: [formatWhole(estimate), rangeText(estimate, standardError)],
    orders: [estimate, likelyRange(estimate, standardError).low],
  }));
  return {
    caption:
      rows.length === 0
        ? 'No hexagon in this view can be told from zero'
        : `Highest ${rows.length} hexagons in view`,
    columns: ['About', 'Likely'],
    rows,
    more: clear.length - rows.length,
    note:
      unclear === 0
        ? undefined
        : `${formatWhole(unclear)} more ${unclear === 1 ? 'hexagon' : 'hexagons'} in view cannot be told from zero.`,
  };
}

/** Strongest `most` findings of the view. */
export function foundRows(
  statistic: Statistic,
  document: LayerDocument,
  found: readonly FoundCell[],
  basemap: Basemap,
  most: number,
): CellRows {
  const { columns } = statistic;
  const ordered = found
    .map((one) => ({ ...one, orders: columns.map(({ order }) => order(one.figures)) }))
    .sort((a, b) => (b.orders[0] ?? 0) - (a.orders[0] ?? 0));
  const rows = ordered.slice(0, most).map(({ cell, ring, figures, orders }) => ({
    ...rowOf(cell, ring, basemap),
    texts: columns.map(({ say }) => say(figures, document)),
    orders,
  }));
  return {
    caption:
      rows.length === 0
        ? 'Nothing found in this view'
        : `${statistic.name}: ${rows.length} of ${formatWhole(found.length)} in view`,
    columns: columns.map((column) => column.text),
    rows,
    more: found.length - rows.length,
    note: undefined,
  };
}
