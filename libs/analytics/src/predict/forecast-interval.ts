/**
 * Intervals of a forecast. What they cover: of all cells of the domain, a share `coverage` has its true value inside, over noise,
 * Poisson scatter and cells alike (marginal or empirical-Bayes coverage: Morris 1983, JASA 78; Carlin and Louis 2000, section 3.5).
 * A single extreme cell is covered less than one in the middle. `rateInterval` is about the rate of the period forecast, which
 * nobody ever sees; `countInterval` about the number of incidents that will be recorded, which everybody can check.
 */
import type { RandomSource } from '#libs/dp';
import { normalQuantile } from '../laws/normal.js';
import { uniforms } from '../laws/random-variates.js';
import { levelQuantiles } from '../rates/exact-level.js';
import { centralShares } from '../rates/rate-posterior.js';
import { countScatter } from './count-scatter.js';
import type { Forecast } from './forecast.js';

export interface Interval {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/**
 * Quantile of the gamma law with this mean and variance by the cube-root approximation of Wilson and Hilferty 1931; below the
 * middle that or the normal one, whichever is lower (not below 0): wide noise leaves the lower tail of a rate heavier than gamma.
 */
function gammaQuantile(mean: number, variance: number, z: number): number {
  const ninth = variance / (9 * mean * mean);
  const gamma = mean * Math.max(0, 1 - ninth + z * Math.sqrt(ninth)) ** 3;
  return z < 0 ? Math.max(0, Math.min(gamma, mean + z * Math.sqrt(variance))) : gamma;
}

/**
 * Central interval for the rate of each cell in the period forecast: quantiles of its posterior, moved with the common growth and
 * widened about the mean for what may change until then. Cells without an exact posterior take a gamma law of the same mean
 * and variance. Throws `invalid-coverage`.
 */
export function rateInterval({ mean, rateVariance, basis }: Forecast, coverage: number): Interval {
  const { exact, factor, levels, ends } = basis;
  const shares = centralShares(coverage);
  const quantiles =
    ends?.coverage === coverage ? ends.quantiles : exact && levelQuantiles(exact, shares);
  const [low, high] = shares.map((share, k) => {
    const z = normalQuantile(share);
    return mean.map((m, i) => {
      const variance = rateVariance[i] as number;
      const quantile = quantiles?.[k]?.[i] ?? Number.NaN;
      const own = (factor[i] as number) ** 2 * (levels.variance[i] as number);
      if (Number.isNaN(quantile) || !(own > 0)) return gammaQuantile(m, variance, z);
      const distance = (factor[i] as number) * quantile - m;
      return Math.max(0, m + distance * Math.sqrt(variance / own));
    });
  }) as [Float64Array, Float64Array];
  return { low, high };
}

/** Counts of a mean above this are taken as gamma for the ends of an interval. */
const LARGE_MEAN = 400;

/**
 * Ends for one count whose rate has this mean and variance: Poisson with a gamma rate is negative binomial. At most half of `missed`
 * lies below the low end, the rest above the high one. Whole counts cannot miss just that: the high end is one of two neighbours,
 * `uniform` decides by how much the smaller would miss too much. Where even 0 alone misses less, both ends are 0.
 */
function countEnds(mean: number, variance: number, missed: number, uniform: number) {
  const index = (mean * mean) / variance;
  const share = variance / (mean + variance);
  const isPoisson = !(variance > 1e-9 * mean);
  let term = isPoisson ? Math.exp(-mean) : Math.exp(-index * Math.log1p(variance / mean));
  let total = 0;
  let below = 0;
  let low = -1;
  let k = 0;
  for (;;) {
    if (low < 0 && total + term > missed / 2) {
      low = k;
      below = total;
    }
    total += term;
    // Above k may lie what is not missed below.
    const left = missed - below - (1 - total);
    if (low >= 0 && left >= 0) {
      const isLeftOut = k > low && uniform * term < left;
      return { low, high: isLeftOut ? k - 1 : k };
    }
    term *= isPoisson ? mean / (k + 1) : ((k + index) * share) / (k + 1);
    k++;
  }
}

/**
 * Variance of the rate of each cell as counts see it: that of its level, which scatter beyond Poisson leaves less sure than the posterior
 * takes it to be; the scatter of the coming period itself; the error of the shared course.
 */
function varianceOfCounts({ mean, rateVariance, cellVariance, course, horizon, basis }: Forecast) {
  const { release, levels, factor } = basis;
  const { periods, noiseVariance } = release;
  const { clustering, burst } = countScatter(periods, levels, noiseVariance, course, horizon);
  return mean.map((m, i) => {
    const level = levels.level[i] as number;
    const wider = (level * (clustering + burst * level)) / (noiseVariance + level);
    const own = (factor[i] as number) ** 2 * (levels.variance[i] as number) * (1 + wider);
    const shared = (rateVariance[i] as number) - (cellVariance[i] as number);
    return own + m * (clustering + burst * m) + shared;
  });
}

/** Ends for Poisson counts whose rates have these means and variances. `random` settles the ends that fall between two counts. */
export function intervalOfCounts(
  { mean, variance }: { mean: Float64Array; variance: Float64Array },
  coverage: number,
  random: RandomSource,
): Interval {
  const [, upper] = centralShares(coverage);
  const uniform = uniforms(random);
  const low = new Float64Array(mean.length);
  const high = new Float64Array(mean.length);
  const z = normalQuantile(upper);
  for (let i = 0; i < mean.length; i++) {
    const m = mean[i] as number;
    const v = variance[i] as number;
    const settled = uniform();
    if (m > LARGE_MEAN) {
      low[i] = Math.ceil(gammaQuantile(m, m + v, -z));
      high[i] = Math.floor(gammaQuantile(m, m + v, z));
      continue;
    }
    const ends = countEnds(m, v, 1 - coverage, settled);
    low[i] = ends.low;
    high[i] = ends.high;
  }
  return { low, high };
}

/**
 * Interval for the number of incidents of each cell in the period forecast: negative binomial, with the scatter beyond Poisson that the release
 * itself shows (`count-scatter.ts`). Over many cells the share `coverage` of the counts lies inside; more where most cells are nearly sure to be
 * empty, as no interval is smaller than one count. `random` settles the ends that fall between two counts. Throws `invalid-coverage`.
 */
export function countInterval(rates: Forecast, coverage: number, random: RandomSource): Interval {
  return intervalOfCounts(
    { mean: rates.mean, variance: varianceOfCounts(rates) },
    coverage,
    random,
  );
}
