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

/** Rows of the fitted cells that are worked on at a time. */
const TOGETHER = 4;

/**
 * Likelihoods of the fitted cells under each ratio, one row after the other, and the part from..to-1 of each row that is not zero. A few
 * empty rows follow the last.
 */
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
  const most = Math.ceil(cells / stride) + TOGETHER;
  const rows = new Float32Array(most * RATIOS);
  const from = new Int32Array(most).fill(RATIOS);
  const to = new Int32Array(most);
  let count = 0;
  for (let i = 0; i < cells; i += stride) {
    const likelihood = likelihoodOf(i);
    if (!likelihood) continue;
    // Ratio j is shared by the rates j and j + 1.
    const first = Math.max(0, likelihood.from - 1);
    const end = Math.min(RATIOS, likelihood.to);
    fillRow(rows, count * RATIOS, likelihood, first, end);
    from[count] = first;
    to[count++] = end;
  }
  return { values: rows, from, to, count };
}

function fillRow(
  rows: Float32Array,
  row: number,
  { fraction, values }: RatioLikelihood,
  first: number,
  end: number,
): void {
  for (let j = first; j < end; j++) {
    rows[row + j] = (1 - fraction) * (values[j] as number) + fraction * (values[j + 1] as number);
  }
}

/** Room for the four rows in hand times the law. */
type Products = readonly [Float64Array, Float64Array, Float64Array, Float64Array];

/**
 * One round of EM: the mean posterior of the cells under `law`, and a uniform law with the weight of one cell. Four cells at a time, as
 * a sum waits for its last term and four do not wait for each other; rows are 0 beyond their own parts, which adds nothing. `products`
 * is overwritten.
 */
function posteriorLaw(
  { values, from, to, count }: Rows,
  law: Float64Array,
  products: Products,
): Float64Array {
  const [pa, pb, pc, pd] = products;
  const share = 1 / (count + 1);
  const weightOf = (total: number): number => (total === 0 ? 0 : share / total);
  const next = new Float64Array(RATIOS).fill(share / RATIOS);
  for (let cell = 0; cell < count; cell += TOGETHER) {
    const a = cell * RATIOS;
    const b = a + RATIOS;
    const c = b + RATIOS;
    const d = c + RATIOS;
    const first = firstOf(from, cell);
    const end = endOf(to, cell);
    let ta = 0;
    let tb = 0;
    let tc = 0;
    let td = 0;
    for (let j = first; j < end; j++) {
      const weight = law[j] as number;
      const xa = weight * (values[a + j] as number);
      const xb = weight * (values[b + j] as number);
      const xc = weight * (values[c + j] as number);
      const xd = weight * (values[d + j] as number);
      pa[j] = xa;
      pb[j] = xb;
      pc[j] = xc;
      pd[j] = xd;
      ta += xa;
      tb += xb;
      tc += xc;
      td += xd;
    }
    const wa = weightOf(ta);
    const wb = weightOf(tb);
    const wc = weightOf(tc);
    const wd = weightOf(td);
    for (let j = first; j < end; j++) {
      next[j] =
        (next[j] as number) +
        (pa[j] as number) * wa +
        (pb[j] as number) * wb +
        (pc[j] as number) * wc +
        (pd[j] as number) * wd;
    }
  }
  return next;
}

/** Where the first of the rows from `cell` that are worked on together begins. */
const firstOf = (from: Int32Array, cell: number): number =>
  Math.min(
    from[cell] as number,
    from[cell + 1] as number,
    from[cell + 2] as number,
    from[cell + 3] as number,
  );

/** Where the last of them ends. */
const endOf = (to: Int32Array, cell: number): number =>
  Math.max(
    to[cell] as number,
    to[cell + 1] as number,
    to[cell + 2] as number,
    to[cell + 3] as number,
  );

/** Log-likelihoods of four laws over cells evenly spread; four laws and two cells at a time, as reading them takes longest. */
function logLikelihoods(
  { values, from, to, count }: Rows,
  [a, b, c, d]: readonly [Float64Array, Float64Array, Float64Array, Float64Array],
): readonly [number, number, number, number] {
  const stride = Math.ceil(count / JUDGED_CELLS);
  let sa = 0;
  let sb = 0;
  let sc = 0;
  let sd = 0;
  for (let cell = 0; cell < count; cell += 2 * stride) {
    const isLast = cell + stride >= count;
    const other = isLast ? cell : cell + stride;
    const row = cell * RATIOS;
    const otherRow = other * RATIOS;
    const first = Math.min(from[cell] as number, from[other] as number);
    const end = Math.max(to[cell] as number, to[other] as number);
    let ta = 0;
    let tb = 0;
    let tc = 0;
    let td = 0;
    let ua = 0;
    let ub = 0;
    let uc = 0;
    let ud = 0;
    for (let j = first; j < end; j++) {
      const value = values[row + j] as number;
      const otherValue = values[otherRow + j] as number;
      const la = a[j] as number;
      const lb = b[j] as number;
      const lc = c[j] as number;
      const ld = d[j] as number;
      ta += la * value;
      tb += lb * value;
      tc += lc * value;
      td += ld * value;
      ua += la * otherValue;
      ub += lb * otherValue;
      uc += lc * otherValue;
      ud += ld * otherValue;
    }
    sa += logOf(ta);
    sb += logOf(tb);
    sc += logOf(tc);
    sd += logOf(td);
    if (isLast) break;
    sa += logOf(ua);
    sb += logOf(ub);
    sc += logOf(uc);
    sd += logOf(ud);
  }
  return [sa, sb, sc, sd];
}

const logOf = (total: number): number => Math.log(Math.max(total, Number.MIN_VALUE));

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
  const room = () => new Float64Array(RATIOS);
  const products: Products = [room(), room(), room(), room()];
  for (let round = 0; round < ROUNDS; round++) law = posteriorLaw(rows, law, products);
  return law;
}
