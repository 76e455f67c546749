import { cellBoundary, cellFromText } from '#libs/grid';
import type { Ring } from './domain-cells.js';
import { type Figures, figuresByCell } from './figures.js';
import type { LayerDocument } from './layer-client.js';
import type { Statistic } from './statistics.js';
import type { Bounds } from './viewport.js';

/** A cell that a statistic found. */
export interface FoundCell {
  readonly cell: bigint;
  readonly ring: Ring;
  /** Position in the statistic's classes. */
  readonly found: number;
  readonly figures: Figures;
}

/** Cells of a document that the statistic shows, by their text. */
export function foundCells(
  statistic: Statistic,
  document: LayerDocument,
): ReadonlyMap<string, FoundCell> {
  const cells = new Map<string, FoundCell>();
  for (const [text, figures] of figuresByCell(document)) {
    const found = statistic.classOf(figures, document);
    if (found < 0) continue;
    const cell = cellFromText(text);
    cells.set(text, { cell, ring: cellBoundary(cell), found, figures });
  }
  return cells;
}

/** Those that touch the bounds. */
export const foundIn = (
  cells: ReadonlyMap<string, FoundCell>,
  { west, south, east, north }: Bounds,
): readonly FoundCell[] =>
  [...cells.values()].filter(({ ring }) =>
    ring.some(([x, y]) => x > west && x < east && y > south && y < north),
  );
