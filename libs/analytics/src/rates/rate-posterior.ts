/**
 * Posterior law of the rate of one cell, from its likelihood on the grid of rates and the law of the ratios. Where many counts make
 * the likelihood narrower than the grid, its logarithm is interpolated by cubics between grid points (it is smooth: that of a
 * Poisson sum with known noise), so that quantiles do not snap to the grid.
 */
import { ConcordatError } from '#libs/bytes';
import { LOG_STEP } from '../laws/likelihood-table.js';
import type { RatioLikelihood } from './ratio-law.js';
import { RATIOS } from './ratio-starts.js';

/** Logarithms of the likelihood further below its greatest do not count. */
const REACH = -30;
const LEAST_LIKELIHOOD = Math.exp(REACH);
/** Points a standard deviation that quantiles need. */
const POINTS_PER_DEVIATION = 3;
const MOST_PARTS = 64;

/** Points of the posterior: rates in even steps of their logarithm, weights that sum to 1. */
export interface RatePosterior {
  readonly logRates: Float64Array;
  readonly weights: Float64Array;
  /** Points in use. */
  count: number;
  /** Step of `logRates`. */
  step: number;
  /** Rates whose logarithm is below this stand for all of them down to 0. */
  floor: number;
}

const MOST_POINTS = (RATIOS + 1) * MOST_PARTS;

/** Room for a posterior; filled again for each cell. */
export const posteriorRoom = (): RatePosterior => ({
  logRates: new Float64Array(MOST_POINTS),
  weights: new Float64Array(MOST_POINTS),
  count: 0,
  step: LOG_STEP,
  floor: Number.NEGATIVE_INFINITY,
});

/** Into how many parts a grid step is cut for a likelihood of this shape. */
function partsFor(logs: Float64Array, peak: number): number {
  const before = peak > 0 ? (logs[peak - 1] as number) : Number.NEGATIVE_INFINITY;
  const after = peak < RATIOS ? (logs[peak + 1] as number) : Number.NEGATIVE_INFINITY;
  if (!Number.isFinite(before) || !Number.isFinite(after)) return 1;
  // In units of the grid step; both neighbours are at or below the peak, whose logarithm is 0.
  const curvature = -(before + after);
  return Math.min(MOST_PARTS, Math.max(1, Math.ceil(POINTS_PER_DEVIATION * Math.sqrt(curvature))));
}

/** Lagrange's cubic through values at -1, 0, 1, 2, at `x` in 0..1. */
const cubic = (a: number, b: number, c: number, d: number, x: number): number =>
  (-x * (x - 1) * (x - 2) * a) / 6 +
  ((x + 1) * (x - 1) * (x - 2) * b) / 2 -
  ((x + 1) * x * (x - 2) * c) / 2 +
  ((x + 1) * x * (x - 1) * d) / 6;

/** Log-likelihood at `x` of the way from grid point j to the next; beyond what was computed it goes on as a parabola. */
function interpolated(logs: Float64Array, j: number, x: number): number {
  const b = logs[j] as number;
  const c = logs[j + 1] as number;
  const a = j > 0 ? (logs[j - 1] as number) : Number.NEGATIVE_INFINITY;
  const d = j + 2 <= RATIOS ? (logs[j + 2] as number) : Number.NEGATIVE_INFINITY;
  const hasBefore = Number.isFinite(a);
  const hasAfter = Number.isFinite(d);
  if (!hasBefore && !hasAfter) return (1 - x) * b + x * c;
  return cubic(hasBefore ? a : 3 * b - 3 * c + d, b, c, hasAfter ? d : a - 3 * b + 3 * c, x);
}

/** Fills `room` with the posterior; false when the law of ratios rules the counts out. */
export function fillPosterior(
  room: RatePosterior,
  likelihood: RatioLikelihood,
  ratios: Float64Array,
  firstLogRate: number,
): boolean {
  const { origin, fraction, logs, peak } = likelihood;
  const parts = partsFor(logs, peak);
  const total =
    parts === 1
      ? fillAtPoints(room, likelihood, ratios, firstLogRate)
      : fillBetweenPoints(room, likelihood, ratios, firstLogRate, parts);
  if (!(total > 0)) return false;
  const { weights, count } = room;
  for (let k = 0; k < count; k++) weights[k] = (weights[k] as number) / total;
  room.step = LOG_STEP / parts;
  room.floor = firstLogRate + (origin + fraction + 0.5) * LOG_STEP;
  return true;
}

/** Weight of the law of ratios at point j of the grid of rates. */
const priorAt = (ratios: Float64Array, fraction: number, j: number): number =>
  (1 - fraction) * (j < RATIOS ? (ratios[j] as number) : 0) +
  (j > 0 ? fraction * (ratios[j - 1] as number) : 0);

/** Points of the posterior, up to a factor, at those of the grid; returns the sum of their weights. */
function fillAtPoints(
  room: RatePosterior,
  { origin, fraction, values, logs, from, to }: RatioLikelihood,
  ratios: Float64Array,
  firstLogRate: number,
): number {
  const { logRates, weights } = room;
  let count = 0;
  let total = 0;
  for (let j = from; j < to; j++) {
    if (!((logs[j] as number) > REACH || (j < RATIOS && (logs[j + 1] as number) > REACH))) continue;
    const likelihood = values[j] as number;
    const weight = likelihood > LEAST_LIKELIHOOD ? likelihood * priorAt(ratios, fraction, j) : 0;
    if (weight === 0 && count === 0) continue;
    logRates[count] = firstLogRate + (origin + j) * LOG_STEP;
    weights[count++] = weight;
    total += weight;
  }
  room.count = count;
  return total;
}

/** The same with each step of the grid cut into `parts`. */
function fillBetweenPoints(
  room: RatePosterior,
  { origin, fraction, values, logs, from, to }: RatioLikelihood,
  ratios: Float64Array,
  firstLogRate: number,
  parts: number,
): number {
  const { logRates, weights } = room;
  let count = 0;
  let total = 0;
  for (let j = from; j < to; j++) {
    const here = logs[j] as number;
    const next = j < RATIOS ? (logs[j + 1] as number) : Number.NEGATIVE_INFINITY;
    if (!(here > REACH || next > REACH)) continue;
    const steps = Number.isFinite(here) && Number.isFinite(next) ? parts : 1;
    const prior = priorAt(ratios, fraction, j);
    const nextPrior = priorAt(ratios, fraction, j + 1);
    for (let part = 0; part < steps; part++) {
      const x = part / parts;
      const likelihood = part === 0 ? (values[j] as number) : Math.exp(interpolated(logs, j, x));
      const weight =
        likelihood > LEAST_LIKELIHOOD
          ? likelihood * (part === 0 ? prior : (1 - x) * prior + x * nextPrior)
          : 0;
      if (weight === 0 && count === 0) continue;
      logRates[count] = firstLogRate + (origin + (j + x)) * LOG_STEP;
      weights[count++] = weight;
      total += weight;
    }
  }
  room.count = count;
  return total;
}

/** Mean and variance of the rate. */
export function posteriorMoments({ logRates, weights, count, step }: RatePosterior): {
  mean: number;
  variance: number;
} {
  let sum = 0;
  let squares = 0;
  let rate = Math.exp(logRates[0] as number);
  const growth = Math.exp(step);
  for (let k = 0; k < count; k++) {
    const part = (weights[k] as number) * rate;
    sum += part;
    squares += part * rate;
    rate *= growth;
  }
  return { mean: sum, variance: Math.max(0, squares - sum * sum) };
}

/** Mass of the posterior around point k. Density between points is that of its own point, corrected for curvature. */
function massAt({ weights, count }: RatePosterior, k: number): number {
  const here = weights[k] as number;
  const before = k > 0 ? (weights[k - 1] as number) : 0;
  const after = k < count - 1 ? (weights[k + 1] as number) : 0;
  return Math.max(0, here + (before - 2 * here + after) / 24);
}

/** Rate at which the share `p` lies below, given that it is reached at point k and `below` of it before. */
function rateWithin(posterior: RatePosterior, k: number, below: number, p: number): number {
  const { logRates, step, floor } = posterior;
  const mass = massAt(posterior, k);
  const x = mass > 0 ? (p - below) / mass : 0.5;
  const log = (logRates[k] as number) + (x - 0.5) * step;
  return log < floor ? 0 : Math.exp(log);
}

const highestRate = ({ logRates, count, step }: RatePosterior): number =>
  Math.exp((logRates[count - 1] as number) + 0.5 * step);

/** Shares below the two ends of a central interval. Throws `invalid-coverage`. */
export function centralShares(coverage: number): readonly [low: number, high: number] {
  if (coverage > 0 && coverage < 1) return [(1 - coverage) / 2, (1 + coverage) / 2];
  throw new ConcordatError('invalid-coverage', 'a coverage lies between 0 and 1');
}

/** Rate below which the share `p` of the posterior lies. 0 where that is below the grid. */
export function posteriorQuantile(posterior: RatePosterior, p: number): number {
  let below = 0;
  for (let k = 0; k < posterior.count; k++) {
    const mass = massAt(posterior, k);
    if (below + mass >= p) return rateWithin(posterior, k, below, p);
    below += mass;
  }
  return highestRate(posterior);
}

/** `posteriorQuantile` for many shares, by bisection in `reached`, as long as the room; good until either is filled again. */
export function posteriorQuantiles(
  room: RatePosterior,
  reached: Float64Array,
): (p: number) => number {
  let sum = 0;
  for (let k = 0; k < room.count; k++) {
    sum += massAt(room, k);
    reached[k] = sum;
  }
  return (p) => {
    if (!(sum >= p)) return highestRate(room);
    let low = 0;
    let high = room.count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((reached[middle] as number) >= p) high = middle;
      else low = middle + 1;
    }
    return rateWithin(room, low, low > 0 ? (reached[low - 1] as number) : 0, p);
  };
}
