/**
 * Two-sided p-value of a symmetric statistic that is nearly normal: the Edgeworth series to second order (Kendall, Stuart and
 * Ord 1994, section 6.18; Hall 1992, section 2.3). A sum of a few noise terms has longer tails than the normal law: at
 * epsilon 0.1 eight Laplace terms alone reject 1.4 % at a nominal 1 %.
 */

import { normalDensity, normalTwoSided } from './normal.js';
import { type NoiseLaw, noisePmf } from './pmf.js';

export interface EvenCumulants {
  readonly second: number;
  readonly fourth: number;
  readonly sixth: number;
}

/**
 * Cumulants of one noise term; odd ones are 0. Discrete Laplace: 2 sum_k k^(2n-1) q^k with q = exp(-epsilon), in closed form by
 * Eulerian polynomials (its generating function is log((1 - q)^2 / ((1 - q e^t) (1 - q e^-t)))). Discrete Gaussian: those of the
 * continuous one from sigma^2 = 2 on, as by Poisson summation they differ by about exp(-2 pi^2 sigma^2) (Canonne, Kamath, Steinke
 * 2020). Else from the table.
 */
export function noiseCumulants(law: NoiseLaw): EvenCumulants {
  if (law.mechanism === 'discrete-laplace' && law.epsilon > 0) {
    const q = Math.exp(-law.epsilon);
    const square = Math.expm1(-law.epsilon) ** 2;
    return {
      second: (2 * q) / square,
      fourth: (2 * q * (1 + 4 * q + q * q)) / square ** 2,
      sixth: (2 * q * (1 + 26 * q + 66 * q ** 2 + 26 * q ** 3 + q ** 4)) / square ** 3,
    };
  }
  if (law.mechanism === 'discrete-gaussian' && law.sigma2 >= 2) {
    return { second: law.sigma2, fourth: 0, sixth: 0 };
  }
  const { first, weights } = noisePmf(law);
  let m2 = 0;
  let m4 = 0;
  let m6 = 0;
  weights.forEach((weight, i) => {
    const square = (first + i) ** 2;
    m2 += weight * square;
    m4 += weight * square * square;
    m6 += weight * square * square * square;
  });
  return { second: m2, fourth: m4 - 3 * m2 * m2, sixth: m6 - 15 * m4 * m2 + 30 * m2 ** 3 };
}

/** P(|X| >= |x|) for X of these cumulants: 2 (1 - Phi(z)) + 2 phi(z) (k4 He3 / 24 + k6 He5 / 720 + k4^2 He7 / 1152). */
export function edgeworthTwoSided(x: number, { second, fourth, sixth }: EvenCumulants): number {
  if (second === 0) return x === 0 ? 1 : 0;
  const z = Math.abs(x) / Math.sqrt(second);
  const k4 = fourth / second ** 2;
  const k6 = sixth / second ** 3;
  const he3 = z ** 3 - 3 * z;
  const he5 = z ** 5 - 10 * z ** 3 + 15 * z;
  const he7 = z ** 7 - 21 * z ** 5 + 105 * z ** 3 - 105 * z;
  const correction = (k4 * he3) / 24 + (k6 * he5) / 720 + (k4 * k4 * he7) / 1152;
  return Math.min(1, Math.max(0, normalTwoSided(z) + 2 * normalDensity(z) * correction));
}

/** Beyond this many standard errors no interval is looked for: the normal law leaves 1e-88. */
const MOST_ERRORS = 20;

/** The value that |X| exceeds with probability `share`, 0 < share < 1: the inverse of `edgeworthTwoSided`. */
export function edgeworthLimit(share: number, cumulants: EvenCumulants): number {
  const se = Math.sqrt(cumulants.second);
  let low = 0;
  let high = MOST_ERRORS;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (edgeworthTwoSided(middle * se, cumulants) > share) low = middle;
    else high = middle;
  }
  return high * se;
}

/** A test of "no change" against both sides, and the interval of values that it does not reject. */
export interface TwoSidedTest {
  readonly se: number;
  /** 0/0, no incident and no noise at all, is 0. */
  readonly z: number;
  readonly p: number;
  readonly low: number;
  readonly high: number;
}

/** Tests a difference whose cumulants are these; the interval holds in 1 - `size` of repetitions. */
export function edgeworthTest(
  difference: number,
  cumulants: EvenCumulants,
  size: number,
): TwoSidedTest {
  const se = Math.sqrt(cumulants.second);
  const reach = edgeworthLimit(size, cumulants);
  return {
    se,
    z: se === 0 ? 0 : difference / se,
    p: edgeworthTwoSided(difference, cumulants),
    low: difference - reach,
    high: difference + reach,
  };
}
