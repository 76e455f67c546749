/**
 * How concentrated is crime? Lorenz curve and Gini coefficient over cells (Weisburd 2015, the law of crime
 * concentration; Bernasco and Steenbeek 2017 for why sparse counts look concentrated by chance alone).
 *
 * What the noise does: sorting noisy counts puts the luckiest first, so the curve of raw noisy counts is far too steep
 * (and rises above 1): counts below zero are refused. Denoised counts are more even than the truth. `gini-interval.ts` says what can be known of the Gini.
 */
import { ConcordatError } from '#libs/bytes';

export interface Lorenz {
  /** [share of cells, share of incidents], cells in descending order of count, from [0, 0] to [1, 1]. */
  readonly curve: readonly (readonly [number, number])[];
  /** Twice the area between the curve and the diagonal: 0 even, 1 - 1/n all in one cell. */
  readonly gini: number;
}

function descending(counts: Float64Array): Float64Array {
  if (counts.length === 0) throw new ConcordatError('no-cells', 'give at least one count');
  if (!counts.every(Number.isFinite)) {
    throw new ConcordatError('invalid-count', 'counts are finite; leave missing cells out');
  }
  return counts.slice().sort().reverse();
}

/** Shares of noisy counts below zero have no curve that rises to 1, and a Gini that may exceed it. */
function checkSigns(counts: Float64Array): void {
  if (counts.every((count) => count >= 0)) return;
  throw new ConcordatError(
    'invalid-count',
    'a Lorenz curve is of counts from 0: of noisy counts that fall below it take the denoised map, or the concentration of a release (analyse concentration)',
  );
}

function totalOf(counts: Float64Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > 0) return total;
  throw new ConcordatError(
    'no-incidents',
    'the counts sum to nothing above zero: a share of them is not defined; use a longer period or a coarser resolution',
  );
}

/** Gini of descending counts: (n + 1 - 2 sum_i i x_i / sum x) / n with i from 1, sign turned for descending order. */
function giniOfDescending(sorted: Float64Array, total: number): number {
  const n = sorted.length;
  let weighted = 0;
  for (let i = 0; i < n; i++) weighted += (i + 1) * (sorted[i] as number);
  return (n + 1 - (2 * weighted) / total) / n;
}

/** Curve over all cells given. Throws `no-cells`, `invalid-count`, `no-incidents`. */
export function lorenz(counts: Float64Array): Lorenz {
  const sorted = descending(counts);
  checkSigns(counts);
  const total = totalOf(sorted);
  const curve: [number, number][] = [[0, 0]];
  let sum = 0;
  sorted.forEach((count, i) => {
    sum += count;
    curve.push([(i + 1) / sorted.length, sum / total]);
  });
  return { curve, gini: giniOfDescending(sorted, total) };
}

export interface Concentration {
  readonly gini: number;
  /** Gini of as many incidents thrown at the same cells at random (Poisson): what is no concentration at all. */
  readonly giniOfChance: number;
  readonly giniAboveChance: number;
  readonly cells: number;
  /** Cells with at least half an expected incident. */
  readonly activeCells: number;
  /** Fewest cells that hold a quarter and a half of all incidents. */
  readonly cellsHolding25: number;
  readonly cellsHolding50: number;
}

/**
 * Gini of n independent Poisson(mean) counts for large n: E|X - Y| / (2 mean) with X, Y independent, which is
 * exp(-2 mean) (I0(2 mean) + I1(2 mean)) for Poisson; computed as sum of F(k) (1 - F(k)) / mean.
 */
export function poissonGini(mean: number): number {
  if (!(mean > 0)) return 1;
  const top = Math.ceil(mean + 40 * Math.sqrt(mean) + 40);
  let logTerm = -mean;
  let below = 0;
  let sum = 0;
  for (let k = 0; k <= top; k++) {
    below += Math.exp(logTerm);
    sum += below * Math.max(0, 1 - below);
    logTerm += Math.log(mean / (k + 1));
  }
  return Math.min(1, sum / mean);
}

/** Summary of `counts`, best denoised. Throws as `lorenz`. */
export function concentration(counts: Float64Array): Concentration {
  const sorted = descending(counts);
  checkSigns(counts);
  const total = totalOf(sorted);
  const gini = giniOfDescending(sorted, total);
  const giniOfChance = poissonGini(total / sorted.length);
  const holding = (share: number): number => {
    let sum = 0;
    const at = sorted.findIndex((count) => {
      sum += count;
      return sum >= share * total;
    });
    return at + 1;
  };
  return {
    gini,
    giniOfChance,
    giniAboveChance: gini - giniOfChance,
    cells: sorted.length,
    activeCells: sorted.reduce((sum, count) => sum + (count >= 0.5 ? 1 : 0), 0),
    cellsHolding25: holding(0.25),
    cellsHolding50: holding(0.5),
  };
}
