/**
 * Laws of S = Poisson(mean) + noise of some periods, tabulated over a grid of Poisson means whose step is a quarter of the standard
 * deviation of S: what is smooth in the mean (a probability, an expectation) is then a cubic through four rows, to about 1e-4 of its
 * size. Low means are convolved exactly, row by row; for high ones the Edgeworth series to second order stands (Kendall, Stuart and Ord
 * 1994, section 6.18), as for noise too wide to tabulate. Where a law is wide, outcomes are taken together in runs of a tenth of its
 * deviation: sums over them are midpoint sums of smooth functions.
 */
import { noiseCumulants } from '../laws/edgeworth.js';
import { normalDensity, normalUpperTail } from '../laws/normal.js';
import {
  convolve,
  type NoiseLaw,
  noisePmf,
  noiseReach,
  type Pmf,
  sumOfCopies,
} from '../laws/pmf.js';

/** Step of the grid in standard deviations. */
const STEP = 0.25;
/** Standard deviation that the grid takes laws without noise to have at mean 0. */
const LEAST_DEVIATION = 0.5;
/** Poisson means up to here are convolved. */
const MOST_EXACT_MEAN = 1000;
/** Noise that reaches further is normal for every purpose here. */
const LONGEST_REACH = 20_000;
/** Probabilities below this are cut off the ends of a row. */
const CUT_OFF = 1e-14;
/** Deviations of a normal law that holds all but such a share. */
const REACH = 8;
/** Runs of outcomes a standard deviation. */
const RUNS_PER_DEVIATION = 10;
/** A discrete normal law of a smaller variance than this has not that variance. */
const LEAST_NORMAL = 0.5;

/** Law of one sum: P(S <= end of run j) for the runs from `start`; 0 before them, 1 after. */
interface Row {
  readonly start: number;
  readonly below: Float64Array;
}

export interface SumLaws {
  /** First outcome of every run, ascending, and the end of the last. */
  readonly edges: Float64Array;
  /** Rows, at least four. */
  readonly count: number;
  /** Place of a Poisson mean among the rows, a fraction where it lies between two. */
  readonly placeOf: (mean: number) => number;
  /** Derivative of that. */
  readonly slopeAt: (mean: number) => number;
  /** Poisson mean of a row. */
  readonly meanOf: (row: number) => number;
  readonly rowAt: (row: number) => Row;
}

/** What is known of the noise in a sum: its law as a table where that is short enough, and its cumulants. */
interface SumNoise {
  readonly pmf: Pmf | undefined;
  readonly variance: number;
  readonly fourth: number;
}

function trimmed({ first, weights }: Pmf): Pmf {
  let from = 0;
  let to = weights.length;
  while (from < to - 1 && (weights[from] as number) < CUT_OFF) from++;
  while (to > from + 1 && (weights[to - 1] as number) < CUT_OFF) to--;
  return { first: first + from, weights: weights.slice(from, to) };
}

/** Normal law on the whole numbers; below a variance of a half three outcomes that have it. */
function discreteNormal(variance: number): Pmf {
  if (variance < LEAST_NORMAL) {
    return { first: -1, weights: Float64Array.of(variance / 2, 1 - variance, variance / 2) };
  }
  return trimmed(noisePmf({ mechanism: 'discrete-gaussian', sigma2: variance }));
}

function sumNoise(law: NoiseLaw | undefined, variance: number, terms: number): SumNoise {
  const sum = terms * variance;
  if (variance === 0) {
    return { pmf: { first: 0, weights: Float64Array.of(1) }, variance: 0, fourth: 0 };
  }
  if (!law || law.mechanism === 'none') {
    const isShort = 2 * REACH * Math.sqrt(sum) <= LONGEST_REACH;
    return { pmf: isShort ? discreteNormal(sum) : undefined, variance: sum, fourth: 0 };
  }
  const isShort = terms * noiseReach(law) <= LONGEST_REACH;
  return {
    pmf: isShort ? trimmed(sumOfCopies(trimmed(noisePmf(law)), terms)) : undefined,
    variance: sum,
    fourth: terms * noiseCumulants(law).fourth,
  };
}

function poissonPmf(mean: number): Pmf {
  const top = Math.ceil(mean + REACH * Math.sqrt(mean) + 12);
  const weights = new Float64Array(top + 1);
  let term = Math.exp(-mean);
  for (let k = 0; k <= top; k++) {
    weights[k] = term;
    term *= mean / (k + 1);
  }
  return trimmed({ first: 0, weights });
}

/** Runs of an odd number of outcomes, so that each has one in the middle. */
function runEdges(variance: number, first: number, most: number): Float64Array {
  const edges: number[] = [first];
  for (let at = first; at < most; ) {
    const width = Math.floor(Math.sqrt(variance + Math.max(0, at)) / RUNS_PER_DEVIATION);
    at += Math.max(1, width - ((width + 1) % 2));
    edges.push(at);
  }
  return Float64Array.from(edges);
}

/** Last of the ascending `edges` that is at most `value`. */
function runOf(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((edges[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

const middleOf = (edges: Float64Array, run: number): number =>
  ((edges[run] as number) + (edges[run + 1] as number) - 1) / 2;

/** P(S <= k) at the middle outcome of every run. */
function tabulatedRow({ first, weights }: Pmf, edges: Float64Array): Row {
  const last = first + weights.length - 1;
  const start = runOf(edges, first);
  const below: number[] = [];
  let sum = 0;
  let k = first;
  for (let run = start; run < edges.length - 1 && middleOf(edges, run) < last; run++) {
    const middle = middleOf(edges, run);
    for (; k <= middle; k++) sum += weights[k - first] as number;
    below.push(Math.min(1, sum));
  }
  return { start, below: Float64Array.from(below) };
}

/** The same by the Edgeworth series: the third cumulant is that of the Poisson count. */
function edgeworthRow(mean: number, { variance, fourth }: SumNoise, edges: Float64Array): Row {
  const deviation = Math.sqrt(mean + variance);
  const skewness = mean / deviation ** 3;
  const kurtosis = (mean + fourth) / deviation ** 4;
  const start = runOf(edges, mean - REACH * deviation);
  const below: number[] = [];
  for (let run = start; run < edges.length - 1; run++) {
    const z = (middleOf(edges, run) + 0.5 - mean) / deviation;
    if (z > REACH) break;
    const he2 = z * z - 1;
    const he3 = z ** 3 - 3 * z;
    const he5 = z ** 5 - 10 * z ** 3 + 15 * z;
    const correction =
      (skewness * he2) / 6 + (kurtosis * he3) / 24 + (skewness * skewness * he5) / 72;
    below.push(Math.min(1, Math.max(0, normalUpperTail(-z) - normalDensity(z) * correction)));
  }
  return { start, below: Float64Array.from(below) };
}

/**
 * Laws for sums over `terms` periods whose noise has this variance a period, and this law where it is known, for Poisson means of the
 * whole sum up to `mostMean`. Throws `invalid-noise`.
 */
export function sumLaws(
  law: NoiseLaw | undefined,
  noiseVariance: number,
  terms: number,
  mostMean: number,
): SumLaws {
  const noise = sumNoise(law, noiseVariance, terms);
  const offset = noise.variance + LEAST_DEVIATION ** 2;
  const origin = 2 * Math.sqrt(offset);
  const placeOf = (mean: number): number => (2 * Math.sqrt(mean + offset) - origin) / STEP;
  const meanOf = (row: number): number => ((origin + STEP * row) / 2) ** 2 - offset;
  const count = Math.max(4, Math.ceil(placeOf(mostMean)) + 3);
  const last = meanOf(count - 1);
  const edges = runEdges(
    noise.variance,
    noise.pmf?.first ?? Math.floor(-REACH * Math.sqrt(noise.variance)),
    Math.max(
      last + REACH * Math.sqrt(last + noise.variance) + 12,
      last + (noise.pmf ? noise.pmf.first + noise.pmf.weights.length : 0),
    ),
  );
  const rows: Row[] = [];
  let exact = noise.pmf;
  let exactRow = 0;
  const rowAt = (row: number): Row => {
    const known = rows[row];
    if (known) return known;
    const mean = meanOf(row);
    let made: Row;
    if (exact && mean <= MOST_EXACT_MEAN) {
      // Each from the one before: a Poisson count of the difference is added.
      for (; exactRow < row; exactRow++) {
        rows[exactRow] ??= tabulatedRow(exact, edges);
        exact = trimmed(convolve(exact, poissonPmf(meanOf(exactRow + 1) - meanOf(exactRow))));
      }
      made = tabulatedRow(exact, edges);
    } else made = edgeworthRow(mean, noise, edges);
    rows[row] = made;
    return made;
  };
  return {
    edges,
    count,
    placeOf,
    meanOf,
    rowAt,
    slopeAt: (mean) => 1 / (STEP * Math.sqrt(mean + offset)),
  };
}
