/**
 * Level of each cell from the exact law of its released counts. Discrete Laplace noise is peaked: twelve noisy months say
 * more than their sum does, as the sample median of Laplace errors has half the variance of the mean. So each cell's gamma
 * prior is updated with P(z | rate) = sum_k Poisson(k; rate) P(noise = z - k), month by month, on a logarithmic grid of
 * rates. A drifting level discounts month t by delta^(age), delta = 1 - the steady gain of the local-level filter (power
 * steady model, Smith 1979, J. R. Stat. Soc. B 41).
 */
import type { CellPriors } from './empirical-bayes.js';
import type { LevelModel, Levels, Periods } from './level.js';
import { type NoiseLaw, noisePmf, type Pmf } from './pmf.js';

/** Step of the grid in the logarithm of the rate. */
const LOG_STEP = 0.15;
/** A prior narrower than this (squared coefficient of variation) falls between the grid's points. */
const NARROWEST_SPREAD = 0.04;
/** Rates and counts above this are not in the table: noise hardly matters there. */
const LARGEST_RATE = 400;
const LARGEST_COUNT = 700;
const WIDEST_NOISE = 4000;
/** Grid points whose prior is below exp(-this) of its largest are left out. */
const REACH = 12;
const LEAST_LOG = -60;

interface LikelihoodTable {
  /** Logarithm of the rate of the first grid point. */
  readonly first: number;
  readonly rates: Float64Array;
  readonly lowest: number;
  readonly width: number;
  /** log P(z | rate), row by rate, from z = lowest. */
  readonly logs: Float32Array;
}

function likelihoodRow(out: Float32Array, rate: number, noise: Pmf, lowest: number): void {
  const top = Math.ceil(rate + 8 * Math.sqrt(rate) + 10);
  const poisson = new Float64Array(top + 1);
  let log = -rate;
  for (let k = 0; k <= top; k++) {
    poisson[k] = Math.exp(log);
    log += Math.log(rate / (k + 1));
  }
  for (let at = 0; at < out.length; at++) {
    const offset = lowest + at - noise.first;
    const from = Math.max(0, offset - noise.weights.length + 1);
    let sum = 0;
    for (let k = from; k <= top && k <= offset; k++) {
      sum += (poisson[k] as number) * (noise.weights[offset - k] as number);
    }
    out[at] = sum > 0 ? Math.max(LEAST_LOG, Math.log(sum)) : LEAST_LOG;
  }
}

function likelihoodTable(law: NoiseLaw, least: number, largest: number): LikelihoodTable {
  const noise = noisePmf(law);
  const first = Math.log(least) - 2;
  const count = Math.ceil((Math.log(Math.min(largest, LARGEST_RATE)) + 2 - first) / LOG_STEP);
  const rates = Float64Array.from({ length: Math.max(2, count) }, (_, a) =>
    Math.exp(first + a * LOG_STEP),
  );
  // Half of the noise table is beyond any use: its far ends have probabilities of 1e-40.
  const lowest = Math.ceil(noise.first / 2);
  const width = LARGEST_COUNT - lowest + 1;
  const logs = new Float32Array(rates.length * width);
  rates.forEach((rate, a) => {
    likelihoodRow(logs.subarray(a * width, (a + 1) * width), rate, noise, lowest);
  });
  return { first, rates, lowest, width, logs };
}

/** True when the exact update is worth its cost and within its tables; else the linear filter stands. */
export function isExactUseful(law: NoiseLaw, { spread }: CellPriors): boolean {
  return (
    law.mechanism === 'discrete-laplace' &&
    spread >= NARROWEST_SPREAD &&
    noisePmf(law).weights.length <= WIDEST_NOISE
  );
}

/** Replaces, in a copy of `linear`, the levels of all cells whose counts and rates the table holds. */
export function exactLevels(
  linear: Levels,
  periods: Periods,
  { mean, least, spread }: CellPriors,
  { step, burst }: LevelModel,
  law: NoiseLaw,
  noiseVariance: number,
): Levels {
  const level = linear.level.slice();
  const variance = linear.variance.slice();
  const largest = mean.reduce((most, m) => Math.max(most, m), least);
  const { first, rates, lowest, width, logs } = likelihoodTable(law, least, 4 * largest);
  const shape = 1 / spread;
  const months = periods.length;
  const columns = new Int32Array(months);
  const weights = new Float64Array(months);
  const posterior = new Float64Array(rates.length);

  for (let i = 0; i < level.length; i++) {
    const m = mean[i] as number;
    let inside = 4 * m <= LARGEST_RATE;
    let present = 0;
    const ratio = (step * m * m) / (noiseVariance + m + burst * m * m);
    const gain = (Math.sqrt(ratio * ratio + 4 * ratio) - ratio) / 2;
    let weight = 1;
    for (let t = months - 1; t >= 0; t--) {
      const z = (periods[t] as Float64Array)[i] as number;
      if (!Number.isNaN(z)) {
        const column = Math.max(0, z - lowest);
        if (column >= width || !Number.isInteger(column)) inside = false;
        columns[present] = column;
        weights[present++] = weight;
      }
      weight *= 1 - gain;
    }
    if (!inside || present === 0) continue;

    // Gamma density times the rate, for even steps of its logarithm; largest at the mean.
    const logPrior = (a: number): number => {
      const relative = (rates[a] as number) / m;
      return shape * (1 + Math.log(relative) - relative);
    };
    const centre = Math.min(
      rates.length - 1,
      Math.max(0, Math.round((Math.log(m) - first) / LOG_STEP)),
    );
    let from = centre;
    let to = centre;
    while (from > 0 && logPrior(from - 1) > -REACH) from--;
    while (to < rates.length - 1 && logPrior(to + 1) > -REACH) to++;
    let most = Number.NEGATIVE_INFINITY;
    for (let a = from; a <= to; a++) {
      let log = logPrior(a);
      const row = a * width;
      for (let t = 0; t < present; t++) {
        log += (weights[t] as number) * (logs[row + (columns[t] as number)] as number);
      }
      posterior[a] = log;
      if (log > most) most = log;
    }
    let total = 0;
    let sum = 0;
    let squares = 0;
    for (let a = from; a <= to; a++) {
      const p = Math.exp((posterior[a] as number) - most);
      const rate = rates[a] as number;
      total += p;
      sum += p * rate;
      squares += p * rate * rate;
    }
    const average = sum / total;
    level[i] = Math.max(least, average);
    variance[i] = Math.max(0, squares / total - average * average);
  }
  return { level, variance };
}
