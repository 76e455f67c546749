import { UNIT_ROUNDOFF } from './convolution.js';
import {
  type Lattice,
  type LossDistribution,
  lossDistribution,
  trim,
} from './loss-distribution.js';
import type { DiscreteGaussianEvent, DiscreteLaplaceEvent, PrivacyEvent } from './privacy-event.js';
import { divideRational, multiplyRational, type Rational, rational } from './rational.js';
import { rationalToNumberUp } from './rounding.js';

/** The privacy loss of a single mechanism: its exact lattice and its distribution. */
export interface EventLattice {
  readonly event: PrivacyEvent;
  /** Exact loss of index 0, and exact distance of neighbouring losses. */
  readonly origin: Rational;
  readonly step: Rational;
}

/**
 * Discrete Gaussian, shift s: ln P(x)/P(x - s) = (s^2 - 2 s x) / (2 sigma^2); with x -> -x (symmetric): origin s^2 / (2 sigma^2),
 * step s / sigma^2. Discrete Laplace of scale t: (|x - s| - |x|) / t takes the values (2 k - s) / t, k = 0..s.
 */
export function eventLattice(event: PrivacyEvent): EventLattice {
  const s = rational(BigInt(event.sensitivity));
  if (event.mechanism === 'discrete-gaussian') {
    const step = divideRational(s, event.sigma2);
    return { event, step, origin: divideRational(multiplyRational(s, step), rational(2n)) };
  }
  return {
    event,
    origin: divideRational(rational(-s.num), event.scale),
    step: divideRational(rational(2n), event.scale),
  };
}

/** ln sum exp(-x^2 / (2 sigma^2)); for sigma >= 2 the sum is sigma sqrt(2 pi) (1 + 2 exp(-2 pi^2 sigma^2)), here within 1e-33. */
const logNormaliser = (sigma2: number): number => {
  if (sigma2 >= 4) return Math.log(2 * Math.PI * sigma2) / 2;
  let sum = 1;
  for (let x = 1; x * x < 160 * sigma2; x++) sum += 2 * Math.exp((-x * x) / (2 * sigma2));
  return Math.log(sum);
};

/** Weights are computed by recurrence above this sigma^2, restarted every `BLOCK`: k^2 u, 2e-13 at most. */
const RECURRENCE_SIGMA2 = 10_000;
const BLOCK = 32;

/** exp(-(x - centre)^2 / (2 sigma^2)) for x = first, first + 1, ... */
function gaussianWeights(first: number, count: number, centre: number, sigma2: number) {
  const weights = new Float64Array(count);
  const exponent = (x: number) => -((x - centre) ** 2) / (2 * sigma2);
  if (sigma2 <= RECURRENCE_SIGMA2) {
    for (let i = 0; i < count; i++) weights[i] = Math.exp(exponent(first + i));
    return weights;
  }
  const decay = Math.exp(-1 / sigma2);
  for (let begin = 0; begin < count; begin += BLOCK) {
    let weight = Math.exp(exponent(first + begin));
    let ratio = Math.exp(-(2 * (first + begin - centre) + 1) / (2 * sigma2));
    const end = Math.min(count, begin + BLOCK);
    for (let i = begin; i < end; i++) {
      weights[i] = weight;
      weight *= ratio;
      ratio *= decay;
    }
  }
  return weights;
}

function gaussianLoss(
  event: DiscreteGaussianEvent,
  lattice: Lattice,
  tilt: number,
  allowed: number,
): LossDistribution {
  const sigma2 = rationalToNumberUp(event.sigma2);
  // P(X >= m) <= exp(-(m - 1)^2 / (2 sigma^2)) [CKS20, Proposition 25], at most allowed / 10.
  const tail = Math.log(10 / allowed);
  const half = Math.ceil(Math.sqrt(2 * tail * sigma2)) + 1;
  const normaliser = logNormaliser(sigma2);
  // -x^2 / (2 sigma^2) + tilt (origin + x step) is the square around the shifted centre, since step = s / sigma^2.
  const centre = tilt * event.sensitivity;
  const logPeak = tilt * lattice.origin + centre ** 2 / (2 * sigma2) - normaliser;
  const size = tail + Math.abs(logPeak) + tilt * (half + 1) * lattice.step;
  const recurrence = sigma2 > RECURRENCE_SIGMA2 ? 2 * BLOCK ** 2 : 0;
  return trim(
    lossDistribution(
      lattice,
      -half,
      gaussianWeights(-half, 2 * half + 1, centre, sigma2),
      logPeak,
      {
        tilt,
        atInfinity: 2 * Math.exp(-tail),
        logError: UNIT_ROUNDOFF * (8 * (size + 4) + recurrence),
      },
    ),
    allowed,
  );
}

/** P(X <= 0) = P(X >= s) e^(s/t) = 1 / (1 + q), P(X = x) = (1 - q) / (1 + q) q^x, q = exp(-1 / t). */
function laplaceLoss(
  event: DiscreteLaplaceEvent,
  lattice: Lattice,
  tilt: number,
  allowed: number,
): LossDistribution {
  const t = rationalToNumberUp(event.scale);
  const s = event.sensitivity;
  const logEnd = -Math.log1p(Math.exp(-1 / t));
  const logInner = Math.log(-Math.expm1(-1 / t)) + logEnd;
  // Index k has loss (2 k - s) / t, that is x = s - k.
  const logWeight = (k: number): number =>
    (k === s ? logEnd : k === 0 ? logEnd - s / t : logInner - (s - k) / t) +
    tilt * (lattice.origin + k * lattice.step);
  const logPeak = Math.max(logWeight(0), logWeight(s));
  const weights = Float64Array.from({ length: s + 1 }, (_, k) => Math.exp(logWeight(k) - logPeak));
  return trim(
    lossDistribution(lattice, 0, weights, logPeak, {
      tilt,
      atInfinity: 0,
      logError: 8 * UNIT_ROUNDOFF * (4 + (1 + tilt) * (s / t) - logInner),
    }),
    allowed,
  );
}

/**
 * The loss distribution of one event, tilted; the top may lose a probability of `allowed`. For a tilt near the saddle point
 * its bulk is kept whatever delta is.
 */
export function eventLoss(
  { event, origin, step }: EventLattice,
  tilt: number,
  allowed: number,
): LossDistribution {
  const lattice = { origin: rationalToNumberUp(origin), step: rationalToNumberUp(step) };
  return event.mechanism === 'discrete-gaussian'
    ? gaussianLoss(event, lattice, tilt, allowed)
    : laplaceLoss(event, lattice, tilt, allowed);
}
