/**
 * P(top k): how sure is it that a cell is among the top k of the domain? Over a large domain the k-th largest rate hardly
 * varies, so the limit t solves sum_i P(rate_i > t) = k, and the answer is P(rate_i > t), with rates gamma-distributed
 * around the forecast (Wilson and Hilferty 1931). For ranking uncertainty in small areas see Goldstein, Spiegelhalter 1996.
 */
import { ConcordatError } from '#libs/bytes';
import type { Forecast } from './forecast.js';
import { normalUpperTail } from './normal.js';

/** P(gamma with this mean and variance > t), by the cube-root approximation; certainty without variance. */
function exceeds(mean: number, variance: number, t: number): number {
  if (t <= 0) return 1;
  if (!(variance > 0)) return mean > t ? 1 : mean === t ? 0.5 : 0;
  const ninth = variance / (9 * mean * mean);
  return normalUpperTail((Math.cbrt(t / mean) - (1 - ninth)) / Math.sqrt(ninth));
}

const STEPS = 60;

/** Probability of each cell to be among the `k` of the highest rate. They sum to k. Throws `invalid-k`. */
export function topProbabilities(
  { mean, rateVariance }: Pick<Forecast, 'mean' | 'rateVariance'>,
  k: number,
): Float64Array {
  if (!Number.isInteger(k) || k < 1 || k >= mean.length) {
    throw new ConcordatError(
      'invalid-k',
      'k is a whole number from 1 to below the number of cells',
    );
  }
  const at = (t: number): Float64Array =>
    mean.map((m, i) => exceeds(m, rateVariance[i] as number, t));
  const total = (t: number): number => at(t).reduce((sum, p) => sum + p, 0);
  let low = 0;
  let high = mean.reduce(
    (largest, m, i) => Math.max(largest, m + 10 * Math.sqrt(rateVariance[i] as number)),
    0,
  );
  for (let step = 0; step < STEPS && high - low > 1e-9 * high; step++) {
    const middle = (low + high) / 2;
    if (total(middle) > k) low = middle;
    else high = middle;
  }
  return at((low + high) / 2);
}
