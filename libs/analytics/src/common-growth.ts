/**
 * What all cells share: the total of the area rises or falls. One line for all cells, each against its own expected count, by least
 * squares. Its error is the larger of two: that of the totals around the line (noise, Poisson and whatever else moves all cells
 * in a month), and that from cell to cell (sandwich form: Huber 1967), so that one street that boils over is not taken for the
 * whole town. The slope is then shrunk towards none: before anything is seen, changes of a fiftieth a period are usual and of a
 * tenth are not. Where noise hides the slope it stays what it was before: none, give or take a fiftieth.
 */
import type { Periods } from './level.js';

export interface CommonGrowth {
  /** Relative change a period, of the mean level of all periods. */
  readonly perPeriod: number;
  /** Variance of that. */
  readonly variance: number;
  /** Variance of one period's total around the line, over the squared level, beyond noise and Poisson: seasons, campaigns. */
  readonly excess: number;
}

/** Standard deviation of the relative change a period before anything is seen. */
const USUAL_CHANGE = 0.02;
const LEAST_PERIODS = 4;

interface Slope {
  readonly slope: number;
  /** Variance by noise and Poisson alone, and as cells really differ. */
  readonly known: number;
  readonly sandwich: number;
}

/** Slope of counts on time, in expected counts a period, over all cells; each is taken around its own middle. */
function sharedSlope(periods: Periods, mean: Float64Array, noiseVariance: number): Slope {
  const cells = mean.length;
  const present = new Float64Array(cells);
  const times = new Float64Array(cells);
  const squares = new Float64Array(cells);
  const sums = new Float64Array(cells);
  const products = new Float64Array(cells);
  periods.forEach((period, t) => {
    for (let i = 0; i < cells; i++) {
      const value = period[i] as number;
      if (Number.isNaN(value)) continue;
      present[i] = (present[i] as number) + 1;
      times[i] = (times[i] as number) + t;
      squares[i] = (squares[i] as number) + t * t;
      sums[i] = (sums[i] as number) + value;
      products[i] = (products[i] as number) + t * value;
    }
  });
  const spread = new Float64Array(cells);
  let rise = 0;
  let expected = 0;
  let variance = 0;
  for (let i = 0; i < cells; i++) {
    const n = Math.max(1, present[i] as number);
    const m = mean[i] as number;
    spread[i] = (squares[i] as number) - (times[i] as number) ** 2 / n;
    products[i] = (products[i] as number) - ((times[i] as number) * (sums[i] as number)) / n;
    rise += products[i] as number;
    expected += m * (spread[i] as number);
    variance += (noiseVariance + m) * (spread[i] as number);
  }
  if (!(expected > 0)) return { slope: 0, known: 0, sandwich: Number.POSITIVE_INFINITY };
  const slope = rise / expected;
  let residuals = 0;
  for (let i = 0; i < cells; i++) {
    const fitted = slope * (mean[i] as number) * (spread[i] as number);
    residuals += ((products[i] as number) - fitted) ** 2;
  }
  return { slope, known: variance / expected ** 2, sandwich: residuals / expected ** 2 };
}

/** How much wider than noise and Poisson explain the totals scatter around the line, and what that is of one total. */
function scatterOfTotals(
  periods: Periods,
  mean: Float64Array,
  noiseVariance: number,
  slope: number,
): { dispersion: number; excess: number } {
  const totals: { rest: number; known: number }[] = [];
  periods.forEach((period, t) => {
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
    if (!(expected > 0)) return;
    const known = (present * noiseVariance + expected) / expected ** 2;
    totals.push({ rest: total / expected - slope * t, known });
  });
  if (totals.length < LEAST_PERIODS) return { dispersion: 1, excess: 0 };
  const weight = totals.reduce((sum, { known }) => sum + 1 / known, 0);
  const level = totals.reduce((sum, { rest, known }) => sum + rest / known, 0) / weight;
  const misfit = totals.reduce((sum, { rest, known }) => sum + (rest - level) ** 2 / known, 0);
  const dispersion = Math.max(1, misfit / (totals.length - 2));
  return { dispersion, excess: ((dispersion - 1) * totals.length) / weight };
}

/** Common growth of counts whose expected values a period are `mean`. Fewer than four periods say nothing. */
export function commonGrowth(
  periods: Periods,
  mean: Float64Array,
  noiseVariance: number,
): CommonGrowth {
  if (periods.length < LEAST_PERIODS) return { perPeriod: 0, variance: 0, excess: 0 };
  const { slope, known, sandwich } = sharedSlope(periods, mean, noiseVariance);
  const { dispersion, excess } = scatterOfTotals(periods, mean, noiseVariance, slope);
  const error = Math.max(known * dispersion, sandwich);
  const prior = USUAL_CHANGE ** 2;
  const weight = Number.isFinite(error) ? prior / (prior + error) : 0;
  return { perPeriod: slope * weight, variance: prior * (1 - weight), excess };
}
