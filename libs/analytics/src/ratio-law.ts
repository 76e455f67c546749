/**
 * How far cells stand from their priors: the law of the ratio rate / prior mean over all cells, on a logarithmic grid. It is
 * the nonparametric maximum likelihood mixture (Robbins 1956; Laird 1978, JASA 73; Jiang and Zhang 2009, Annals of
 * Statistics 37), by EM from gamma laws (`ratio-starts.ts`): one station among quiet cells then has a ratio of 100 without widening the
 * law of all others, which no gamma law can give.
 */
import { RATIOS, startLaws } from './ratio-starts.js';

/** Cells that the law is fitted to, evenly spread over the domain. */
const FITTED_CELLS = 20_000;
/** Of these, cells that the laws to start from are judged by. */
const JUDGED_CELLS = 4000;
/** Rounds of EM: few, as every further one follows the sample more and the start less. */
const ROUNDS = 15;

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
  /** What was computed: from..to-1. */
  readonly from: number;
  readonly to: number;
  /** Index of the greatest. */
  readonly peak: number;
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
    const weight = share / total;
    for (let at = from[cell] as number; at < end; at++) {
      const posterior = (law[at - row] as number) * (values[at] as number) * weight;
      next[at - row] = (next[at - row] as number) + posterior;
    }
  }
  return next;
}

/** Log-likelihoods of four laws over cells evenly spread; four at a time, as reading the rows takes longest. */
function logLikelihoods(
  { values, from, to, count }: Rows,
  laws: readonly [Float64Array, Float64Array, Float64Array, Float64Array],
): number[] {
  const stride = Math.ceil(count / JUDGED_CELLS);
  const [a, b, c, d] = laws;
  const sums = [0, 0, 0, 0];
  for (let cell = 0; cell < count; cell += stride) {
    const row = cell * RATIOS;
    const end = to[cell] as number;
    let ta = 0;
    let tb = 0;
    let tc = 0;
    let td = 0;
    for (let at = from[cell] as number; at < end; at++) {
      const value = values[at] as number;
      const j = at - row;
      ta += (a[j] as number) * value;
      tb += (b[j] as number) * value;
      tc += (c[j] as number) * value;
      td += (d[j] as number) * value;
    }
    [ta, tb, tc, td].forEach((total, k) => {
      sums[k] = (sums[k] as number) + Math.log(Math.max(total, Number.MIN_VALUE));
    });
  }
  return sums;
}

/** The laws to start from, each with the weight of its likelihood (equal ones before). */
function mixedStart(rows: Rows, laws: readonly Float64Array[]): Float64Array {
  const logs: number[] = [];
  for (let k = 0; k < laws.length; k += 4) {
    const lawAt = (place: number) => laws[Math.min(laws.length - 1, k + place)] as Float64Array;
    logs.push(...logLikelihoods(rows, [lawAt(0), lawAt(1), lawAt(2), lawAt(3)]));
  }
  logs.length = laws.length;
  const most = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from({ length: RATIOS }, (_, j) =>
    laws.reduce((sum, law, k) => sum + ((weights[k] as number) / total) * (law[j] as number), 0),
  );
}

/**
 * Law of the ratios of `cells` cells from the likelihood of each (undefined: the cell has none). A uniform law with the
 * weight of one cell keeps every ratio possible. `totalError` is the relative standard error of the total that the priors share.
 */
export function fitRatios(
  cells: number,
  likelihoodOf: (cell: number) => RatioLikelihood | undefined,
  totalError: number,
): Float64Array {
  const rows = likelihoodRows(cells, likelihoodOf);
  let law = mixedStart(rows, startLaws(totalError));
  for (let round = 0; round < ROUNDS; round++) law = posteriorLaw(rows, law);
  return law;
}
