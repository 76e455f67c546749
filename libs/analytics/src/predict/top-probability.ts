/**
 * P(top k): how sure is it that a cell is among the top k of the domain? Over a large domain the k-th largest rate hardly
 * varies, so the limit t solves sum_i P(rate_i > t) = k, and the answer is P(rate_i > t), with rates gamma-distributed
 * around the forecast (Wilson and Hilferty 1931). For ranking uncertainty in small areas see Goldstein, Spiegelhalter 1996.
 */
import { ConcordatError } from '#libs/bytes';
import { normalUpperTail } from '../laws/normal.js';
import { selectKth } from '../laws/selection.js';
import type { Forecast } from './forecast.js';

/** P(gamma with this mean and variance > t), by the cube-root approximation; certainty without variance. */
function exceeds(mean: number, variance: number, t: number): number {
  if (t <= 0) return 1;
  if (!(variance > 0)) return mean > t ? 1 : mean === t ? 0.5 : 0;
  const ninth = variance / (9 * mean * mean);
  return normalUpperTail((Math.cbrt(t / mean) - (1 - ninth)) / Math.sqrt(ninth));
}

const MOST_STEPS = 60;
/** The probabilities sum to k up to this share of it. */
const TOLERANCE = 1e-3;

/** Probability of each cell to be among the `k` of the highest rate. They sum to k (1 +- 0.001). Throws `invalid-k`. */
export function topProbabilities(
  { mean, rateVariance }: Pick<Forecast, 'mean' | 'rateVariance'>,
  k: number,
): Float64Array {
  const cells = mean.length;
  if (!Number.isInteger(k) || k < 1 || k >= cells) {
    throw new ConcordatError(
      'invalid-k',
      'k is a whole number from 1 to below the number of cells',
    );
  }
  const p = new Float64Array(cells);
  const fill = (t: number): number => {
    let sum = 0;
    for (let i = 0; i < cells; i++) {
      p[i] = exceeds(mean[i] as number, rateVariance[i] as number, t);
      sum += p[i] as number;
    }
    return sum;
  };
  // The limit lies near the k-th largest mean: double or halve until it is enclosed, then bisect.
  let low = selectKth(mean.slice(), cells - k);
  let high = low;
  while (fill(low) < k) low /= 2;
  while (fill(high) > k) high *= 2;
  for (let step = 0; step < MOST_STEPS; step++) {
    const middle = (low + high) / 2;
    const sum = fill(middle);
    if (Math.abs(sum - k) <= TOLERANCE * k) break;
    if (sum > k) low = middle;
    else high = middle;
  }
  return p;
}
