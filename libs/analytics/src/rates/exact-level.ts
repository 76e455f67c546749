/**
 * Level of each cell from the exact law of its released counts, P(z | rate) = sum_k Poisson(k; rate) P(noise = z - k), month
 * by month on a logarithmic grid of rates, with the law of the cells around their priors estimated too (`ratio-law.ts`).
 * Discrete Laplace noise is peaked: twelve noisy months say more than their sum does, as the sample median of Laplace
 * errors has half the variance of the mean. The prior of a cell must not know the cell's own counts, or they would count
 * twice: what they have in it is taken out by their leverage.
 */

import { LARGEST_COUNT, type LikelihoodTable, likelihoodTable } from '../laws/likelihood-table.js';
import { type NoiseLaw, noiseReach } from '../laws/pmf.js';
import { cellLikelihoods } from './cell-likelihood.js';
import type { CellPriors, NoisySums } from './empirical-bayes.js';
import type { LevelModel, Levels, Periods } from './level.js';
import {
  fillPosterior,
  posteriorMoments,
  posteriorQuantile,
  posteriorQuantiles,
  posteriorRoom,
  type RatePosterior,
} from './rate-posterior.js';
import { fitRatios } from './ratio-law.js';

/** Noise that reaches further than this is not tabulated. */
const LONGEST_REACH = 2000;
/** Taking out a cell's own counts moves its prior by no more than this factor: the leverage is that of small changes. */
const MOST_MOVED = 3;

/** True when the law can be tabulated; else the linear filter stands. */
export const isExactUseful = (law: NoiseLaw): boolean => noiseReach(law) <= LONGEST_REACH;

/** What the posterior of every cell follows from. */
export interface ExactLaw {
  readonly table: LikelihoodTable;
  readonly periods: Periods;
  /** Prior mean of each cell, from the other cells. */
  readonly mean: Float64Array;
  readonly model: LevelModel;
  readonly noiseVariance: number;
  /** Law of rate / prior mean. */
  readonly ratios: Float64Array;
}

/** Priors without what the cell's own counts have in them. */
function foreignPriors({ mean, least, leverage }: CellPriors, data: NoisySums): Float64Array {
  const foreign = mean.slice();
  for (let i = 0; i < foreign.length; i++) {
    const exposure = data.exposure[i] as number;
    if (exposure === 0) continue;
    const m = mean[i] as number;
    const share = leverage[i] as number;
    const without = (m - (share * (data.sums[i] as number)) / exposure) / (1 - share);
    foreign[i] = Math.max(least, m / MOST_MOVED, Math.min(m * MOST_MOVED, without));
  }
  return foreign;
}

/** Relative standard error of the total, which all priors share. */
function totalError(mean: Float64Array, { exposure, noiseVariance }: NoisySums): number {
  let expected = 0;
  let variance = 0;
  for (let i = 0; i < mean.length; i++) {
    const m = mean[i] as number;
    const periods = exposure[i] as number;
    expected += m * periods;
    variance += (m + noiseVariance) * periods;
  }
  return expected > 0 ? Math.sqrt(variance) / expected : 0;
}

/** Fits the law of the ratios over all cells. */
export function fitExactLaw(
  periods: Periods,
  priors: CellPriors,
  data: NoisySums,
  model: LevelModel,
  law: NoiseLaw,
): ExactLaw {
  const table = likelihoodTable(law, priors.least);
  const mean = foreignPriors(priors, data);
  const { noiseVariance } = data;
  const likelihoodOf = cellLikelihoods({ table, periods, mean, model, noiseVariance });
  return {
    table,
    periods,
    mean,
    model,
    noiseVariance,
    ratios: fitRatios(mean.length, likelihoodOf, totalError(priors.mean, data)),
  };
}

/**
 * The same counts with one prior mean for all cells and no drift: the law of the ratios is then that of the mean rates themselves. What
 * is asked of all rates together must not go through the priors: those of quiet cells beside a busy one are too high, which the law of
 * the ratios cannot know, and rates drawn through it are too uneven.
 */
export function exchangeable(exact: ExactLaw, data: NoisySums): ExactLaw {
  const { table, periods, noiseVariance } = exact;
  const model = { step: 0, burst: 0 };
  let sum = 0;
  let present = 0;
  data.sums.forEach((value, i) => {
    sum += value;
    present += data.exposure[i] as number;
  });
  const least = exact.mean.reduce((a, b) => Math.min(a, b));
  const mean = new Float64Array(exact.mean.length).fill(
    Math.max(least, sum / Math.max(1, present)),
  );
  const likelihoodOf = cellLikelihoods({ table, periods, mean, model, noiseVariance });
  const ratios = fitRatios(mean.length, likelihoodOf, totalError(mean, data));
  return { table, periods, mean, model, noiseVariance, ratios };
}

/** Posterior of any cell; undefined where it has no whole counts or some beyond the table. Each call overwrites the last result. */
export function posteriors(exact: ExactLaw): (cell: number) => RatePosterior | undefined {
  const likelihoodOf = cellLikelihoods(exact);
  const room = posteriorRoom();
  return (cell) => {
    const likelihood = isHigh(exact.periods, cell) ? undefined : likelihoodOf(cell);
    return likelihood && fillPosterior(room, likelihood, exact.ratios, exact.table.first)
      ? room
      : undefined;
  };
}

/** Mean of the present months with its known variance: for counts so high that noise and prior hardly matter. */
function plainRate(periods: Periods, cell: number, noiseVariance: number) {
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

function isHigh(periods: Periods, cell: number): boolean {
  for (const period of periods) if ((period[cell] as number) > LARGEST_COUNT / 2) return true;
  return false;
}

/**
 * Replaces, in a copy of `linear`, the level of every cell with whole counts. `quantiles` are those of `levelQuantiles`: a vector for
 * each of `shares`, which costs much less here than to find every posterior again.
 */
export function exactLevels(
  linear: Levels,
  exact: ExactLaw,
  least: number,
  shares: readonly number[] = [],
): { readonly levels: Levels; readonly quantiles: readonly Float64Array[] } {
  const posteriorOf = posteriors(exact);
  const level = linear.level.slice();
  const variance = linear.variance.slice();
  const quantiles = shares.map(() => new Float64Array(level.length).fill(Number.NaN));
  for (let i = 0; i < level.length; i++) {
    const posterior = posteriorOf(i);
    if (posterior) fillQuantiles(quantiles, i, posterior, shares);
    const rate = posterior
      ? posteriorMoments(posterior)
      : isHigh(exact.periods, i)
        ? plainRate(exact.periods, i, exact.noiseVariance)
        : undefined;
    if (!rate) continue;
    level[i] = Math.max(least, rate.mean);
    variance[i] = rate.variance;
  }
  return { levels: { level, variance }, quantiles };
}

function fillQuantiles(
  quantiles: readonly Float64Array[],
  cell: number,
  posterior: RatePosterior,
  shares: readonly number[],
): void {
  for (let k = 0; k < shares.length; k++) {
    (quantiles[k] as Float64Array)[cell] = posteriorQuantile(posterior, shares[k] as number);
  }
}

/** Rates below which each of the `shares` of the posterior of a cell lies: one vector a share, NaN where a cell has no posterior. */
export function levelQuantiles(exact: ExactLaw, shares: readonly number[]): Float64Array[] {
  const posteriorOf = posteriors(exact);
  const found = shares.map(() => new Float64Array(exact.mean.length).fill(Number.NaN));
  for (let i = 0; i < exact.mean.length; i++) {
    const posterior = posteriorOf(i);
    if (posterior) fillQuantiles(found, i, posterior, shares);
  }
  return found;
}

/** The rate of a cell below which a share of its posterior lies; undefined where it has none. Good until the next cell is asked for. */
export function posteriorQuantilesOf(
  exact: ExactLaw,
): (cell: number) => ((share: number) => number) | undefined {
  const posteriorOf = posteriors(exact);
  let reached = new Float64Array();
  return (cell) => {
    const posterior = posteriorOf(cell);
    if (!posterior) return undefined;
    if (reached.length === 0) reached = new Float64Array(posterior.weights.length);
    return posteriorQuantiles(posterior, reached);
  };
}
