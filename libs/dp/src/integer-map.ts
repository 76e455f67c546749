import { ConcordatError } from '#libs/bytes';
import type { Hierarchy } from './hierarchy.js';

/**
 * Additive non-negative integers next to the estimates: the map that people see. From the root down, a family's estimates
 * are moved to the nearest point of {x >= 0, sum x = the parent's integer} (Euclidean projection onto a simplex, Michelot
 * 1986), then rounded down, and the units left go to the largest remainders (ties: to the first child). So every family
 * adds up exactly at every level, whatever its size.
 *
 * The root is its unbiased estimate rounded to the nearest integer, or 0 when that is negative: a map of counts cannot
 * hold less. Only there may the map's total be biased; the unbiased estimate stands beside it in every release. Clipping
 * cells at zero instead would add about 0.4 standard deviations for every empty cell (a test shows it).
 *
 * Throws `wrong-length`, `not-finite`, `count-overflow` (a total beyond 32-bit signed).
 */
export function integerMap(tree: Hierarchy, estimates: Float64Array): Int32Array {
  const { firstChild, parent } = tree;
  if (estimates.length !== parent.length) {
    throw new ConcordatError('wrong-length', 'one estimate per node is needed');
  }
  const map = new Int32Array(parent.length);
  map[0] = roundRoot(estimates[0] as number);
  let scratch = scratchFor(16);
  for (let v = 0; v < parent.length; v++) {
    const total = map[v] as number;
    const first = firstChild[v] as number;
    const size = (firstChild[v + 1] as number) - first;
    // Under an empty node everything is empty, which is how the map starts.
    if (total === 0 || size === 0) continue;
    if (size > scratch.share.length) scratch = scratchFor(2 * size);
    projectFamily(estimates, first, size, total, scratch.share);
    roundFamily(map, first, size, total, scratch);
  }
  return map;
}

interface Scratch {
  readonly share: Float64Array;
  readonly remainder: Float64Array;
}
const scratchFor = (size: number): Scratch => ({
  share: new Float64Array(size),
  remainder: new Float64Array(size),
});

function roundRoot(estimate: number): number {
  if (!Number.isFinite(estimate)) {
    throw new ConcordatError('not-finite', 'the total has no finite estimate');
  }
  const rounded = Math.max(0, Math.floor(estimate + 0.5));
  if (rounded > 0x7fffffff) {
    throw new ConcordatError('count-overflow', 'the total does not fit 32 bits');
  }
  return rounded;
}

/** share = max(0, estimate - shift) with the shift that makes the shares sum to `total` > 0. */
function projectFamily(
  estimates: Float64Array,
  first: number,
  size: number,
  total: number,
  share: Float64Array,
): void {
  let sum = 0;
  for (let k = 0; k < size; k++) {
    const estimate = estimates[first + k] as number;
    share[k] = estimate;
    sum += estimate;
  }
  let active = size;
  let shift = (sum - total) / active;
  // The shift only grows, so who falls below zero once stays there: at most `size` rounds, in practice two or three.
  for (let settled = false; !settled; ) {
    settled = true;
    for (let k = 0; k < size; k++) {
      const value = share[k] as number;
      if (value !== DROPPED && value <= shift) {
        share[k] = DROPPED;
        sum -= value;
        active--;
        settled = false;
      }
    }
    if (!settled) shift = (sum - total) / active;
  }
  for (let k = 0; k < size; k++) {
    const value = share[k] as number;
    share[k] = value === DROPPED ? 0 : value - shift;
  }
}
const DROPPED = Number.NEGATIVE_INFINITY;

function roundFamily(
  map: Int32Array,
  first: number,
  size: number,
  total: number,
  { share, remainder }: Scratch,
): void {
  let left = total;
  for (let k = 0; k < size; k++) {
    const value = share[k] as number;
    const whole = Math.floor(value);
    map[first + k] = whole;
    remainder[k] = value - whole;
    left -= whole;
  }
  if (left > SMALL_FAMILY) {
    const order = Uint32Array.from({ length: size }, (_, k) => k).sort(
      (a, b) => (remainder[b] as number) - (remainder[a] as number) || a - b,
    );
    for (let i = 0; i < left; i++) addUnit(map, first + (order[i] as number));
    return;
  }
  for (; left > 0; left--) {
    let largest = 0;
    for (let k = 1; k < size; k++) {
      if ((remainder[k] as number) > (remainder[largest] as number)) largest = k;
    }
    remainder[largest] = -1;
    addUnit(map, first + largest);
  }
}
const SMALL_FAMILY = 16;

const addUnit = (map: Int32Array, node: number): void => {
  map[node] = (map[node] as number) + 1;
};
