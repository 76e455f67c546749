/**
 * What all cells share: the totals of the area rise and fall, with a line, a calendar, a campaign. The ratio of each period's total to the
 * expected one has a known variance by noise and Poisson, multiplied by how much more cells really differ in their slopes than those explain
 * (sandwich form: Huber 1967), so that one street that boils over is not taken for the whole town. What the ratios were, and what they will be, is
 * the law of a course (`course-model.ts`). Where noise hides them they stay what they were before: one, give or take what is usual.
 */
import { type CourseLaw, courseLaw, type RatioOfPeriod } from './course-model.js';
import type { Periods } from './level.js';

/** What counts are multiplied by, and the variance of that. */
export interface CommonFactor {
  readonly factor: number;
  readonly variance: number;
}

export interface CommonCourse {
  /** Relative change a period of its line alone, without walk, calendar and scatter. */
  readonly perPeriod: number;
  /** Mean squared gap between the shared factors of two released periods. */
  readonly gap: (t: number, u: number) => number;
  /** Mean squared departure of a released period's factor from one. */
  readonly departure: number;
  /**
   * From the mean of the released periods with these weights (they sum to 1; left out: even ones) to the period `horizon` after the last.
   */
  readonly ahead: (horizon: number, weights?: Float64Array) => CommonFactor;
  /** The same to the released period t. */
  readonly within: (t: number, weights: Float64Array) => CommonFactor;
}

/** No shared factor is below this. */
const LEAST_FACTOR = 0.25;

/** Nothing that is shared ever changes. */
export const STILL: CommonCourse = {
  perPeriod: 0,
  gap: () => 0,
  departure: 0,
  ahead: () => ({ factor: 1, variance: 0 }),
  within: () => ({ factor: 1, variance: 0 }),
};

/** Sums over the present periods of each cell, t being their number. */
interface TimeSums {
  readonly present: Float64Array;
  readonly times: Float64Array;
  readonly squares: Float64Array;
  readonly values: Float64Array;
  readonly products: Float64Array;
}

function addPeriod(
  { present, times, squares, values, products }: TimeSums,
  period: Float64Array,
  t: number,
): void {
  for (let i = 0; i < period.length; i++) {
    const value = period[i] as number;
    if (Number.isNaN(value)) continue;
    present[i] = (present[i] as number) + 1;
    times[i] = (times[i] as number) + t;
    squares[i] = (squares[i] as number) + t * t;
    values[i] = (values[i] as number) + value;
    products[i] = (products[i] as number) + t * value;
  }
}

/** Takes each cell around its own middle: `squares` are then its spread in time, `products` its rise, `values` its mean. */
function takeMiddles({ present, times, squares, values, products }: TimeSums): void {
  for (let i = 0; i < present.length; i++) {
    const n = Math.max(1, present[i] as number);
    const time = times[i] as number;
    squares[i] = (squares[i] as number) - (time * time) / n;
    products[i] = (products[i] as number) - (time * (values[i] as number)) / n;
    values[i] = (values[i] as number) / n;
  }
}

/** Slope of all counts on time, relative to the mean, and the variance by noise and Poisson of what it is the ratio of. */
function commonSlope(
  { squares: spread, products }: TimeSums,
  mean: Float64Array,
  noiseVariance: number,
): { readonly slope: number; readonly variance: number } | undefined {
  let rise = 0;
  let expected = 0;
  let variance = 0;
  for (let i = 0; i < mean.length; i++) {
    const m = mean[i] as number;
    rise += products[i] as number;
    expected += m * (spread[i] as number);
    variance += (noiseVariance + m) * (spread[i] as number);
  }
  return expected > 0 ? { slope: rise / expected, variance } : undefined;
}

function slopeResiduals({ squares: spread, values, products }: TimeSums, slope: number): number {
  let residuals = 0;
  for (let i = 0; i < values.length; i++) {
    const fitted = slope * (values[i] as number) * (spread[i] as number);
    const residual = (products[i] as number) - fitted;
    residuals += residual * residual;
  }
  return residuals;
}

/**
 * How many times the variance by noise and Poisson the slope of all counts on time has when it is judged by how cells really differ
 * around it; each cell is taken around its own middle. 1 where that is less.
 */
function overdispersion(periods: Periods, mean: Float64Array, noiseVariance: number): number {
  const zeros = () => new Float64Array(mean.length);
  const sums: TimeSums = {
    present: zeros(),
    times: zeros(),
    squares: zeros(),
    values: zeros(),
    products: zeros(),
  };
  periods.forEach((period, t) => {
    addPeriod(sums, period, t);
  });
  takeMiddles(sums);
  const common = commonSlope(sums, mean, noiseVariance);
  if (!common) return 1;
  return Math.max(1, slopeResiduals(sums, common.slope) / common.variance);
}

/** Ratio of a period's total to the expected one over the same cells, with its variance by noise and Poisson; undefined where none is expected. */
function ratioOfTotals(period: Float64Array, mean: Float64Array, noiseVariance: number) {
  let total = 0;
  let expected = 0;
  let present = 0;
  for (let i = 0; i < mean.length; i++) {
    const value = period[i] as number;
    if (Number.isNaN(value)) continue;
    total += value;
    expected += mean[i] as number;
    present++;
  }
  if (!(expected > 0)) return undefined;
  return {
    ratio: total / expected,
    variance: (present * noiseVariance + expected) / (expected * expected),
  };
}

/** From the weighted mean of the released periods to another one. */
function factorTo(
  next: RatioOfPeriod,
  { means, covariances }: CourseLaw,
  weights: Float64Array,
): CommonFactor {
  const periods = means.length;
  let base = 0;
  let shared = 0;
  let variance = 0;
  for (let t = 0; t < periods; t++) {
    const weight = weights[t] as number;
    base += weight * (means[t] as number);
    shared += weight * (next.covariances[t] as number);
    let row = 0;
    for (let u = 0; u < periods; u++) {
      row += (weights[u] as number) * (covariances[t * periods + u] as number);
    }
    variance += weight * row;
  }
  base = Math.max(LEAST_FACTOR, base);
  const factor = Math.max(LEAST_FACTOR, next.mean / base);
  const error = next.variance - 2 * factor * shared + factor * factor * variance;
  return { factor, variance: Math.max(0, error) / (base * base) };
}

/**
 * Common course of counts whose expected values a period are `mean`. `periodsPerYear` is 12 for months; left
 * out, no calendar is looked for.
 */
export function commonCourse(
  periods: Periods,
  mean: Float64Array,
  noiseVariance: number,
  periodsPerYear?: number,
): CommonCourse {
  const seen = periods.map((period) => ratioOfTotals(period, mean, noiseVariance));
  const times = overdispersion(periods, mean, noiseVariance);
  const law = courseLaw(
    {
      ratios: Float64Array.from(seen, (one) => one?.ratio ?? Number.NaN),
      variances: Float64Array.from(seen, (one) => times * (one?.variance ?? 0)),
    },
    periodsPerYear,
  );
  const { means, covariances } = law;
  const count = periods.length;
  const even = new Float64Array(count).fill(1 / count);
  const at = (t: number, u: number): number => covariances[t * count + u] as number;
  return {
    perPeriod: law.perPeriod,
    gap: (t, u) =>
      ((means[t] as number) - (means[u] as number)) ** 2 + at(t, t) - 2 * at(t, u) + at(u, u),
    departure: means.reduce((sum, mean, t) => sum + (mean - 1) ** 2 + at(t, t), 0) / count,
    ahead: (horizon, weights = even) => factorTo(law.future(horizon), law, weights),
    within: (t, weights) => {
      const row = covariances.subarray(t * count, (t + 1) * count);
      return factorTo(
        { mean: means[t] as number, variance: at(t, t), covariances: row },
        law,
        weights,
      );
    },
  };
}
