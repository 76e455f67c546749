import { convolve, UNIT_ROUNDOFF } from './convolution.js';

/**
 * A privacy-loss distribution on a lattice: P(loss = origin + (low + i) * step), for a pair of neighbouring datasets. Both
 * mechanisms here are symmetric under the exchange of the pair, so one distribution serves both directions.
 *
 * Masses are stored tilted, p~ = p exp(tilt * loss - logScale) with sum 1, tilt near the saddle point of the delta asked for:
 * the part of the distribution that decides delta is then its bulk, and rounding errors that are small against 1 are small
 * against delta, however small delta is.
 *
 * Every change is outward (the distribution dominates the true one): mass above the kept range becomes `atInfinity`,
 * mass below it moves up to the lowest kept point, rounding is bounded by `absoluteError` and `relativeError`.
 */
export interface LossDistribution {
  readonly origin: number;
  readonly step: number;
  readonly low: number;
  readonly tilted: Float64Array;
  readonly tilt: number;
  readonly logScale: number;
  /** Probability (not tilted) of an unbounded loss. */
  readonly atInfinity: number;
  /** Tilted mass moved up so far: what the lower bound of delta has to give back. */
  readonly moved: number;
  /** Bound on the absolute error of each tilted mass. */
  readonly absoluteError: number;
  /** Bound on the relative error of each mass. */
  readonly relativeError: number;
}

export interface Lattice {
  readonly origin: number;
  readonly step: number;
}

/** Tilted mass that may be moved up per cut: adds at most about this, relatively, to delta. */
const LOW_CUT = 1e-14;

const lossAt = (d: LossDistribution, i: number): number => d.origin + (d.low + i) * d.step;

/**
 * The distribution with tilted masses weights[i] * exp(logPeak), i = 0 .. (normalised in place); `logError` bounds the relative
 * error of each.
 */
export function lossDistribution(
  lattice: Lattice,
  low: number,
  weights: Float64Array,
  logPeak: number,
  options: { readonly tilt: number; readonly atInfinity: number; readonly logError: number },
): LossDistribution {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] as number;
  const inverse = 1 / sum;
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] as number) * inverse;
  return {
    ...lattice,
    low,
    tilted: weights,
    tilt: options.tilt,
    logScale: logPeak + Math.log(sum),
    atInfinity: options.atInfinity,
    moved: 0,
    absoluteError: 0,
    relativeError: options.logError + 16 * UNIT_ROUNDOFF,
  };
}

/**
 * Cuts both ends: the top while the probability lost (it becomes `atInfinity`) stays within `allowed`, the bottom while the
 * tilted mass moved up stays within `LOW_CUT`.
 */
export function trim(d: LossDistribution, allowed: number): LossDistribution {
  const { tilted, tilt, step } = d;
  let end = tilted.length;
  let lost = 0;
  while (end > 1) {
    const value = tilted[end - 1] as number;
    const next = lost + value * Math.exp(d.logScale - tilt * lossAt(d, end - 1));
    if (!(next <= allowed)) break;
    lost = next;
    end--;
  }
  const rise = Math.exp(tilt * step);
  let begin = 0;
  let moved = 0;
  while (begin < end - 1) {
    const next = (moved + (tilted[begin] as number)) * rise;
    if (!(next <= LOW_CUT)) break;
    moved = next;
    begin++;
  }
  if (begin === 0 && end === tilted.length) return d;
  const kept = tilted.slice(begin, end);
  kept[0] = (kept[0] as number) + moved;
  return {
    ...d,
    low: d.low + begin,
    tilted: kept,
    atInfinity: d.atInfinity + lost * (1 + d.relativeError + 1e-9),
    moved: d.moved + moved,
  };
}

/** The distribution of the sum of two independent losses on lattices of the same step, then trimmed. */
export function composeLosses(
  a: LossDistribution,
  b: LossDistribution,
  allowed: number,
): LossDistribution {
  const { values, absoluteError, relativeError } = convolve(a.tilted, b.tilted);
  const shorter = Math.min(a.tilted.length, b.tilted.length);
  return trim(
    {
      origin: a.origin + b.origin,
      step: a.step,
      low: a.low + b.low,
      tilted: values,
      tilt: a.tilt,
      logScale: a.logScale + b.logScale,
      atInfinity: a.atInfinity + b.atInfinity,
      moved: 1.01 * (a.moved + b.moved),
      // Both sums are 1 up to rounding: |a*b - a'*b'| <= |a - a'| * 1 + |b - b'| * 1 + second order.
      absoluteError:
        1.01 * (a.absoluteError + b.absoluteError) +
        a.absoluteError * b.absoluteError * shorter +
        absoluteError,
      relativeError:
        (1 + a.relativeError) * (1 + b.relativeError) * (1 + relativeError) - 1 + UNIT_ROUNDOFF,
    },
    allowed,
  );
}

/** The sum of `times` independent copies, by squaring; `allowed` is what one copy may lose at the top. */
export function selfCompose(d: LossDistribution, times: number, allowed: number): LossDistribution {
  let power = d;
  let copies = 1;
  let result: LossDistribution | null = null;
  let composed = 0;
  for (let left = times; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      composed += copies;
      result = result === null ? power : composeLosses(result, power, allowed * composed);
    }
    if (left > 1) {
      copies *= 2;
      power = composeLosses(power, power, allowed * copies);
    }
  }
  return result ?? d;
}

/** The same distribution on a lattice `factor` times finer. */
export function refine(d: LossDistribution, factor: number, step: number): LossDistribution {
  if (factor === 1) return { ...d, step };
  const tilted = new Float64Array((d.tilted.length - 1) * factor + 1);
  for (let i = 0; i < d.tilted.length; i++) tilted[i * factor] = d.tilted[i] as number;
  return { ...d, step, low: d.low * factor, tilted };
}

const [HALF, THIRD, QUARTER, FIFTH, SIXTH] = [1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6];

/** 1 - exp(-t) for 0 <= t < 0.001 by its Taylor polynomial: the first term left out is below 1e-14 relative to it. */
const lossOfSmall = (t: number): number => t * (1 - t * HALF * (1 - t * THIRD * (1 - t * QUARTER)));

/** exp(x) for |x| <= 0.02 by its Taylor polynomial: the first term left out is below 3e-16. */
const expOfSmall = (x: number): number =>
  1 + x * (1 + x * HALF * (1 + x * THIRD * (1 + x * QUARTER * (1 + x * FIFTH * (1 + x * SIXTH)))));

/**
 * A dominating distribution on the grid of multiples of `step`: each atom of mass p and loss l is split over its two neighbours
 * a <= l <= a + step so that both sum p and sum p exp(-l) (the masses under the pair) are kept. That is a mean-preserving
 * spread of exp(-loss), and delta(epsilon) is the mean of the convex (1 - exp(epsilon) y)_+, also after composition
 * (Doroshenko et al. 2022, "Connect the dots"); it costs O(step^2).
 */
export function coarsen(d: LossDistribution, step: number): LossDistribution {
  const first = Math.floor(lossAt(d, 0) / step);
  const last = Math.floor(lossAt(d, d.tilted.length - 1) / step) + 1;
  const tilted = new Float64Array(last - first + 1);
  const raise = Math.exp(d.tilt * step);
  const perStep = 1 / step;
  const shallow = d.tilt * step < 0.02;
  const narrow = step < 1e-3;
  const inverse = 1 / (narrow ? lossOfSmall(step) : -Math.expm1(-step));
  for (let i = 0; i < d.tilted.length; i++) {
    const mass = d.tilted[i] as number;
    if (mass === 0) continue;
    const loss = lossAt(d, i);
    const below = Math.max(first, Math.min(last - 1, Math.floor(loss * perStep)));
    const t = Math.min(step, Math.max(0, loss - below * step));
    const up = (narrow ? lossOfSmall(t) : -Math.expm1(-t)) * inverse;
    const at = below - first;
    const lowered = mass * (shallow ? expOfSmall(-d.tilt * t) : Math.exp(-d.tilt * t));
    tilted[at] = (tilted[at] as number) + lowered * (1 - up);
    tilted[at + 1] = (tilted[at + 1] as number) + lowered * up * raise;
  }
  const perCell = Math.ceil(step / d.step) + 2;
  return {
    ...d,
    origin: 0,
    step,
    low: first,
    tilted,
    absoluteError: d.absoluteError * perCell * Math.exp(d.tilt * step),
    relativeError: d.relativeError + (perCell + 64) * UNIT_ROUNDOFF,
  };
}

/**
 * Bounds on delta(epsilon) = sum over loss > epsilon of p (1 - exp(epsilon - loss)) [BW18, Theorem 5].
 * `slack` bounds the rounding of every loss. The lower bound is one of the distribution as it stands.
 */
export function deltaBounds(
  d: LossDistribution,
  epsilon: number,
  slack: number,
): { readonly upper: number; readonly lower: number } {
  let upper = 0;
  let lower = 0;
  const start = Math.max(0, Math.floor((epsilon - slack - d.origin) / d.step) - d.low - 1);
  for (let i = start; i < d.tilted.length; i++) {
    const mass = d.tilted[i] as number;
    const loss = lossAt(d, i);
    const above = loss + slack - epsilon;
    if (mass === 0 || above <= 0) continue;
    const probability = mass * Math.exp(d.logScale - d.tilt * loss);
    upper -= probability * Math.expm1(-above);
    if (above > 2 * slack) lower -= probability * Math.expm1(2 * slack - above);
  }
  const decay = -Math.expm1(-d.tilt * d.step);
  const points = Math.max(0, Math.min(d.tilted.length - start, 1 / decay));
  // An error x of a tilted mass above epsilon is one of at most x exp(logScale - tilt * epsilon) of its probability.
  const scale = Math.exp(d.logScale - d.tilt * (epsilon - slack));
  const absolute = d.absoluteError === 0 ? 0 : scale * d.absoluteError * points;
  const moved = d.moved === 0 ? 0 : scale * d.moved;
  // The exponents above are right to a few ulp of their size.
  const largest = Math.max(Math.abs(epsilon), Math.abs(lossAt(d, d.tilted.length - 1)));
  const relative =
    d.relativeError +
    UNIT_ROUNDOFF * (16 + 4 * Math.abs(d.logScale) + 4 * d.tilt * largest + d.tilted.length);
  const bound = upper * (1 + relative) + absolute + d.atInfinity;
  // Outside the range of doubles only the trivial bounds are left.
  if (!(bound <= 1)) return { upper: 1, lower: 0 };
  return { upper: bound, lower: Math.max(0, lower * (1 - relative) - absolute - moved) };
}
