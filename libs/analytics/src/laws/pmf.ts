/**
 * Distributions on the integers as tables: the exact law of the noise in a sum of released counts, and of a count with
 * that noise on it. Everything is a sum of positive terms, so tails keep their relative precision.
 */
import { ConcordatError } from '#libs/bytes';

/** P(X = first + i) = weights[i]; the weights sum to 1 up to rounding. */
export interface Pmf {
  readonly first: number;
  readonly weights: Float64Array;
}

/**
 * How a node noised one count. Discrete Laplace: P(x) proportional to exp(-epsilon |x|); discrete Gaussian: P(x)
 * proportional to exp(-x^2 / (2 sigma2)) [Canonne, Kamath, Steinke 2020, Definition 1 and Section 5].
 */
export type NoiseLaw =
  | { readonly mechanism: 'discrete-laplace'; readonly epsilon: number }
  | { readonly mechanism: 'discrete-gaussian'; readonly sigma2: number }
  | { readonly mechanism: 'none' };

/** Probabilities below this are cut off at the ends of a table. */
const CUT_OFF = 1e-40;
/** Outcomes of the widest table. */
const MOST_OUTCOMES = 1 << 16;
/** Products of all convolutions of a sum together: about half a second. */
const MOST_PRODUCTS = 2 ** 29;

const trimmed = ({ first, weights }: Pmf): Pmf => {
  let from = 0;
  let to = weights.length;
  while (from < to - 1 && (weights[from] as number) < CUT_OFF) from++;
  while (to > from + 1 && (weights[to - 1] as number) < CUT_OFF) to--;
  return { first: first + from, weights: weights.slice(from, to) };
};

const tooWide = (): ConcordatError =>
  new ConcordatError(
    'noise-too-wide',
    'the noise has too many outcomes to convolve exactly: use more budget, fewer terms or a coarser resolution',
  );

const checkWidth = (outcomes: number): void => {
  if (outcomes > MOST_OUTCOMES) throw tooWide();
};

const checkProducts = (outcomes: number, others: number): void => {
  checkWidth(outcomes + others);
  if (outcomes * others > MOST_PRODUCTS) throw tooWide();
};

function symmetricPmf(half: number, weight: (k: number) => number): Pmf {
  checkWidth(2 * half + 1);
  const weights = new Float64Array(2 * half + 1);
  let total = weight(0);
  for (let k = half; k > 0; k--) total += 2 * weight(k);
  for (let k = -half; k <= half; k++) weights[k + half] = weight(Math.abs(k)) / total;
  return trimmed({ first: -half, weights });
}

/** No noise term is further from 0 than this, but for a share of about 1e-40. Throws `invalid-noise`. */
export function noiseReach(law: NoiseLaw): number {
  if (law.mechanism === 'none') return 0;
  const parameter = law.mechanism === 'discrete-laplace' ? law.epsilon : law.sigma2;
  if (!(parameter > 0) || !Number.isFinite(parameter)) {
    throw new ConcordatError('invalid-noise', 'epsilon and sigma2 are finite numbers above 0');
  }
  const reach = -Math.log(CUT_OFF);
  return Math.ceil(
    law.mechanism === 'discrete-laplace' ? reach / parameter : Math.sqrt(2 * parameter * reach),
  );
}

/** Law of one noise term. Throws `invalid-noise`, `noise-too-wide`. */
export function noisePmf(law: NoiseLaw): Pmf {
  if (law.mechanism === 'none') return { first: 0, weights: Float64Array.of(1) };
  const half = noiseReach(law);
  return law.mechanism === 'discrete-laplace'
    ? symmetricPmf(half, (k) => Math.exp(-law.epsilon * k))
    : symmetricPmf(half, (k) => Math.exp((-k * k) / (2 * law.sigma2)));
}

/** Variance of one noise term: 2 q / (1 - q)^2 with q = exp(-epsilon) for discrete Laplace. */
export function noiseVariance(law: NoiseLaw): number {
  if (law.mechanism === 'none') return 0;
  if (law.mechanism === 'discrete-laplace') return 0.5 / Math.sinh(law.epsilon / 2) ** 2;
  const { first, weights } = noisePmf(law);
  return weights.reduce((sum, weight, i) => sum + weight * (first + i) ** 2, 0);
}

/** Law of the sum of two independent variables. Throws `noise-too-wide`. */
export function convolve(a: Pmf, b: Pmf): Pmf {
  checkProducts(a.weights.length, b.weights.length);
  const weights = new Float64Array(a.weights.length + b.weights.length - 1);
  for (let i = 0; i < a.weights.length; i++) {
    const weight = a.weights[i] as number;
    for (let j = 0; j < b.weights.length; j++) {
      weights[i + j] = (weights[i + j] as number) + weight * (b.weights[j] as number);
    }
  }
  return trimmed({ first: a.first + b.first, weights });
}

/** Outcomes this many standard deviations out have more than `CUT_OFF` in every sum: noise has no lighter tails than a normal law. */
const LEAST_DEVIATIONS = 12.5;

/** Refuses at once what the doubling would take too long for: its tables are at least this wide. */
function checkCopies({ first, weights }: Pmf, terms: number): void {
  const mean = weights.reduce((sum, weight, i) => sum + weight * (first + i), 0);
  const variance = weights.reduce((sum, weight, i) => sum + weight * (first + i - mean) ** 2, 0);
  const leastWidth = (copies: number): number =>
    Math.min(copies * (weights.length - 1), 2 * LEAST_DEVIATIONS * Math.sqrt(copies * variance));
  checkWidth(leastWidth(terms));
  let products = 0;
  let done = 0;
  for (let power = 1, left = terms; left > 0; power *= 2, left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      products += leastWidth(done) * leastWidth(power);
      done += power;
    }
    if (left > 1) products += leastWidth(power) ** 2;
  }
  if (products > MOST_PRODUCTS) throw tooWide();
}

/** Law of the sum of `terms` independent copies of a noise, by repeated doubling. Throws `invalid-terms`, `noise-too-wide`. */
export function sumOfCopies(pmf: Pmf, terms: number): Pmf {
  if (!Number.isInteger(terms) || terms < 0) {
    throw new ConcordatError('invalid-terms', 'the number of noise terms is a whole number >= 0');
  }
  checkCopies(pmf, terms);
  let sum: Pmf = { first: 0, weights: Float64Array.of(1) };
  let power = pmf;
  for (let left = terms; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) sum = convolve(sum, power);
    if (left > 1) power = convolve(power, power);
  }
  return sum;
}
