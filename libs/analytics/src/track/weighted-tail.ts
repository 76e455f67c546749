/**
 * Upper tail of a weighted sum of noisy counts, S = sum_k a_k (x_k + noise_k), x_k of mean rate f_k and variance mean + burst mean^2
 * (Poisson, or negative binomial where periods scatter more), by the saddlepoint formula of Lugannani and Rice 1980 (Advances in
 * Applied Probability 12), whose cumulant generating functions are all in closed form. Counts and so sums come in steps; the formula
 * gives the tail with half of the step at x itself (mid-p: Lancaster 1961, JASA 56; Daniels 1987, International Statistical Review
 * 55), which over many cells of differing rates is exceeded as often as it says.
 *
 * One table serves all cells: rows of rates in even steps of their logarithm, columns of standardised sums, as the tail at the same
 * number of standard deviations changes slowly with the rate.
 */
import { noiseCumulants } from '../laws/edgeworth.js';
import { normalDensity, normalUpperTail } from '../laws/normal.js';
import { type NoiseLaw, noisePmf } from '../laws/pmf.js';
import type { RatePosterior } from '../rates/rate-posterior.js';

/** One term of the sum. */
export interface WeightedCount {
  /** a_k, above 0. */
  readonly weight: number;
  /** f_k: expected count over the rate of the cell. */
  readonly factor: number;
}

export interface WeightedTailOptions {
  readonly law: NoiseLaw;
  /** Variance of a period's count beyond Poisson, over its squared mean. */
  readonly burst: number;
  /** Variance of one unknown factor on all expected counts, over its squared mean. */
  readonly relativeVariance: number;
}

/** P(S > x) + P(S = x) / 2. */
export interface WeightedTail {
  /** Given the logarithm of the rate. */
  readonly at: (logRate: number, x: number) => number;
  /** Averaged over a law of the rate. */
  readonly over: (law: Readonly<RatePosterior>, x: number) => number;
}

const FIRST_LOG = Math.log(1e-4);
const LOG_STEP = 0.15;
const ROWS = 130;
/** Standardised sums between which the tail is tabulated: below it is 1, above 0. */
const LEAST_U = -6;
const U_STEP = 0.1;
const COLUMNS = 360;
/** Tails below this count as 0. */
const LEAST_TAIL = 1e-9;
const MOST_STEPS = 60;
/** Points of the law of a rate with less weight than this do not matter to a tail of one in a thousand. */
const LEAST_WEIGHT = 1e-6;
/** Rates whose place in the table is remembered: those of many cells are points of one grid. A power of 2. */
const REMEMBERED = 1024;
const REMEMBERED_A_UNIT = 64;

/** Value, first and second derivative of a cumulant generating function. */
interface Generated {
  k: number;
  k1: number;
  k2: number;
}

interface Generator {
  /** Adds the function at t to `sum`. */
  readonly add: (t: number, sum: Generated) => void;
  /** It is finite below this. */
  readonly limit: number;
}

/** log of (1 - q)^2 / ((1 - q e^t)(1 - q e^-t)), q = exp(-epsilon). */
function laplaceGenerator(epsilon: number): Generator {
  const q = Math.exp(-epsilon);
  const constant = 2 * Math.log(-Math.expm1(-epsilon));
  return {
    limit: epsilon,
    add(t, sum) {
      const up = q * Math.exp(t);
      const down = q * Math.exp(-t);
      sum.k += constant - Math.log1p(-up) - Math.log1p(-down);
      sum.k1 += up / (1 - up) - down / (1 - down);
      sum.k2 += up / (1 - up) ** 2 + down / (1 - down) ** 2;
    },
  };
}

function noiseGenerator(law: NoiseLaw): Generator {
  const limit = Number.POSITIVE_INFINITY;
  if (law.mechanism === 'none') return { limit, add: () => undefined };
  if (law.mechanism === 'discrete-laplace') return laplaceGenerator(law.epsilon);
  const { second, fourth } = noiseCumulants(law);
  if (fourth === 0) {
    return {
      limit,
      add(t, sum) {
        sum.k += (second * t * t) / 2;
        sum.k1 += second * t;
        sum.k2 += second;
      },
    };
  }
  const { first, weights } = noisePmf(law);
  return {
    limit,
    add(t, sum) {
      let m0 = 0;
      let m1 = 0;
      let m2 = 0;
      weights.forEach((weight, i) => {
        const x = first + i;
        const term = weight * Math.exp(t * x);
        m0 += term;
        m1 += term * x;
        m2 += term * x * x;
      });
      sum.k += Math.log(m0);
      sum.k1 += m1 / m0;
      sum.k2 += m2 / m0 - (m1 / m0) ** 2;
    },
  };
}

/** Of a count of this mean. */
function countGenerator(mean: number, burst: number): Generator {
  if (burst === 0) {
    return {
      limit: Number.POSITIVE_INFINITY,
      add(t, sum) {
        const grown = mean * Math.exp(t);
        sum.k += mean * Math.expm1(t);
        sum.k1 += grown;
        sum.k2 += grown;
      },
    };
  }
  return {
    limit: Math.log1p(1 / (burst * mean)),
    add(t, sum) {
      const left = 1 - burst * mean * Math.expm1(t);
      const grown = (mean * Math.exp(t)) / left;
      sum.k -= Math.log(left) / burst;
      sum.k1 += grown;
      sum.k2 += grown + burst * grown * grown;
    },
  };
}

/** Largest argument of the exponential function that is of any use here. */
const MOST_EXPONENT = 300;

function rowOf(
  rate: number,
  counts: readonly WeightedCount[],
  { law, burst }: WeightedTailOptions,
  sums: Float64Array,
): Float64Array {
  const noise = noiseGenerator(law);
  const terms = counts.map(({ weight, factor }) => ({
    weight,
    count: countGenerator(rate * factor, burst),
  }));
  const part: Generated = { k: 0, k1: 0, k2: 0 };
  const at: Generated = { k: 0, k1: 0, k2: 0 };
  const evaluate = (t: number): void => {
    at.k = 0;
    at.k1 = 0;
    at.k2 = 0;
    for (const { weight, count } of terms) {
      part.k = 0;
      part.k1 = 0;
      part.k2 = 0;
      count.add(weight * t, part);
      noise.add(weight * t, part);
      at.k += part.k;
      at.k1 += weight * part.k1;
      at.k2 += weight * weight * part.k2;
    }
  };
  const most = Math.min(
    ...terms.map(({ weight, count }) => Math.min(count.limit, noise.limit, MOST_EXPONENT) / weight),
  );
  const least = -Math.min(
    ...terms.map(({ weight }) => Math.min(noise.limit, MOST_EXPONENT) / weight),
  );
  const row = new Float64Array(COLUMNS);
  evaluate(0);
  const mean = at.k1;
  let low = least;
  let t = 0;
  for (let column = 0; column < COLUMNS; column++) {
    const x = sums[column] as number;
    // The derivative of the generating function ascends: Newton's steps, and halves where they leave the bracket.
    let high = x < mean ? 0 : most;
    for (let step = 0; step < MOST_STEPS; step++) {
      evaluate(t);
      if (at.k1 < x) low = t;
      else high = t;
      const next = t + (x - at.k1) / at.k2;
      const isInside = next > low && next < high;
      const before = t;
      t = isInside ? next : (low + high) / 2;
      if (Math.abs(t - before) <= 1e-9 * (Math.abs(t) + 1e-9)) break;
    }
    evaluate(t);
    const tail = tailAt(t, at);
    if (tail < LEAST_TAIL && x > mean) break;
    row[column] = tail;
  }
  return row;
}

/** Lugannani and Rice 1980, equation 10, at the saddlepoint t. */
function tailAt(t: number, { k, k1, k2 }: Generated): number {
  const w = Math.sign(t) * Math.sqrt(Math.max(0, 2 * (t * k1 - k)));
  const v = t * Math.sqrt(k2);
  if (k2 === 0 && t < 0) return 1;
  if (Number.isNaN(v) || w === 0 || v === 0) return 0.5;
  return Math.min(1, Math.max(0, normalUpperTail(w) + normalDensity(w) * (1 / v - 1 / w)));
}

/** Three points with the first five moments of a normal law (Gauss and Hermite), as shifts of the logarithm of a factor of mean 1. */
function hermiteShifts(
  relativeVariance: number,
): readonly (readonly [shift: number, weight: number])[] {
  const variance = Math.log1p(relativeVariance);
  const far = Math.sqrt(3 * variance);
  return [
    [-far - variance / 2, 1 / 6],
    [-variance / 2, 2 / 3],
    [far - variance / 2, 1 / 6],
  ];
}

/** Mean and standard deviation of the sum given the rate. */
interface Moments {
  readonly meanAt: (rate: number) => number;
  readonly deviationAt: (rate: number) => number;
}

/** Reads a table whose rows are made when first needed. */
function tabulated(
  { meanAt, deviationAt }: Moments,
  makeRow: (rate: number, sums: Float64Array) => Float64Array,
): WeightedTail {
  const rows: (Float64Array | undefined)[] = new Array(ROWS);
  const rowAt = (row: number): Float64Array => {
    const known = rows[row];
    if (known) return known;
    const rate = Math.exp(FIRST_LOG + row * LOG_STEP);
    const sums = Float64Array.from(
      { length: COLUMNS },
      (_, column) => meanAt(rate) + deviationAt(rate) * (LEAST_U + (column + 0.5) * U_STEP),
    );
    const made = makeRow(rate, sums);
    rows[row] = made;
    return made;
  };
  const logRates = new Float64Array(REMEMBERED).fill(Number.NaN);
  const means = new Float64Array(REMEMBERED);
  const deviations = new Float64Array(REMEMBERED);
  const places = new Float64Array(REMEMBERED);
  /** Where a rate is remembered. */
  const slotOf = (logRate: number): number => {
    const slot = Math.floor(logRate * REMEMBERED_A_UNIT) & (REMEMBERED - 1);
    if (logRates[slot] === logRate) return slot;
    const rate = Math.exp(logRate);
    logRates[slot] = logRate;
    means[slot] = meanAt(rate);
    deviations[slot] = deviationAt(rate);
    places[slot] = Math.min(ROWS - 1.001, Math.max(0, (logRate - FIRST_LOG) / LOG_STEP));
    return slot;
  };
  const at = (logRate: number, x: number): number => {
    const slot = slotOf(logRate);
    const deviation = deviations[slot] as number;
    if (deviation === 0) return x > 0 ? 0 : 0.5;
    const column = ((x - (means[slot] as number)) / deviation - LEAST_U) / U_STEP - 0.5;
    if (column < 0) return 1;
    if (column >= COLUMNS - 1) return 0;
    const place = places[slot] as number;
    const row = Math.floor(place);
    const here = rows[row] ?? rowAt(row);
    const next = rows[row + 1] ?? rowAt(row + 1);
    const before = Math.floor(column);
    const right = column - before;
    const down = place - row;
    return (
      (1 - down) * ((1 - right) * (here[before] as number) + right * (here[before + 1] as number)) +
      down * ((1 - right) * (next[before] as number) + right * (next[before + 1] as number))
    );
  };
  const over = (law: Readonly<RatePosterior>, x: number): number => {
    let total = 0;
    for (let k = 0; k < law.count; k++) {
      const share = law.weights[k] as number;
      if (share >= LEAST_WEIGHT) total += share * at(law.logRates[k] as number, x);
    }
    return total;
  };
  return { at, over };
}

/** Tail of the sum of `counts`, none of them missing, for any rate between 1e-4 and 20,000. */
export function weightedTail(
  counts: readonly WeightedCount[],
  options: WeightedTailOptions,
): WeightedTail {
  const { second } = noiseCumulants(options.law);
  const sum = (term: (count: WeightedCount) => number): number =>
    counts.reduce((total, count) => total + term(count), 0);
  const firsts = sum(({ weight, factor }) => weight * factor);
  const poisson = sum(({ weight, factor }) => weight ** 2 * factor);
  const scatter = options.burst * sum(({ weight, factor }) => (weight * factor) ** 2);
  const noise = second * sum(({ weight }) => weight ** 2);
  const moments: Moments = {
    meanAt: (rate) => firsts * rate,
    deviationAt: (rate) => Math.sqrt(noise + rate * (poisson + rate * scatter)),
  };
  const given = tabulated(moments, (rate, sums) => rowOf(rate, counts, options, sums));
  if (options.relativeVariance === 0) return given;
  const shifts = hermiteShifts(options.relativeVariance);
  return tabulated(moments, (rate, sums) => {
    const log = Math.log(rate);
    return sums.map((x) =>
      shifts.reduce((total, [shift, weight]) => total + weight * given.at(log + shift, x), 0),
    );
  });
}
