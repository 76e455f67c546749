/**
 * Is a place getting better or worse? Mann 1945 (Econometrica 13), Kendall 1975 (Rank Correlation Methods), slope of
 * Theil 1950 and Sen 1968 (JASA 63). Ranks of unclamped values: under no trend noisy months are as exchangeable as true
 * ones, so the test keeps its size at every epsilon; what the noise takes is power.
 */
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { normalTwoSided } from '../laws/normal.js';
import { uniforms } from '../laws/random-variates.js';
import { selectKth } from '../laws/selection.js';
import { type KendallTails, kendallTails } from './kendall-law.js';

export interface Trend {
  /** Pairs that rise minus pairs that fall. */
  readonly s: number;
  /** Variance of s under no trend, corrected for ties. */
  readonly var: number;
  /** (s -/+ 1) / sqrt(var); 0 when s is 0. */
  readonly z: number;
  /** Two-sided p-value by the exact law of s given the ties; beyond fifty periods by z. */
  readonly p: number;
  /** Median of the slopes of all pairs, per period. */
  readonly slope: number;
  /** Standard error that the noise alone gives a least-squares slope over the same periods. */
  readonly slopeNoiseSe: number;
}

/** z of a Mann-Kendall statistic with the continuity correction. */
const continuityZ = (s: number, variance: number): number =>
  s === 0 || variance <= 0 ? 0 : (s - Math.sign(s)) / Math.sqrt(variance);

/** Median of unordered values, which are put out of order. */
function medianOf(values: Float64Array): number {
  const upper = selectKth(values, values.length >> 1);
  if (values.length % 2 === 1) return upper;
  // Selection has left the smaller half in front.
  let lower = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length >> 1; i++) lower = Math.max(lower, values[i] as number);
  return (lower + upper) / 2;
}

/** Sizes of the groups of equal values, missing ones left out, ascending. */
function tieGroups(series: Float64Array): number[] {
  const sorted = series.slice().sort();
  const groups: number[] = [];
  for (let from = 0; from < sorted.length && !Number.isNaN(sorted[from] as number); ) {
    let to = from + 1;
    while (to < sorted.length && sorted[to] === sorted[from]) to++;
    groups.push(to - from);
    from = to;
  }
  return groups.sort((a, b) => a - b);
}

/** More periods than this have a law that is normal for every purpose. */
const MOST_EXACT_PERIODS = 50;

/** Looks up the exact law of s by ties: few patterns of ties occur, many series share each. */
function tailsByTies(): (series: Float64Array) => KendallTails {
  const known = new Map<string, KendallTails>();
  return (series) => {
    const groups = tieGroups(series);
    const key = groups.join(',');
    let tails = known.get(key);
    if (!tails) {
      tails = kendallTails(groups);
      known.set(key, tails);
    }
    return tails;
  };
}

/** Score, its variance and (when asked) the slopes of one series whose NaN periods are missing. */
function pairs(series: Float64Array, slopes: Float64Array | undefined) {
  let s = 0;
  let periods = 0;
  let count = 0;
  let ties = 0;
  for (let i = 0; i < series.length; i++) {
    const early = series[i] as number;
    if (Number.isNaN(early)) continue;
    periods++;
    let same = 0;
    for (let j = i + 1; j < series.length; j++) {
      const late = series[j] as number;
      if (late > early) s++;
      else if (late < early) s--;
      else if (late === early) same++;
      else continue;
      if (slopes) slopes[count++] = (late - early) / (j - i);
    }
    // Sum of t (t - 1) (2 t + 5) over the groups of t equal values: what the group grows by with its t-th value from the end.
    ties += 6 * same * (same + 2);
  }
  const variance = (periods * (periods - 1) * (2 * periods + 5) - ties) / 18;
  return { s, variance, periods, count };
}

/** P(|S| >= |s|): the law is symmetric. */
const twoSided = (s: number, tails: KendallTails): number =>
  Math.min(1, 2 * tails(Math.abs(s)).atLeast);

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
    p:
      periods > MOST_EXACT_PERIODS
        ? normalTwoSided(continuityZ(s, variance))
        : twoSided(s, tailsByTies()(series)),
    slope: medianOf(slopes.subarray(0, count)),
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
    if (wanted) slope[i] = medianOf(slopes.subarray(0, count));
  }
  return { z, slope };
}

/**
 * Two-sided p-value of every cell's Mann-Kendall test by the exact law of S given the ties; with `random` randomised, and so
 * uniform when periods are exchangeable. NaN below 3 present periods. `periods` as in `trends`; above 50 of them by z.
 */
export function trendTails(periods: readonly Float64Array[], random?: RandomSource): Float64Array {
  const lawOf = tailsByTies();
  const uniform = random && uniforms(random);
  const series = new Float64Array(periods.length);
  return Float64Array.from({ length: periods[0]?.length ?? 0 }, (_, i) => {
    for (let t = 0; t < periods.length; t++) {
      series[t] = (periods[t] as Float64Array)[i] as number;
    }
    const { s, variance, periods: present } = pairs(series, undefined);
    if (present < 3) return Number.NaN;
    if (present > MOST_EXACT_PERIODS) return normalTwoSided(continuityZ(s, variance));
    const tails = lawOf(series);
    if (!uniform) return twoSided(s, tails);
    const { atLeast, above } = tails(s);
    const upper = above + uniform() * (atLeast - above);
    return 2 * Math.min(upper, 1 - upper);
  });
}
