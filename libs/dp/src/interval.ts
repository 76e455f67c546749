import { ConcordatError } from '#libs/bytes';

/** Two-sided confidence and its normal quantile, rounded up. */
const QUANTILES = {
  0.9: 1.644853626951473,
  0.95: 1.959963984540055,
  0.99: 2.575829303548901,
} as const;
export type Confidence = keyof typeof QUANTILES;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Normal quantile of a two-sided confidence. */
export const quantileOf = (confidence: Confidence): number => QUANTILES[confidence];

/**
 * True when the true count is told from zero: the lower end of the two-sided 90 % interval (one-sided 95 %) is not below it. False
 * where either is NaN. Units: counts, standard errors.
 */
export const tellsFromZero = (estimate: number, error: number): boolean =>
  estimate > 0 && estimate >= QUANTILES[0.9] * error;

/** Variances come from sums of products of doubles: far fewer than 2^20 roundings of 2^-53 each. */
const ROUNDING = 1 + 2 ** -32;

/** Standard error of an estimate from its variance, rounded up; NaN-free. Throws `invalid-variance`. */
export function standardError(variance: number): number {
  if (!(variance >= 0)) {
    throw new ConcordatError('invalid-variance', 'a variance is zero or positive');
  }
  return Math.sqrt(variance) * ROUNDING;
}

/**
 * Interval for the true count behind a tree estimate: estimate -+ z * standard error, outward. A tree estimate mixes many
 * integer noises with unequal weights, so it is close to normal and covers as stated down to a standard error of 1; below
 * that single noise values show, and the half-width is what a lone integer noise needs (as `measurementInterval`).
 * An undetermined node has -Infinity .. Infinity. Never derived from the integer map, which is biased cell by cell.
 */
export function confidenceInterval(
  estimate: number,
  variance: number,
  confidence: Confidence = 0.95,
): Interval {
  const error = standardError(variance);
  const half = QUANTILES[confidence] * error;
  return around(estimate, error < 1 && error > 0 ? Math.max(half, Math.ceil(half - 0.5)) : half);
}

/**
 * Interval for the true count behind one noisy measurement: the noise is an integer, so the half-width is the smallest
 * integer k with P(|noise| <= k) about 2 Phi((k + 1/2) / sigma) - 1 >= confidence. Conservative by up to 3 % of coverage.
 */
export function measurementInterval(
  noisy: number,
  variance: number,
  confidence: Confidence = 0.95,
): Interval {
  return around(noisy, Math.ceil(QUANTILES[confidence] * standardError(variance) - 0.5));
}

const around = (centre: number, half: number): Interval => {
  const slack = Math.abs(centre) * 2 ** -50;
  return { low: centre - half - slack, high: centre + half + slack };
};
