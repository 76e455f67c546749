/**
 * Is a place getting better or worse? Mann 1945 (Econometrica 13), Kendall 1975 (Rank Correlation Methods), slope of
 * Theil 1950 and Sen 1968 (JASA 63). Ranks of unclamped values: under no trend noisy months are as exchangeable as true
 * ones, so the test keeps its size at every epsilon; what the noise takes is power.
 */
import { ConcordatError } from '#libs/bytes';

export interface Trend {
  /** Pairs that rise minus pairs that fall. */
  readonly s: number;
  /** Variance of s under no trend, corrected for ties. */
  readonly var: number;
  /** (s -/+ 1) / sqrt(var); 0 when s is 0. */
  readonly z: number;
  /** Median of the slopes of all pairs, per period. */
  readonly slope: number;
  /** Standard error that the noise alone gives a least-squares slope over the same periods. */
  readonly slopeNoiseSe: number;
}

/** z of a Mann-Kendall statistic with the continuity correction. */
const continuityZ = (s: number, variance: number): number =>
  s === 0 || variance <= 0 ? 0 : (s - Math.sign(s)) / Math.sqrt(variance);

function medianOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Score, its variance and (when asked) the sorted slopes of one series whose NaN periods are missing. */
function pairs(series: Float64Array, slopes: Float64Array | undefined) {
  let s = 0;
  let periods = 0;
  let tied = 0;
  let count = 0;
  for (let i = 0; i < series.length; i++) {
    const early = series[i] as number;
    if (Number.isNaN(early)) continue;
    periods++;
    let same = 0;
    let first = true;
    for (let j = 0; j < series.length; j++) {
      const late = series[j] as number;
      if (late === early) {
        same++;
        if (j < i) first = false;
      }
      if (j <= i || Number.isNaN(late)) continue;
      s += late > early ? 1 : late < early ? -1 : 0;
      if (slopes) slopes[count++] = (late - early) / (j - i);
    }
    // Each group of equal values once.
    if (first) tied += same * (same - 1) * (2 * same + 5);
  }
  const variance = (periods * (periods - 1) * (2 * periods + 5) - tied) / 18;
  return { s, variance, periods, count };
}

/**
 * Trend of one series, oldest first; NaN is a missing period, which keeps its place in time. `noiseVariance` is the known
 * variance of the noise in one value. Throws `too-few-periods` below 3 present, `invalid-variance`.
 */
export function mannKendall(series: Float64Array, noiseVariance = 0): Trend {
  if (!(noiseVariance >= 0)) {
    throw new ConcordatError('invalid-variance', 'a variance is a number from 0');
  }
  const slopes = new Float64Array((series.length * (series.length - 1)) / 2);
  const { s, variance, periods, count } = pairs(series, slopes);
  if (periods < 3) {
    throw new ConcordatError('too-few-periods', 'a trend needs at least three periods');
  }
  let times = 0;
  let squares = 0;
  series.forEach((value, t) => {
    if (!Number.isNaN(value)) {
      times += t;
      squares += t * t;
    }
  });
  return {
    s,
    var: variance,
    z: continuityZ(s, variance),
    slope: medianOfSorted(slopes.subarray(0, count).sort()),
    slopeNoiseSe: Math.sqrt(noiseVariance / (squares - (times * times) / periods)),
  };
}

/**
 * z and slope of every cell; `periods` holds one vector of cells per period, oldest first, NaN where missing. Without
 * `slopes`, which cost a sort per cell, the slopes are NaN.
 */
export function trends(
  periods: readonly Float64Array[],
  { slopes: wanted = true }: { slopes?: boolean } = {},
): { z: Float64Array; slope: Float64Array } {
  const cells = periods[0]?.length ?? 0;
  const z = new Float64Array(cells).fill(Number.NaN);
  const slope = new Float64Array(cells).fill(Number.NaN);
  const series = new Float64Array(periods.length);
  const slopes = new Float64Array((periods.length * (periods.length - 1)) / 2);
  for (let i = 0; i < cells; i++) {
    for (let t = 0; t < periods.length; t++) {
      series[t] = (periods[t] as Float64Array)[i] as number;
    }
    const { s, variance, periods: present, count } = pairs(series, wanted ? slopes : undefined);
    if (present < 3) continue;
    z[i] = continuityZ(s, variance);
    if (wanted) slope[i] = medianOfSorted(slopes.subarray(0, count).sort());
  }
  return { z, slope };
}
