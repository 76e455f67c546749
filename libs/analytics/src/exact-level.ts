/**
 * Level of each cell from the exact law of its released counts, P(z | rate) = sum_k Poisson(k; rate) P(noise = z - k), month
 * by month on a logarithmic grid of rates, with the law of the cells around their priors estimated too (`ratio-law.ts`).
 * Discrete Laplace noise is peaked: twelve noisy months say more than their sum does, as the sample median of Laplace
 * errors has half the variance of the mean.
 */
import { cellLikelihoods } from './cell-likelihood.js';
import type { CellPriors } from './empirical-bayes.js';
import type { LevelModel, Levels, Periods } from './level.js';
import { LARGEST_COUNT, likelihoodTable } from './likelihood-table.js';
import { type NoiseLaw, noiseReach } from './pmf.js';
import { fitRatios, RATIOS, type RatioLikelihood } from './ratio-law.js';

/** Noise that reaches further than this is not tabulated. */
const LONGEST_REACH = 2000;

/** True when the law can be tabulated; else the linear filter stands. */
export const isExactUseful = (law: NoiseLaw): boolean => noiseReach(law) <= LONGEST_REACH;

export interface Posterior {
  readonly mean: number;
  readonly variance: number;
}

/** Mean and variance of the rate of one cell under a law of ratios; undefined when it rules the counts out. */
export function posteriorRate(
  { origin, fraction, values }: RatioLikelihood,
  ratios: Float64Array,
  rates: Float64Array,
): Posterior | undefined {
  let total = 0;
  let sum = 0;
  let squares = 0;
  for (let j = 0; j <= RATIOS; j++) {
    const value = values[j] as number;
    if (value === 0) continue;
    const below = j > 0 ? (ratios[j - 1] as number) : 0;
    const here = j < RATIOS ? (ratios[j] as number) : 0;
    const p = value * ((1 - fraction) * here + fraction * below);
    const rate = rates[origin + j] as number;
    total += p;
    sum += p * rate;
    squares += p * rate * rate;
  }
  if (total === 0) return undefined;
  const mean = sum / total;
  return { mean, variance: Math.max(0, squares / total - mean * mean) };
}

/** Mean of the present months with its known variance: for counts so high that noise and prior hardly matter. */
function plainRate(periods: Periods, cell: number, noiseVariance: number): Posterior {
  let sum = 0;
  let present = 0;
  for (const period of periods) {
    const z = period[cell] as number;
    if (Number.isNaN(z)) continue;
    sum += z;
    present++;
  }
  const mean = sum / present;
  return { mean, variance: (mean + noiseVariance) / present };
}

const isHigh = (periods: Periods, cell: number): boolean =>
  periods.some((period) => (period[cell] as number) > LARGEST_COUNT / 2);

/** Replaces, in a copy of `linear`, the level of every cell with whole counts. */
export function exactLevels(
  linear: Levels,
  periods: Periods,
  { mean, least, spread }: CellPriors,
  model: LevelModel,
  law: NoiseLaw,
  noiseVariance: number,
): Levels {
  const table = likelihoodTable(law, least);
  const likelihoodOf = cellLikelihoods({ table, periods, mean, model, noiseVariance });
  const ratios = fitRatios(mean.length, likelihoodOf, spread);
  const level = linear.level.slice();
  const variance = linear.variance.slice();
  for (let i = 0; i < level.length; i++) {
    const likelihood = likelihoodOf(i);
    const rate = isHigh(periods, i)
      ? plainRate(periods, i, noiseVariance)
      : likelihood && posteriorRate(likelihood, ratios, table.rates);
    if (!rate) continue;
    level[i] = Math.max(least, rate.mean);
    variance[i] = rate.variance;
  }
  return { level, variance };
}
