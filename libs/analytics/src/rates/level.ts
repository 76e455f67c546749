/**
 * Level of each cell over time: the local-level model (Harvey 1989, section 2.3) with known noise. Released count
 * z_t = x_t + noise + Poisson error, variance R = V + m + e m^2; level x_t = x_(t-1) + step of variance q m^2. The filter
 * starts from the prior of the cell, so that a cell without evidence keeps its prior: that is shrinkage. FAST (Fan and
 * Xiong 2014, IEEE TKDE 26) filters released counts in the same way.
 */
import { type CellPriors, cautious, momentSlope, type Slope } from './empirical-bayes.js';

/** One vector of released counts per period, oldest first, all of one length; NaN is missing. */
export type Periods = readonly Float64Array[];

export interface LevelModel {
  /** Variance of the step of a level from one period to the next, over the squared mean. */
  readonly step: number;
  /** Variance of a period around its level beyond Poisson, over the squared mean. */
  readonly burst: number;
}

export interface Levels {
  readonly level: Float64Array;
  /** Variance of `level` around the true one. */
  readonly variance: Float64Array;
}

/** Steps and bursts as far as this are usual before anything is seen: a level that moves by 14 % a period, periods that scatter by half. */
const USUAL_STEP = 0.02;
const USUAL_BURST = 0.25;

/** A moment estimate less one standard error, shrunk towards 0 by that error, for a variance that is usually below `usual`. */
const plausible = ({ slope, error }: Slope, usual: number): number =>
  (cautious({ slope, error }, 1) * usual * usual) / (usual * usual + error * error);

/** Mean squared change of what all cells share between two periods, relative to one. */
type SharedGap = (t: number, u: number) => number;

const meanOfSquares = (
  periods: Periods,
  i: number,
  lags: readonly number[],
  squared: number,
  gaps: Float64Array,
): number => {
  let sum = 0;
  let count = 0;
  for (const lag of lags) {
    for (let t = lag; t < periods.length; t++) {
      const late = (periods[t] as Float64Array)[i] as number;
      const early = (periods[t - lag] as Float64Array)[i] as number;
      if (Number.isNaN(late) || Number.isNaN(early)) continue;
      sum += (late - early) ** 2 - squared * (gaps[t * periods.length + t - lag] as number);
      count++;
    }
  }
  return count === 0 ? Number.NaN : sum / count;
};

/** Unbiased estimate of the squared rate of a cell: the square of its mean count, less the variance of that. */
function squaredRate(periods: Periods, i: number, noiseVariance: number): number {
  let sum = 0;
  let present = 0;
  for (const period of periods) {
    const value = period[i] as number;
    if (Number.isNaN(value)) continue;
    sum += value;
    present++;
  }
  const own = sum / Math.max(1, present);
  return own * own - (noiseVariance + own) / Math.max(1, present);
}

/**
 * Step and burst by moments: (z_t - z_(t-l))^2 has mean 2 (V + m + burst m^2) + l step m^2 + gap(t, t-l) rate^2, so short lags give
 * the burst and what long lags add gives the step; `gap` is the squared relative change that all cells share: a season is no cell's own. Both are
 * shrunk towards none by their standard errors, as counts under wide noise can seem to jump by any factor. Fewer than four periods
 * say nothing: both are 0.
 */
export function fitLevelModel(
  periods: Periods,
  mean: Float64Array,
  noiseVariance: number,
  gap: SharedGap = () => 0,
): LevelModel {
  const count = periods.length;
  const gaps = Float64Array.from({ length: count * count }, (_, k) =>
    gap(Math.floor(k / count), k % count),
  );
  const reach = Math.min(periods.length - 1, 9);
  if (reach < 3) return { step: 0, burst: 0 };
  const third = Math.floor(reach / 3);
  const short = Array.from({ length: third }, (_, k) => k + 1);
  const long = Array.from({ length: third }, (_, k) => reach - k);
  const lagGap = (long[0] as number) - (short[third - 1] as number);
  const x = new Float64Array(mean.length);
  const rise = new Float64Array(mean.length);
  const scatter = new Float64Array(mean.length);
  const w = new Float64Array(mean.length);
  for (let i = 0; i < mean.length; i++) {
    const m = mean[i] as number;
    const squared = squaredRate(periods, i, noiseVariance);
    const near = meanOfSquares(periods, i, short, squared, gaps);
    const far = meanOfSquares(periods, i, long, squared, gaps);
    if (Number.isNaN(near) || Number.isNaN(far)) continue;
    x[i] = m * m;
    w[i] = 1 / (noiseVariance + m) ** 2;
    rise[i] = (far - near) / lagGap;
    scatter[i] = near / 2 - noiseVariance - m;
  }
  const step = plausible(momentSlope(x, rise, w), USUAL_STEP);
  const { slope, error } = momentSlope(x, scatter, w);
  return { step, burst: plausible({ slope: slope - step, error }, USUAL_BURST) };
}

function squaresTimes(factor: number, mean: Float64Array): Float64Array {
  const squares = new Float64Array(mean.length);
  for (let i = 0; i < squares.length; i++) {
    squares[i] = factor * (mean[i] as number) * (mean[i] as number);
  }
  return squares;
}

/** Level after the last period, starting from the priors of the cells. */
export function filterLevels(
  periods: Periods,
  { mean, least, spread, fullSpread }: CellPriors,
  { step, burst }: LevelModel,
  noiseVariance: number,
): Levels {
  const level = mean.slice();
  // The gains follow from the cautious spread, the variance of what they lead to from the full one (Joseph's form).
  const assumed = squaresTimes(spread, mean);
  const variance = squaresTimes(fullSpread, mean);
  for (const period of periods) {
    for (let i = 0; i < level.length; i++) {
      const m = mean[i] as number;
      const drift = step * m * m;
      const before = (assumed[i] as number) + drift;
      const spreadBefore = (variance[i] as number) + drift;
      const z = period[i] as number;
      if (Number.isNaN(z)) {
        assumed[i] = before;
        variance[i] = spreadBefore;
        continue;
      }
      const error = noiseVariance + m + burst * m * m;
      const gain = before / (before + error);
      level[i] = (level[i] as number) + gain * (z - (level[i] as number));
      assumed[i] = (1 - gain) * before;
      variance[i] = (1 - gain) ** 2 * spreadBefore + gain ** 2 * error;
    }
  }
  for (let i = 0; i < level.length; i++) level[i] = Math.max(least, level[i] as number);
  return { level, variance };
}
