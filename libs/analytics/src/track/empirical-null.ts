/**
 * Do tails hold over the cells they are claimed of? Most cells are unchanged, so their p-values should be uniform. Where the middle of
 * the p-values of many cells is spread more or less than that, as scores of a normal law with another deviation than 1, the predictive
 * law was too narrow or too wide for all of them, and its tails are read on that scale: the empirical null (Efron 2004, JASA 99), with a
 * centre of 0. The deviation is shrunk towards 1 by its sampling error, so that few cells do not judge their own law.
 */
import { normalQuantile } from '../laws/normal.js';
import { selectKth } from '../laws/selection.js';

/** Share of a normal law below one standard deviation under the mean. */
const SHARE_BELOW = 0.15865525393145707;
/** p-values this near 0 and 1 are left out: among them are the cells that did change. */
const LEFT_OUT = 0.01;
/** Variance of the deviation from these quantiles of n scores, times n: (p (1 - p) - p^2) / (2 phi(1)^2), p = SHARE_BELOW. */
const SAMPLING_VARIANCE = 0.926;
/** Standard deviation of the deviation of a predictive law from 1 before anything is seen. */
const USUAL_MISFIT = 0.05;

/** Standard deviation of the scores of unchanged cells from p-values of all; 1 where there are none. */
export function nullDeviation(p: Float64Array): number {
  const middle = p.filter((value) => value > LEFT_OUT && value < 1 - LEFT_OUT);
  const n = middle.length;
  if (n === 0) return 1;
  const scoreAt = (share: number): number => {
    const within = (share - LEFT_OUT) / (1 - 2 * LEFT_OUT);
    return normalQuantile(selectKth(middle, Math.floor(within * n)));
  };
  const found = (scoreAt(1 - SHARE_BELOW) - scoreAt(SHARE_BELOW)) / 2;
  const prior = USUAL_MISFIT ** 2;
  return 1 + (prior / (prior + SAMPLING_VARIANCE / n)) * (found - 1);
}
