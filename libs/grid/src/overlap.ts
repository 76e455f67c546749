import { parentOf, type Resolution, resolutionOf } from './cell.js';

/** Coarsest cells that areas are named by. */
const COARSEST = 4;

/** The cells with all that hold them, up to resolution 4. */
const withParents = (cells: readonly bigint[]): Set<bigint> =>
  new Set(
    cells.flatMap((cell) => {
      const finer = Math.max(0, resolutionOf(cell) - COARSEST);
      const above = Array.from({ length: finer }, (_, i) => COARSEST + i);
      return [cell, ...above.map((resolution) => parentOf(cell, resolution as Resolution))];
    }),
  );

/**
 * True when two lists of cells of resolutions 4 to 9 share a place: one cell is in both, or a cell of one lies in a cell of the other.
 */
export function overlap(a: readonly bigint[], b: readonly bigint[]): boolean {
  const aboveB = withParents(b);
  const aboveA = withParents(a);
  return a.some((cell) => aboveB.has(cell)) || b.some((cell) => aboveA.has(cell));
}
