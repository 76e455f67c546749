/** Who is near whom: sparse rows of weights. */
import { ConcordatError } from '#libs/bytes';
import type { NeighbourLists } from '#libs/grid';

/** Row i holds targets[offsets[i] .. offsets[i + 1] - 1] with their weights. */
export interface SpatialWeights {
  readonly offsets: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float64Array;
}

export type WeightTriple = readonly [row: number, column: number, weight: number];

/**
 * Rows from triples [i, j, w] over `size` places, in any order. `star` adds every place to its own row with weight 1, where the triples
 * give it no weight of its own. Throws `invalid-weight` (positions outside 0..size-1, w not finite) and `repeated-weight`.
 */
export function weightsFromTriples(
  size: number,
  triples: readonly WeightTriple[],
  star: boolean,
): SpatialWeights {
  const offsets = new Int32Array(size + 1);
  const alone = new Uint8Array(size).fill(star ? 1 : 0);
  const position = (value: number): boolean =>
    Number.isInteger(value) && value >= 0 && value < size;
  for (const [row, column, weight] of triples) {
    if (!position(row) || !position(column) || !Number.isFinite(weight)) {
      throw new ConcordatError(
        'invalid-weight',
        'a weight is [i, j, w] with places counted from 0 and a finite w',
      );
    }
    offsets[row + 1] = (offsets[row + 1] as number) + 1;
    if (row === column) alone[row] = 0;
  }
  for (let i = 0; i < size; i++) {
    offsets[i + 1] = (offsets[i + 1] as number) + (offsets[i] as number) + (alone[i] as number);
  }
  const targets = new Int32Array(offsets[size] as number);
  const weights = new Float64Array(targets.length);
  const next = offsets.slice(0, size);
  const seen = new Set<number>();
  const add = (row: number, column: number, weight: number): void => {
    const key = row * size + column;
    if (seen.has(key)) {
      throw new ConcordatError(
        'repeated-weight',
        `two weights are given for the places [${row}, ${column}]: give one, their sum if both count`,
      );
    }
    seen.add(key);
    const at = next[row] as number;
    targets[at] = column;
    weights[at] = weight;
    next[row] = at + 1;
  };
  for (let i = 0; i < size; i++) if (alone[i] === 1) add(i, i, 1);
  for (const [row, column, weight] of triples) add(row, column, weight);
  return { offsets, targets, weights };
}

/** Sum of `values` over the neighbours of each cell, itself excluded. */
export function ringSums(values: Float64Array, neighbours: NeighbourLists): Float64Array {
  const { targets, degrees } = neighbours;
  const sums = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const end = 6 * i + (degrees[i] as number);
    let sum = 0;
    for (let at = 6 * i; at < end; at++) sum += values[targets[at] as number] as number;
    sums[i] = sum;
  }
  return sums;
}
