/**
 * How far cells stand from their priors: the law of the ratio rate / prior mean over all cells, on a logarithmic grid. It is
 * the nonparametric maximum likelihood mixture (Robbins 1956; Laird 1978, JASA 73; Jiang and Zhang 2009, Annals of
 * Statistics 37), by EM from gamma laws: one station among quiet cells then has a ratio of 100 without widening the
 * law of all others, which no gamma law can give.
 */
import { LOG_STEP } from './likelihood-table.js';

/** Ratios from a ninetieth to a thousand, in steps of the grid; ratio 1 has this index. */
export const RATIO_ONE = 30;
const STEPS_ABOVE = 46;
export const RATIOS = RATIO_ONE + STEPS_ABOVE + 1;
/** A narrower gamma start (squared coefficient of variation) falls between the points of the grid. */
const NARROWEST_SPREAD = 0.01;
/** Cells that the law is fitted to, evenly spread over the domain. */
const FITTED_CELLS = 20_000;
/** Rounds of EM: few, as every further one follows the sample more and the start less. */
const ROUNDS = 15;
/** Squared coefficients of variation whose gamma laws the start is mixed from: from cells all alike to all in a few. */
const SPREADS = [0.01, 0.05, 0.15, 0.3, 0.6, 1, 1.6, 2.5, 4, 7];

/** Likelihood of the counts of one cell, up to a factor, under each ratio of the grid. */
export interface RatioLikelihood {
  /** Position of ratio index 0 in the table of rates. */
  readonly origin: number;
  /** How far, 0..1, the prior mean lies beyond its grid point: ratio j is shared by the rates origin + j and + j + 1. */
  readonly fraction: number;
  /** One value per rate from `origin`: RATIOS + 1 of them. */
  readonly values: Float64Array;
  /** Their logarithms; minus infinity where not computed. */
  readonly logs: Float64Array;
}

/** Gamma law of mean 1 and squared coefficient of variation `spread`, per even step of the logarithm. */
export function gammaRatios(spread: number): Float64Array {
  const shape = 1 / Math.max(NARROWEST_SPREAD, spread);
  const density = Float64Array.from({ length: RATIOS }, (_, j) => {
    const relative = Math.exp((j - RATIO_ONE) * LOG_STEP);
    return Math.exp(shape * (1 + Math.log(relative) - relative));
  });
  const total = density.reduce((sum, value) => sum + value, 0);
  return density.map((value) => value / total);
}

/** Likelihoods of the fitted cells under each ratio, one row after the other, and the part of each row that is not zero. */
interface Rows {
  readonly values: Float32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly count: number;
}

function likelihoodRows(
  cells: number,
  likelihoodOf: (cell: number) => RatioLikelihood | undefined,
): Rows {
  const stride = Math.max(1, Math.ceil(cells / FITTED_CELLS));
  const most = Math.ceil(cells / stride);
  const rows = new Float32Array(most * RATIOS);
  const from = new Int32Array(most);
  const to = new Int32Array(most);
  let count = 0;
  for (let i = 0; i < cells; i += stride) {
    const likelihood = likelihoodOf(i);
    if (!likelihood) continue;
    const { fraction, values } = likelihood;
    const row = count * RATIOS;
    let first = RATIOS;
    let end = 0;
    for (let j = 0; j < RATIOS; j++) {
      const value = (1 - fraction) * (values[j] as number) + fraction * (values[j + 1] as number);
      if (value === 0) continue;
      rows[row + j] = value;
      if (end === 0) first = j;
      end = j + 1;
    }
    from[count] = row + first;
    to[count++] = row + end;
  }
  return { values: rows, from, to, count };
}

/** One round of EM: the mean posterior of the cells under `law`, and a uniform law with the weight of one cell. */
function posteriorLaw({ values, from, to, count }: Rows, law: Float64Array): Float64Array {
  const share = 1 / (count + 1);
  const next = new Float64Array(RATIOS).fill(share / RATIOS);
  for (let cell = 0; cell < count; cell++) {
    const row = cell * RATIOS;
    const end = to[cell] as number;
    let total = 0;
    for (let at = from[cell] as number; at < end; at++) {
      total += (law[at - row] as number) * (values[at] as number);
    }
    if (total === 0) continue;
    for (let at = from[cell] as number; at < end; at++) {
      const posterior = ((law[at - row] as number) * (values[at] as number)) / total;
      next[at - row] = (next[at - row] as number) + share * posterior;
    }
  }
  return next;
}

/**
 * Gamma laws of every spread, each with the weight of its likelihood over all cells (equal ones before): how far cells differ is
 * itself uncertain where noise is wide, and one estimated spread, taken as known, makes every interval too narrow (Carlin and Louis
 * 2000, section 3.5; Morris 1983, JASA 78).
 */
function mixedStart({ values, from, to, count }: Rows): Float64Array {
  const laws = SPREADS.map(gammaRatios);
  const logs = laws.map((law) => {
    let sum = 0;
    for (let cell = 0; cell < count; cell++) {
      const row = cell * RATIOS;
      const end = to[cell] as number;
      let total = 0;
      for (let at = from[cell] as number; at < end; at++) {
        total += (law[at - row] as number) * (values[at] as number);
      }
      sum += Math.log(Math.max(total, Number.MIN_VALUE));
    }
    return sum;
  });
  const most = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from({ length: RATIOS }, (_, j) =>
    laws.reduce((sum, law, k) => sum + ((weights[k] as number) / total) * (law[j] as number), 0),
  );
}

/**
 * Law of the ratios of `cells` cells from the likelihood of each (undefined: the cell has none). A uniform law with the
 * weight of one cell keeps every ratio possible.
 */
export function fitRatios(
  cells: number,
  likelihoodOf: (cell: number) => RatioLikelihood | undefined,
): Float64Array {
  const rows = likelihoodRows(cells, likelihoodOf);
  let law = mixedStart(rows);
  for (let round = 0; round < ROUNDS; round++) law = posteriorLaw(rows, law);
  return law;
}
