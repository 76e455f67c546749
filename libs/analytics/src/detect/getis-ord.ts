/**
 * Local clusters of high and low counts: G_i and G_i* of Getis and Ord 1992 (Geographical Analysis 24, 189-206) in the
 * z-form of Ord and Getis 1995 (27, 286-306), which needs no positive values and so stands noisy, negative counts.
 *
 * What the noise does: it enters the variance like any other scatter, so z keeps mean 0 and variance 1 when places are
 * alike; but the normal law is only a limit. `noisyTail` over the neighbourhood sum gives the exact p-value.
 */
import { ConcordatError } from '#libs/bytes';
import type { NeighbourLists } from '#libs/grid';
import type { SpatialWeights } from './spatial-weights.js';

/** Moments of the values a place is compared with. */
function spread(sum: number, squares: number, count: number): { mean: number; deviation: number } {
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

/** The others have at most this share of the scatter: beside the place that has the rest, their own is lost in rounding. */
const REST = 1e-6;

/** Mean of all places but one, and sums about it. */
function sumsWithout(values: Float64Array, place: number) {
  let sum = 0;
  values.forEach((value, i) => {
    if (i !== place) sum += value;
  });
  const base = sum / (values.length - 1);
  let squares = 0;
  let total = 0;
  values.forEach((value, i) => {
    if (i === place) return;
    total += value - base;
    squares += (value - base) ** 2;
  });
  return { base, total, squares };
}

/**
 * z-score of every place. With `star` the place counts in its own neighbourhood (its own weight must be in the row) and
 * mean and variance are over all n places, else over the n - 1 others, and a weight of its own in the row is passed over:
 * equations 14 and 15 of the 1995 paper, and what esda's `G_Local` computes. 0/0 (constant values) is NaN. Throws `too-few-places` below 3.
 */
export function giStar(values: Float64Array, weights: SpatialWeights, star: boolean): Float64Array {
  const n = values.length;
  if (n < 3) throw new ConcordatError('too-few-places', 'G_i needs at least three places');
  // Centring first keeps the sums of squares accurate for large values.
  const centre = values.reduce((sum, value) => sum + value, 0) / n;
  let total = 0;
  let totalSquares = 0;
  for (const value of values) {
    total += value - centre;
    totalSquares += (value - centre) ** 2;
  }
  return values.map((own, i) => {
    const self = own - centre;
    const without = { base: centre, total: total - self, squares: totalSquares - self * self };
    const variance = without.squares - without.total ** 2 / (n - 1);
    // One place at most has more than half of the squares.
    const isAlone = self * self > 0.5 * totalSquares && !(variance > REST * totalSquares);
    const { base, ...others } = isAlone && !star ? sumsWithout(values, i) : without;
    const end = weights.offsets[i + 1] as number;
    let weightSum = 0;
    let weightSquares = 0;
    let lag = 0;
    for (let at = weights.offsets[i] as number; at < end; at++) {
      if (!star && weights.targets[at] === i) continue;
      const weight = weights.weights[at] as number;
      weightSum += weight;
      weightSquares += weight * weight;
      lag += weight * ((values[weights.targets[at] as number] as number) - base);
    }
    const count = star ? n : n - 1;
    const { mean, deviation } = star
      ? spread(total, totalSquares, n)
      : spread(others.total, others.squares, n - 1);
    const scale = Math.sqrt((count * weightSquares - weightSum * weightSum) / (count - 1));
    return (lag - mean * weightSum) / (deviation * scale);
  });
}

/**
 * G_i* on the cells of a grid: binary weights over a cell and its neighbours in the domain. Missing cells (NaN) are in no
 * sum, no count and have no score.
 */
export function giStarOnGrid(values: Float64Array, neighbours: NeighbourLists): Float64Array {
  const { targets, degrees } = neighbours;
  const cells = values.length;
  let n = 0;
  let sum = 0;
  for (let i = 0; i < cells; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    sum += value;
    n++;
  }
  if (n < 3) throw new ConcordatError('too-few-places', 'G_i* needs at least three cells');
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < cells; i++) {
    const value = values[i] as number;
    if (!Number.isNaN(value)) squares += (value - mean) * (value - mean);
  }
  const deviation = Math.sqrt(squares / n);
  // With binary weights the scale depends on the number of places alone.
  const factors = Float64Array.from(
    { length: 8 },
    (_, places) => 1 / (deviation * Math.sqrt((places * (n - places)) / (n - 1))),
  );
  const z = new Float64Array(cells);
  for (let i = 0; i < cells; i++) {
    let lag = (values[i] as number) - mean;
    let places = 1;
    const end = 6 * i + (degrees[i] as number);
    for (let at = 6 * i; at < end; at++) {
      const near = values[targets[at] as number] as number;
      if (Number.isNaN(near)) continue;
      lag += near - mean;
      places++;
    }
    // A missing cell stays missing: its own lag is NaN. Constant values are 0 / 0.
    z[i] = deviation === 0 ? Number.NaN : lag * (factors[places] as number);
  }
  return z;
}
