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
import { exchangeable, posteriorQuantilesOf } from './exact-level.js';
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
/** How near that Gini is met: far within the error of so many cells. */
const NEAR_GINI = 1e-7;
const MOST_TRIES = 60;
const MOST_POWER = 1e4;
/** Sums of periods this near a whole number are one. */
const ROUNDING = 1e-6;
/** Whole numbers are tallied that spread over at most as many values for each. */
const MOST_GAPS = 8;

const meanOf = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const everyNth = (values: Float64Array, most: number): Float64Array => {
  const stride = Math.ceil(values.length / most);
  return stride === 1 ? values : values.filter((_, i) => i % stride === 0);
};

/** Sum of |a - b| over all pairs of whole numbers, by how many of them are at most each: undefined where they are too far apart to be tallied. */
function sumOfWholeDifferences(values: Float64Array, terms: number): number | undefined {
  const n = values.length;
  const wholes = new Int32Array(n);
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const sum = (values[i] as number) * terms;
    const whole = Math.round(sum);
    if (Math.abs(sum - whole) > ROUNDING) return undefined;
    if (whole < least) least = whole;
    if (whole > most) most = whole;
    wholes[i] = whole;
  }
  if (!(most - least <= MOST_GAPS * n)) return undefined;
  const tally = new Int32Array(most - least + 1);
  for (const whole of wholes) tally[whole - least] = (tally[whole - least] as number) + 1;
  let below = 0;
  let sum = 0;
  for (const here of tally) {
    below += here;
    sum += below * (n - below);
  }
  return sum;
}

/** Mean of |a - b| over all pairs of cells. `terms`, where all cells have as many: sums of so many whole numbers are tallied, not sorted. */
function meanAbsoluteDifference(values: Float64Array, terms: number | undefined): number {
  const count = values.length * (values.length - 1);
  const wholes = terms === undefined ? undefined : sumOfWholeDifferences(values, terms);
  if (wholes !== undefined) return (2 * wholes) / (count * (terms as number));
  const sorted = values.slice().sort();
  const n = sorted.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (2 * i + 1 - n) * (sorted[i] as number);
  return (2 * sum) / count;
}

/** Periods of every cell, where all have as many. */
const commonTerms = ({ exposure }: NoisyMeans): number | undefined =>
  exposure.every((terms) => terms === exposure[0]) ? exposure[0] : undefined;

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

/** Power at which `giniAt`, 0 at power 0 and growing, is `wanted`: false position, Illinois form (Dowell and Jarratt 1971, BIT 11). */
function powerFor(giniAt: (power: number) => number, wanted: number): number {
  let [low, below] = [0, -wanted];
  let [high, above] = [1, giniAt(1) - wanted];
  while (above < 0 && high < MOST_POWER) {
    [low, below] = [high, above];
    high *= 2;
    above = giniAt(high) - wanted;
  }
  if (above < 0) return high;
  for (let tried = 0; tried < MOST_TRIES; tried++) {
    const power = (low * above - high * below) / (above - below);
    const miss = giniAt(power) - wanted;
    if (Math.abs(miss) < NEAR_GINI) return power;
    if (miss < 0) {
      [low, below] = [power, miss];
      above /= 2;
    } else {
      [high, above] = [power, miss];
      below /= 2;
    }
  }
  return high;
}

/** Gives, for a Gini, rates of about that Gini and of this mean: powers of the shape. */
export function curveThrough(shape: Float64Array, mean: number): (wanted: number) => Float64Array {
  const most = shape.reduce((a, b) => Math.max(a, b), 0);
  const logs = shape.map((value) => Math.log(value / most));
  const tried = everyNth(logs.slice().sort(), TRIED_CELLS);
  const giniAt = (power: number): number =>
    giniOfAscending(tried.map((log) => Math.exp(power * log)));
  return (wanted) => {
    const power = wanted > 0 ? powerFor(giniAt, wanted) : 0;
    const rates = logs.map((log) => Math.exp(power * log));
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
  const terms = commonTerms(data);
  const drawn = (rates: Float64Array) =>
    Array.from({ length: draws }, () => {
      const means = draw(rates);
      return { difference: meanAbsoluteDifference(means, terms), mean: meanOf(means) };
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
 * Draws rates of the cells named from their posteriors, one vector a world: as uneven as the truth is thought to be, where their means are
 * too even. A cell without an exact posterior takes a gamma law of the mean and variance of its level.
 */
function ratesDrawer(
  { basis: { exact, levels, release } }: Forecast,
  uniform: () => number,
): (cells: Int32Array, worlds: number) => Float64Array[] {
  const lawOf = exact && posteriorQuantilesOf(exchangeable(exact, sumPeriods(release)));
  return (cells, worlds) => {
    const drawn = Array.from({ length: worlds }, () => new Float64Array(cells.length));
    cells.forEach((cell, at) => {
      const exactRate = lawOf?.(cell);
      const mean = levels.level[cell] as number;
      const variance = levels.variance[cell] as number;
      const scale = variance / mean;
      for (const rates of drawn) {
        const rate = exactRate
          ? exactRate(uniform())
          : variance > 0
            ? gammaDraw(mean / scale, uniform) * scale
            : mean;
        rates[at] = Math.max(rate, LEAST_RATE);
      }
    });
    return drawn;
  };
}

/** Where the fine pass looks: between the coarse candidates that are clearly below and clearly above what was observed. */
function range(data: NoisyMeans, shape: Float64Array, random: RandomSource): [number, number] {
  const few = {
    ...data,
    means: everyNth(data.means, COARSE_CELLS),
    exposure: everyNth(data.exposure, COARSE_CELLS),
  };
  const rough = simulate(COARSE, everyNth(shape, COARSE_CELLS), few, random, COARSE_DRAWS);
  const scores = scoresOf(rough, meanAbsoluteDifference(few.means, commonTerms(few)));
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
  /** Rates of these cells in so many worlds. */
  readonly draw: (cells: Int32Array, worlds: number) => Float64Array[];
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
  const [shape] = draw(counted, 1) as [Float64Array];
  const [start, end] = range(data, shape, random);
  const most = Math.min(draws, MOST_CELL_DRAWS / cells);
  const perCandidate = Math.max(LEAST_DRAWS, Math.floor(most / FINE));
  const wanted = Array.from({ length: FINE }, (_, k) => start + (k * (end - start)) / (FINE - 1));
  const fine = simulate(wanted, shape, data, random, perCandidate);
  const scores = scoresOf(fine, meanAbsoluteDifference(data.means, commonTerms(data)));
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
