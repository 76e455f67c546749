/**
 * How much each watched period has more or less than expected in all cells alike: growth, seasons, holidays. One factor a period by
 * weighted least squares of the released counts on the expected ones, without the cells that clearly went their own way in a first fit.
 * Its error is the larger of what noise and Poisson explain and what cells really do (sandwich form: Huber 1967), so that one
 * street that boils over is not taken for the whole town. The factor is then shrunk towards what the common course before leads to, by that
 * error and by how far periods usually leave their course.
 */

import type { Periods } from '../rates/level.js';
import type { Baseline } from './baseline.js';

export interface CommonChange {
  /** Count over the expected one, of each period. */
  readonly factors: readonly number[];
  /** Variance of each factor. */
  readonly variances: readonly number[];
}

/** Standard deviation of the relative departure of a period from its line before anything is seen. */
const USUAL_DEPARTURE = 0.1;
const LEAST_FACTOR = 0.1;
/** Standard deviations of its total departure from which a cell goes its own way. */
const OWN_WAY = 2.5;
/** Counts with less variance than this are too skewed to tell. */
export const LEAST_VARIANCE = 3;

type Expected = Pick<Baseline, 'mean' | 'rateVariance' | 'shared'>;

/** Weight of each cell in the factor of one period: 0 where it has no count or is `leftOut`. */
function weightsOf(
  period: Float64Array,
  { mean, rateVariance }: Expected,
  noiseVariance: number,
  leftOut: Uint8Array,
): Float64Array {
  const weights = new Float64Array(mean.length);
  for (let i = 0; i < weights.length; i++) {
    if (Number.isNaN(period[i] as number) || leftOut[i] === 1) continue;
    const m = mean[i] as number;
    weights[i] = m / (noiseVariance + m + (rateVariance[i] as number));
  }
  return weights;
}

/** Factor of one period over the cells that are not `leftOut`. */
function periodFactor(
  period: Float64Array,
  t: number,
  expected: Expected,
  noiseVariance: number,
  leftOut: Uint8Array,
): { factor: number; variance: number } {
  const { mean, shared } = expected;
  const weights = weightsOf(period, expected, noiseVariance, leftOut);
  let products = 0;
  let squares = 0;
  for (let i = 0; i < mean.length; i++) {
    const weight = weights[i] as number;
    if (!(weight > 0)) continue;
    products += weight * (period[i] as number);
    squares += weight * (mean[i] as number);
  }
  const before = shared(t);
  const prior = before.variance + USUAL_DEPARTURE ** 2;
  if (!(squares > 0)) return { factor: before.factor, variance: prior };
  const found = products / squares;
  let residuals = 0;
  for (let i = 0; i < mean.length; i++) {
    const weight = weights[i] as number;
    if (!(weight > 0)) continue;
    const residual = weight * ((period[i] as number) - found * (mean[i] as number));
    residuals += residual * residual;
  }
  // By noise and Poisson alone the sum of the squared residuals is `squares`.
  const error = Math.max(squares, residuals) / squares ** 2;
  const share = prior / (prior + error);
  return {
    factor: Math.max(LEAST_FACTOR, before.factor + share * (found - before.factor)),
    variance: prior * (1 - share),
  };
}

/** Factors of the periods that follow those of the baseline. */
export function commonChange(
  periods: Periods,
  expected: Expected,
  noiseVariance: number,
): CommonChange {
  const { mean, rateVariance } = expected;
  const factorsWithout = (leftOut: Uint8Array) =>
    periods.map((period, t) => periodFactor(period, t, expected, noiseVariance, leftOut));
  const first = factorsWithout(new Uint8Array(mean.length));
  const goesOwnWay = new Uint8Array(mean.length);
  for (let i = 0; i < goesOwnWay.length; i++) {
    const m = mean[i] as number;
    if (!(noiseVariance + m >= LEAST_VARIANCE)) continue;
    let departure = 0;
    let factors = 0;
    let variance = 0;
    for (let t = 0; t < periods.length; t++) {
      const z = (periods[t] as Float64Array)[i] as number;
      if (Number.isNaN(z)) continue;
      const { factor } = first[t] as { factor: number };
      departure += z - factor * m;
      factors += factor;
      variance += noiseVariance + factor * m;
    }
    variance += factors * factors * (rateVariance[i] as number);
    if (departure * departure > OWN_WAY * OWN_WAY * variance) goesOwnWay[i] = 1;
  }
  const fitted = factorsWithout(goesOwnWay);
  return {
    factors: fitted.map(({ factor }) => factor),
    variances: fitted.map(({ variance }) => variance),
  };
}
