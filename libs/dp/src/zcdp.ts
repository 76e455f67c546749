import { ConcordatError } from '#libs/bytes';
import { naturalLog } from './fixed-point.js';
import {
  addRational,
  divideRational,
  multiplyRational,
  type Rational,
  rational,
  rationalFromNumber,
} from './rational.js';
import type { Rho } from './rho.js';
import { rationalToNumberUp } from './rounding.js';

/**
 * From zCDP to (epsilon, delta). [CKS20, Proposition 12 with Corollary 13]: rho-zCDP implies, for every alpha > 1,
 *   epsilon = alpha rho + (ln(1 / delta) + alpha ln(1 - 1 / alpha) - ln(alpha - 1)) / (alpha - 1)
 * (solve delta = exp((alpha - 1)(alpha rho - epsilon)) / (alpha - 1) * (1 - 1 / alpha)^alpha for epsilon).
 */
const BITS = 192;

/** d epsilon / d alpha times (alpha - 1)^2: increasing in alpha, zero at the optimum. */
const slope = (alpha: number, rho: number, logInverseDelta: number): number =>
  rho * (alpha - 1) ** 2 + Math.log(alpha) - logInverseDelta;

function bestAlpha(rho: number, logInverseDelta: number): number {
  let low = 1;
  let high = 2;
  while (slope(high, rho, logInverseDelta) < 0) high = 1 + 2 * (high - 1);
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (slope(middle, rho, logInverseDelta) < 0) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The epsilon at `delta` that rho-zCDP guarantees, rounded up: every alpha gives a valid bound, alpha is the optimum to a
 * double's precision, and the bound at it is computed in 192-bit enclosures. Throws `bad-delta`.
 */
export function zcdpEpsilon(rho: Rho | Rational, delta: number): number {
  if (!(delta > 0 && delta < 1)) {
    throw new ConcordatError('bad-delta', 'delta is a number above 0 and below 1');
  }
  if (rho.num <= 0n) throw new ConcordatError('malformed-rho', 'rho is above zero');
  const approximateRho = rationalToNumberUp(rho);
  const alpha = rationalFromNumber(bestAlpha(approximateRho, -Math.log(delta)));
  const minusOne = rational(alpha.num - alpha.den, alpha.den);
  const exactDelta = rationalFromNumber(delta);
  // The numerator is (alpha - 1) ln(alpha - 1) - alpha ln(alpha) - ln(delta), each logarithm at the end that raises it.
  const numerator = rational(
    minusOne.num * naturalLog(minusOne, BITS).hi -
      alpha.num * naturalLog(alpha, BITS).lo -
      alpha.den * naturalLog(exactDelta, BITS).lo,
    alpha.den << BigInt(BITS),
  );
  const bound = addRational(multiplyRational(alpha, rho), divideRational(numerator, minusOne));
  // Up to a multiple of 2^-52: one outward step that is the same for every magnitude.
  const units = ((bound.num << 52n) + bound.den - 1n) / bound.den;
  return bound.num <= 0n ? 0 : rationalToNumberUp(rational(units, 1n << 52n));
}
