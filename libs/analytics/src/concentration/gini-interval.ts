/**
 * Confidence interval for the Gini coefficient of the rates behind noisy counts, by inverting a test (Neyman 1937, Phil. Trans.
 * A 236). Target: the Gini of the mean rates of these very cells over these very periods, a fixed number; random are the Poisson
 * scatter and the noise. Statistic: the mean absolute difference of the released means (Gini's own, defined for negative values too).
 * For every candidate g its mean and variance under rates of Gini g and of the observed total are worked out from the laws of Poisson
 * and noise (`difference-law.ts`); g is in the interval when the observed statistic is not in the tails. So the interval keeps its
 * coverage whatever the noise, and where the counts hold no information it is as wide as 0..1 instead of wrong: then `isIdentified`
 * is false.
 *
 * The candidates are a curve of rate vectors through rates drawn from their posteriors (`rate-curve.ts`): the shape of the law comes
 * from the data, only its spread is inverted. The total is estimated from the same counts; its error moves the statistic by a known
 * slope and is taken out.
 */
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { normalQuantile } from '../laws/normal.js';
import type { Forecast } from '../predict/forecast.js';
import { type CountedMeans, countedMeans } from './counted-means.js';
import { differenceMoments } from './difference-law.js';
import { drawRates } from './drawn-rates.js';
import { curveThrough, powerOf, type RateCurve, ratesAt } from './rate-curve.js';

export interface GiniEstimate {
  /** The Gini under which the observed statistic is in the middle; an end of the interval where none is. */
  readonly gini: number;
  readonly low: number;
  readonly high: number;
  /** False where the counts rule out neither end: then they say nothing about concentration. */
  readonly isIdentified: boolean;
}

export interface GiniOptions {
  readonly random: RandomSource;
  readonly coverage: number;
}

/** The most uneven candidate, as a share of the Gini of one cell with all. */
const HIGHEST = 0.999;
/** Low end of an interval that shows some concentration, however little. */
const LEAST_SHOWN = 1e-6;
/** A total within this many standard errors of zero could be anything: so could the Gini. */
const CLEAR_TOTAL = 2;
/** Limits are wider by this than those of a known shape: what the error of the shape was counted to take (docs/analytics/measured/intervals.md). */
const SHAPE_ERROR = 1.1;
/** Candidates between those whose scores are this far out, beyond the limits that are asked for. */
const CANDIDATES = 17;
const BEYOND = 1;
/** How near these are met, and after how many tries at most. */
const NEAR_SCORE = 0.5;
const MOST_TRIES = 40;
/** Scores further out are this. */
const MOST_SCORE = 8;

/** Mean of |a - b| over all pairs. */
function meanAbsoluteDifference(values: Float64Array): number {
  const sorted = values.slice().sort();
  const n = sorted.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (2 * i + 1 - n) * (sorted[i] as number);
  return (2 * sum) / (n * (n - 1));
}

const highestGini = ({ means }: CountedMeans): number => HIGHEST * (1 - 1 / means.length);

/** True where the total is clear of noise and scatter. */
function isTotalClear({ means, exposure, total, noiseVariance }: CountedMeans): boolean {
  const variance = exposure.reduce(
    (sum, terms) => sum + (noiseVariance + Math.max(0, total)) / terms,
    0,
  );
  return means.length >= 2 && total * means.length > CLEAR_TOTAL * Math.sqrt(variance);
}

/** How many standard deviations the observed statistic is above that of rates on this curve, by their Gini. */
function scoresOn(curve: RateCurve, data: CountedMeans): (gini: number) => number {
  const highest = ratesAt(curve, powerOf(curve, highestGini(data)), data.total);
  const most = highest.reduce((a, b) => Math.max(a, b), 0);
  const momentsOf = differenceMoments(curve.classes, data, most);
  const observed = meanAbsoluteDifference(data.means);
  return (gini) => {
    const { mean, variance } = momentsOf(ratesAt(curve, powerOf(curve, gini), data.total));
    const distance = observed - mean;
    const score = distance === 0 ? 0 : distance / Math.sqrt(variance);
    return Math.min(MOST_SCORE, Math.max(-MOST_SCORE, score));
  };
}

/** Nearly the Gini at which the scores, falling as it grows, come down to `limit`: the end of the range where they never do. */
function nearlyAt(
  scoreOf: (gini: number) => number,
  limit: number,
  from: number,
  to: number,
): number {
  if (scoreOf(from) <= limit) return from;
  if (scoreOf(to) >= limit) return to;
  let [low, high] = [from, to];
  for (let tried = 0; tried < MOST_TRIES; tried++) {
    const middle = (low + high) / 2;
    const miss = scoreOf(middle) - limit;
    if (Math.abs(miss) < NEAR_SCORE) return middle;
    if (miss > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Scores at ascending Ginis, each no higher than the one before. */
interface Scores {
  readonly ginis: Float64Array;
  readonly scores: Float64Array;
}

function scoresAround(curve: RateCurve, data: CountedMeans, reach: number): Scores {
  const scoreOf = scoresOn(curve, data);
  const highest = highestGini(data);
  const from = nearlyAt(scoreOf, reach, 0, highest);
  const to = nearlyAt(scoreOf, -reach, from, highest);
  const ginis = Float64Array.from(
    { length: CANDIDATES },
    (_, k) => from + (k * (to - from)) / (CANDIDATES - 1),
  );
  let least = Number.POSITIVE_INFINITY;
  const scores = ginis.map((gini) => {
    least = Math.min(least, scoreOf(gini));
    return least;
  });
  return { ginis, scores };
}

/** Gini at which the scores come down to `limit`; the end where they never do. */
function crossing({ ginis, scores }: Scores, limit: number): number {
  const after = scores.findIndex((score) => score <= limit);
  if (after === 0) return ginis[0] as number;
  if (after < 0) return ginis[ginis.length - 1] as number;
  const [a, b] = [scores[after - 1] as number, scores[after] as number];
  const from = ginis[after - 1] as number;
  return from + ((a - limit) / (a - b)) * ((ginis[after] as number) - from);
}

/** What the inverted test says: the Gini at any score, and curves of possible rates to go with it. */
interface InvertedTest {
  readonly estimate: GiniEstimate;
  /** Gini whose statistic the observed one is this many standard deviations above; the end of what is possible where there is none. */
  readonly at: (score: number) => number;
  readonly worlds: readonly RateCurve[];
}

export const NOTHING_KNOWN: GiniEstimate = { gini: 0, low: 0, high: 1, isIdentified: false };

/** Undefined where even the total is not clear of noise. Throws `invalid-coverage`. */
export function invertedTest(
  forecast: Forecast,
  { random, coverage }: GiniOptions,
): InvertedTest | undefined {
  if (!(coverage > 0 && coverage < 1)) {
    throw new ConcordatError('invalid-coverage', 'give a coverage between 0 and 1');
  }
  const data = countedMeans(forecast.basis.release);
  if (!isTotalClear(data)) return undefined;
  const worlds = drawRates(forecast, data, random).map(curveThrough);
  const z = normalQuantile((1 + coverage) / 2);
  const scores = scoresAround(worlds[0] as RateCurve, data, SHAPE_ERROR * z + BEYOND);
  const at = (score: number): number => crossing(scores, SHAPE_ERROR * score);
  // Nothing is more even than even: there the test has one side only, and no shape.
  const showsAny =
    (scores.ginis[0] as number) > 0 || (scores.scores[0] as number) > normalQuantile(coverage);
  const low = Math.max(at(z), showsAny ? LEAST_SHOWN : 0);
  const high = at(-z) >= highestGini(data) ? 1 : Math.max(low, at(-z));
  const gini = Math.min(high, Math.max(low, at(0)));
  return { estimate: { gini, low, high, isIdentified: low > 0 || high < 1 }, at, worlds };
}

/**
 * Gini of the mean rates of the cells that have a count, with a confidence interval of this `coverage`: both tails alike, but against
 * equal rates one only. Throws `invalid-coverage`.
 */
export const giniUnderNoise = (forecast: Forecast, options: GiniOptions): GiniEstimate =>
  invertedTest(forecast, options)?.estimate ?? NOTHING_KNOWN;
