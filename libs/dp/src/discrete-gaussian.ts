import { ConcordatError } from '#libs/bytes';
import { type Enclosure, expNegative, multiplyEnclosures } from './fixed-point.js';
import {
  inversionSampler,
  type NoiseSampler,
  type OutcomeWeights,
  WEIGHT_BITS,
} from './inversion-table.js';
import { type Rational, rational } from './rational.js';
import { rationalToNumberUp } from './rounding.js';

/**
 * The discrete Gaussian N_Z(0, sigma^2) [CKS20, Definition 1]: P(x) proportional to exp(-x^2 / (2 sigma^2)) on the integers.
 * A counting query of L2 sensitivity Delta plus this noise is Delta^2 / (2 sigma^2)-zCDP [CKS20, Theorem 4].
 * The parameter sigma^2 is any positive rational; the variance of the distribution is at most it [CKS20].
 */

/**
 * Half the support kept: P(X > k) <= P(N(0, sigma^2) >= k) <= exp(-k^2 / (2 sigma^2)) / 2 [CKS20, Proposition 25], so both tails
 * hold less than 2^-250 from k^2 = 351 sigma^2 on.
 */
const TAIL_FACTOR = 351n;

/** Largest sigma^2 whose table is built (noise of +-600,000). */
export const MAX_SIGMA2 = 1n << 30n;

const integerRoot = (value: bigint): bigint => {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
};

/**
 * Weights w_k = exp(-k^2 / (2 sigma^2)) of -K..K by w_(k+1) = w_k r_k, r_(k+1) = r_k exp(-1 / sigma^2), as enclosures: the
 * widths grow with k^2 ulp, 2^40 for the widest table, against 128 spare bits.
 */
function gaussianWeights({ num, den }: Rational): OutcomeWeights {
  const half = Number(integerRoot((TAIL_FACTOR * num) / den) + 1n);
  const right: bigint[] = [];
  let width = 0n;
  let weight: Enclosure = expNegative(rational(0n), WEIGHT_BITS);
  let ratio = expNegative(rational(den, 2n * num), WEIGHT_BITS);
  const decay = multiplyEnclosures(ratio, ratio, WEIGHT_BITS);
  for (let k = 0; k <= half; k++) {
    right.push(weight.lo);
    width += 2n * (weight.hi - weight.lo);
    weight = multiplyEnclosures(weight, ratio, WEIGHT_BITS);
    ratio = multiplyEnclosures(ratio, decay, WEIGHT_BITS);
  }
  return { first: -half, weights: [...right.slice(1).reverse(), ...right], width };
}

function check(sigma2: Rational): void {
  if (sigma2.num <= 0n || sigma2.den <= 0n) {
    throw new ConcordatError('bad-variance', 'sigma^2 is an exact rational above 0');
  }
  if (sigma2.num > MAX_SIGMA2 * sigma2.den) {
    throw new ConcordatError(
      'parameter-too-wide',
      'sigma^2 is above 2^30: ask for more privacy budget or a coarser resolution',
    );
  }
}

/** P(X = 0) and Var(X) of N_Z(0, sigma^2) for reports, rounded up. Throws as `discreteGaussian`. */
export function discreteGaussianMoments({ sigma2 }: { readonly sigma2: Rational }): {
  readonly probabilityOfZero: number;
  readonly variance: number;
} {
  check(sigma2);
  const { first, weights } = gaussianWeights(sigma2);
  let total = 0n;
  let squares = 0n;
  weights.forEach((weight, i) => {
    total += weight;
    squares += weight * BigInt(first + i) ** 2n;
  });
  return {
    probabilityOfZero: rationalToNumberUp(rational(weights[-first] ?? 0n, total)),
    variance: rationalToNumberUp(rational(squares, total)),
  };
}

/**
 * A sampler of N_Z(0, sigma^2), exact to 2^-240 per draw. Throws `bad-variance` unless 0 < sigma^2 and
 * `parameter-too-wide` above `MAX_SIGMA2`. Building takes time and memory proportional to sigma (0.5 s at 10^8).
 */
export function discreteGaussian({ sigma2 }: { readonly sigma2: Rational }): NoiseSampler {
  check(sigma2);
  return inversionSampler(gaussianWeights(sigma2));
}
