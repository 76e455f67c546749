/**
 * Differential privacy of linked counts. One person moves the count of each key by at most 1 (`onePerPerson`), so a vector
 * of k counts has L1 sensitivity k. Two independent noises, neither of which anyone can take off alone:
 * the nodes' common dummies hide the count from the counter, the counter's noise hides it from the nodes and the world.
 */
import { ConcordatError } from '#libs/bytes';
import {
  discreteLaplace,
  divideRational,
  type RandomSource,
  type Rational,
  rational,
} from '#libs/dp';

/**
 * Dummies are this many scales more than their noise, so that a negative draw needs no removal of people: it is cut off
 * with probability below e^-20 per count, which is the delta of the counter's view.
 */
const SHIFT_SCALES = 20n;

/** Noise of a vector of `counts` counts under `epsilon` in total. */
export interface CountNoise {
  /** Scale of each count's discrete Laplace noise: counts / epsilon. */
  readonly scale: Rational;
  /** Known mean of the dummies of each count, subtracted from the released count. */
  readonly dummyMean: number;
}

const dummyMeanOf = (scale: Rational): number =>
  Number((SHIFT_SCALES * scale.num + scale.den - 1n) / scale.den);

/** Plans the noise. Throws `bad-epsilon`, `bad-count`. */
export function planCountNoise(epsilon: Rational, counts: number): CountNoise {
  if (epsilon.num <= 0n)
    throw new ConcordatError('bad-epsilon', 'epsilon is an exact rational above 0');
  if (!Number.isSafeInteger(counts) || counts < 1) {
    throw new ConcordatError('bad-count', 'at least one count is released');
  }
  const scale = divideRational(rational(BigInt(counts)), epsilon);
  return { scale, dummyMean: dummyMeanOf(scale) };
}

/** Steps of a scale that is found for a rho: finer than any error that matters, coarse enough for a short sampler. */
const SCALE_STEPS = 1024n;

/** The least integer whose square is at least `value`. */
function ceilRoot(value: bigint): bigint {
  if (value <= 0n) return 0n;
  let root = BigInt(Math.ceil(Math.sqrt(Number(value)))) + 1n;
  while ((root - 1n) * (root - 1n) >= value) root--;
  while (root * root < value) root++;
  return root;
}

/**
 * Noise of `counts` numbers, each of which one person moves by at most 1, that together cost at most `rho` of zCDP. Noise of scale b
 * makes a number (1/b)-differentially private, which is 1/(2 b^2)-zCDP, and these add up ([BS16] proposition 1.4, lemma 1.7):
 * b = sqrt(counts / (2 rho)), rounded up to a multiple of 1/1024. Throws `bad-epsilon`, `bad-count`.
 */
export function planRhoNoise(rho: Rational, counts: number): CountNoise {
  if (rho.num <= 0n) throw new ConcordatError('bad-epsilon', 'rho is an exact rational above 0');
  if (!Number.isSafeInteger(counts) || counts < 1) {
    throw new ConcordatError('bad-count', 'at least one count is released');
  }
  const square = SCALE_STEPS * SCALE_STEPS * BigInt(counts) * rho.den;
  const scale = rational(ceilRoot((square + 2n * rho.num - 1n) / (2n * rho.num)), SCALE_STEPS);
  return { scale, dummyMean: dummyMeanOf(scale) };
}

const draw = (scale: Rational, length: number, random: RandomSource): Int32Array => {
  const noise = new Int32Array(length);
  discreteLaplace({ scale }).sampleInto(noise, random);
  return noise;
};

/**
 * How many dummies both nodes add to each set. `random` must be the same stream at both: they derive it from the seed that
 * they share for the query.
 */
export const drawDummyCounts = (
  plan: CountNoise,
  counts: number,
  shared: RandomSource,
): Int32Array =>
  draw(plan.scale, counts, shared).map((noise) => Math.max(0, plan.dummyMean + noise));

/** What the counter releases: shared labels less the dummies' known mean, plus its own noise. Unbiased; may be negative. */
export function releaseCounts(
  shared: readonly number[],
  plan: CountNoise,
  random: RandomSource,
): Int32Array {
  const noise = draw(plan.scale, shared.length, random);
  return noise.map((value, i) => value + (shared[i] as number) - plan.dummyMean);
}

/** Variance of one released count: two discrete Laplace noises, 2 q / (1 - q)^2 each, q = e^(-1 / scale). */
export function noiseVariance({ scale }: CountNoise): number {
  const q = Math.exp(-Number(scale.den) / Number(scale.num));
  return (2 * 2 * q) / (1 - q) ** 2;
}
