/**
 * Confidence interval for the Gini coefficient of the rates behind noisy counts, by inverting a test (Neyman 1937, Phil. Trans.
 * A 236). Target: the Gini of the mean rates of these very cells over these very periods, a fixed number; random are the Poisson
 * scatter and the noise. Statistic: the mean absolute difference of the released means (Gini's own, defined for negative values too).
 * For every candidate g, rates of Gini g and of the observed total are drawn through Poisson and noise again; g is in the interval when
 * the observed statistic is not in the tails of the simulated ones. So the interval keeps its coverage whatever the noise, and where the
 * counts hold no information it is as wide as 0..1 instead of wrong: then `isIdentified` is false.
 *
 * The candidates are one curve of rate vectors through the estimated ones, x_i proportional to q_i^power (Gini 0 at power 0, towards 1
 * as the power grows): the shape of the law comes from the data, only its spread is inverted. The total is estimated from the same
 * counts; its error moves the simulated statistic by a known slope and is taken out.
 */
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { exchangeable, levelDrawer } from './exact-level.js';
import { type Forecast, sumPeriods } from './forecast.js';
import { meansDrawer, type NoisyMeans } from './noisy-means.js';
import { normalQuantile } from './normal.js';
import { gammaDraw, uniforms } from './random-variates.js';

export interface GiniEstimate {
  /** The Gini whose mean statistic is the observed one; an end of the interval where none is. */
  readonly gini: number;
  readonly low: number;
  readonly high: number;
  /** False where the counts rule out neither end: then they say nothing about concentration. */
  readonly isIdentified: boolean;
}

export interface GiniOptions {
  readonly random: RandomSource;
  /** Simulated maps, about: small areas take as many, large ones fewer, as one large map says as much. */
  readonly draws: number;
  readonly coverage: number;
}

/** Candidates of the coarse pass. The last stands for nearly all crime in a few cells. */
const COARSE = [0, 0.05, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.94, 0.98];
const HIGHEST = 0.98;
/** Cells of the coarse pass, evenly spread. */
const COARSE_CELLS = 4000;
/** Candidates of the fine pass, between the coarse ones that are this many standard deviations off. */
const FINE = 9;
const FINE_REACH = 4;
/** Most cells drawn in the fine pass. */
const MOST_CELL_DRAWS = 4e6;
const LEAST_DRAWS = 2;
const COARSE_DRAWS = 12;
/** Rates of zero have no logarithm. */
const LEAST_RATE = 1e-9;
/** Low end of an interval that shows some concentration, however little. */
const LEAST_SHOWN = 1e-6;
/** A total within this many standard errors of zero could be anything: so could the Gini. */
const CLEAR_TOTAL = 2;
/** Cells whose powers are tried out for a wanted Gini. */
const TRIED_CELLS = 2000;

const meanOf = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const everyNth = (values: Float64Array, most: number): Float64Array => {
  const stride = Math.ceil(values.length / most);
  return stride === 1 ? values : values.filter((_, i) => i % stride === 0);
};

/** Mean of |a - b| over all pairs of cells. */
function meanAbsoluteDifference(values: Float64Array): number {
  const sorted = values.slice().sort();
  const n = sorted.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (2 * i + 1 - n) * (sorted[i] as number);
  return (2 * sum) / (n * (n - 1));
}

/** Gini of ascending values. */
function giniOfAscending(values: Float64Array): number {
  const n = values.length;
  let weighted = 0;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    weighted += (2 * i + 1 - n) * (values[i] as number);
    sum += values[i] as number;
  }
  return weighted / (n * sum);
}

/** Gives, for a Gini, rates of about that Gini and of this mean: powers of the shape. */
export function curveThrough(shape: Float64Array, mean: number): (wanted: number) => Float64Array {
  const most = shape.reduce((a, b) => Math.max(a, b), 0);
  const logs = shape.map((value) => Math.log(value / most));
  const tried = everyNth(logs.slice().sort(), TRIED_CELLS);
  const giniAt = (power: number): number =>
    giniOfAscending(tried.map((log) => Math.exp(power * log)));
  return (wanted) => {
    let low = 0;
    let high = wanted > 0 ? 1 : 0;
    while (high > 0 && high < 1e4 && giniAt(high) < wanted) {
      low = high;
      high *= 2;
    }
    for (let step = 0; high > 0 && step < 40; step++) {
      const middle = (low + high) / 2;
      if (giniAt(middle) < wanted) low = middle;
      else high = middle;
    }
    const rates = logs.map((log) => Math.exp(high * log));
    const factor = mean / meanOf(rates);
    return rates.map((rate) => rate * factor);
  };
}

interface Candidate {
  readonly gini: number;
  /** Mean and variance of the statistic, the error of the total taken out. */
  readonly mean: number;
  readonly variance: number;
}

/** Simulates the statistic for every candidate. */
function simulate(
  wanted: readonly number[],
  shape: Float64Array,
  data: NoisyMeans,
  random: RandomSource,
  draws: number,
): Candidate[] {
  const total = meanOf(data.means);
  const curve = curveThrough(shape, total);
  const draw = meansDrawer(data, random);
  const drawn = (rates: Float64Array) =>
    Array.from({ length: draws }, () => {
      const means = draw(rates);
      return { difference: meanAbsoluteDifference(means), mean: meanOf(means) };
    });
  const squareOf = (rates: Float64Array): number =>
    (drawn(rates).reduce((sum, { difference }) => sum + difference, 0) / draws) ** 2;
  const noise = squareOf(new Float64Array(shape.length));
  const even = squareOf(new Float64Array(shape.length).fill(total));
  return wanted.map((gini) => {
    const rates = curve(gini);
    const runs = drawn(rates);
    const mean = runs.reduce((sum, { difference }) => sum + difference, 0) / draws;
    // mean^2 = noise + scatter + spread, where scatter goes with the total and spread with its square.
    const scatter = Math.max(0, even - noise);
    const slope = (2 * Math.max(0, mean * mean - noise) - scatter) / (2 * mean * total);
    const cleared = runs.map((run) => run.difference - slope * (run.mean - total));
    return {
      gini: giniOfAscending(rates.slice().sort()),
      mean,
      variance: cleared.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (draws - 1),
    };
  });
}

/** Standard deviations of the candidates: single ones are rough, so a line through the variances. */
function deviations(candidates: readonly Candidate[]): number[] {
  const n = candidates.length;
  const centre = candidates.reduce((sum, { gini }) => sum + gini, 0) / n;
  const level = candidates.reduce((sum, { variance }) => sum + variance, 0) / n;
  let products = 0;
  let squares = 0;
  for (const { gini, variance } of candidates) {
    products += (gini - centre) * variance;
    squares += (gini - centre) ** 2;
  }
  const slope = squares > 0 ? products / squares : 0;
  return candidates.map(({ gini }) =>
    Math.sqrt(Math.max(level / 4, level + slope * (gini - centre))),
  );
}

/** How many standard deviations the observed statistic is above that of each candidate. */
const scoresOf = (candidates: readonly Candidate[], observed: number): number[] => {
  const deviation = deviations(candidates);
  return candidates.map(({ mean }, i) => {
    const distance = observed - mean;
    return distance === 0 ? 0 : distance / (deviation[i] as number);
  });
};

/** Gini at which the scores, falling as it grows, come down to `limit`; undefined where they never do. */
function crossing(
  candidates: readonly Candidate[],
  scores: readonly number[],
  limit: number,
): number | undefined {
  for (let i = 1; i < candidates.length; i++) {
    const before = scores[i - 1] as number;
    const after = scores[i] as number;
    if (!(before > limit && after <= limit)) continue;
    const a = (candidates[i - 1] as Candidate).gini;
    const b = (candidates[i] as Candidate).gini;
    return a + ((before - limit) / (before - after)) * (b - a);
  }
  return undefined;
}

/**
 * Draws rates of the cells named from their posteriors: as uneven as the truth is thought to be, where their means are too even. A
 * cell without an exact posterior takes a gamma law of the mean and variance of its level.
 */
function ratesDrawer(
  { basis: { exact, levels, release } }: Forecast,
  uniform: () => number,
): (cells: Int32Array) => Float64Array {
  const draw = exact && levelDrawer(exchangeable(exact, sumPeriods(release)), uniform);
  return (cells) =>
    Float64Array.from(cells, (i) => {
      const rate = draw?.(i) ?? Number.NaN;
      if (!Number.isNaN(rate)) return Math.max(rate, LEAST_RATE);
      const mean = levels.level[i] as number;
      const variance = levels.variance[i] as number;
      if (!(variance > 0)) return mean;
      return Math.max(gammaDraw((mean * mean) / variance, uniform) * (variance / mean), LEAST_RATE);
    });
}

/** Where the fine pass looks: between the coarse candidates that are clearly below and clearly above what was observed. */
function range(data: NoisyMeans, shape: Float64Array, random: RandomSource): [number, number] {
  const few = {
    ...data,
    means: everyNth(data.means, COARSE_CELLS),
    exposure: everyNth(data.exposure, COARSE_CELLS),
  };
  const rough = simulate(COARSE, everyNth(shape, COARSE_CELLS), few, random, COARSE_DRAWS);
  const scores = scoresOf(rough, meanAbsoluteDifference(few.means));
  const last = COARSE.length - 1;
  const above = scores.findLastIndex((score) => score > FINE_REACH);
  const below = scores.findIndex((score) => score < -FINE_REACH);
  const from = Math.min(Math.max(0, above), last - 1);
  const to = Math.max(from + 1, below < 0 ? last : below);
  return [COARSE[from] as number, COARSE[to] as number];
}

/** What the inverted test says: the Gini at any score, and draws of rates to go with it. */
interface InvertedTest {
  readonly estimate: GiniEstimate;
  /** Gini whose statistic the observed one is this many standard deviations above; the end of what is possible where there is none. */
  readonly at: (score: number) => number;
  /** Cells that have a count. */
  readonly counted: Int32Array;
  readonly draw: (cells: Int32Array) => Float64Array;
}

export const NOTHING_KNOWN: GiniEstimate = { gini: 0, low: 0, high: 1, isIdentified: false };

/** Undefined where even the total is not clear of noise. Throws `invalid-draws`. */
export function invertedTest(
  forecast: Forecast,
  { random, draws, coverage }: GiniOptions,
): InvertedTest | undefined {
  if (!Number.isInteger(draws) || draws < 20 || !(coverage > 0 && coverage < 1)) {
    throw new ConcordatError('invalid-draws', 'give twenty draws or more and a coverage in 0..1');
  }
  const { release } = forecast.basis;
  const { sums, exposure, noiseVariance } = sumPeriods(release);
  const counted = Int32Array.from(exposure.keys()).filter((i) => (exposure[i] as number) > 0);
  const data: NoisyMeans = {
    means: Float64Array.from(counted, (i) => (sums[i] as number) / (exposure[i] as number)),
    exposure: Float64Array.from(counted, (i) => exposure[i] as number),
    noiseVariance,
    law: release.law,
  };
  const cells = counted.length;
  const total = meanOf(data.means);
  const totalVariance = data.exposure.reduce(
    (sum, terms) => sum + (noiseVariance + Math.max(0, total)) / terms,
    0,
  );
  if (cells < 2 || !(total * cells > CLEAR_TOTAL * Math.sqrt(totalVariance))) return undefined;
  const draw = ratesDrawer(forecast, uniforms(random));
  const shape = draw(counted);
  const [start, end] = range(data, shape, random);
  const most = Math.min(draws, MOST_CELL_DRAWS / cells);
  const perCandidate = Math.max(LEAST_DRAWS, Math.floor(most / FINE));
  const wanted = Array.from({ length: FINE }, (_, k) => start + (k * (end - start)) / (FINE - 1));
  const fine = simulate(wanted, shape, data, random, perCandidate);
  const scores = scoresOf(fine, meanAbsoluteDifference(data.means));
  // The simulated means have errors of their own.
  const widened = Math.sqrt(1 + 1 / perCandidate);
  const least = (fine[0] as Candidate).gini;
  const greatest = (fine[FINE - 1] as Candidate).gini;
  const first = scores[0] as number;
  const at = (score: number): number =>
    first <= widened * score ? least : (crossing(fine, scores, widened * score) ?? greatest);
  const z = normalQuantile((1 + coverage) / 2);
  // Nothing is more even than even: there the test has one side only.
  const showsAny = start > 0 || first > widened * normalQuantile(coverage);
  const low = Math.max(at(z), showsAny ? LEAST_SHOWN : 0);
  const high = at(-z) >= HIGHEST ? 1 : Math.max(low, at(-z));
  const gini = Math.min(high, Math.max(low, at(0)));
  return {
    estimate: { gini, low, high, isIdentified: low > 0 || high < 1 },
    at,
    counted,
    draw,
  };
}

/**
 * Gini of the mean rates of the cells that have a count, with a confidence interval of this `coverage`: both tails alike, but against
 * equal rates one only. Throws `invalid-draws`.
 */
export const giniUnderNoise = (forecast: Forecast, options: GiniOptions): GiniEstimate =>
  invertedTest(forecast, options)?.estimate ?? NOTHING_KNOWN;
