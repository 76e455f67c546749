/** Draws for Monte Carlo: null worlds and posteriors (never for noise: that is `libs/dp`). */
import gammaln from '@stdlib/math-base-special-gammaln';
import type { RandomSource } from '#libs/dp';

const FIRST_WORDS = 32;
const MOST_WORDS = 4096;

/** Uniform doubles in (0, 1) from 32-bit words: (word + 1/2) / 2^32. The buffer grows with use, so that few draws are cheap. */
export function uniforms(random: RandomSource): () => number {
  let words = new Uint32Array(FIRST_WORDS);
  let next = words.length;
  let filled = false;
  return () => {
    if (next === words.length) {
      if (filled && next < MOST_WORDS) words = new Uint32Array(2 * next);
      filled = true;
      random.fillWords(words);
      next = 0;
    }
    return ((words[next++] as number) + 0.5) / 2 ** 32;
  };
}

/** Means up to here are inverted term by term. */
const INVERSION_MEAN = 12;

/** One Poisson draw: inversion for small means, rejection PTRS (Hormann 1993) for large ones. */
export function poissonDraw(mean: number, uniform: () => number): number {
  if (mean <= 0) return 0;
  if (mean < INVERSION_MEAN) {
    let left = uniform();
    let term = Math.exp(-mean);
    let k = 0;
    while (left > term) {
      left -= term;
      k++;
      term *= mean / k;
      if (term < 1e-300) break;
    }
    return k;
  }
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const log = Math.log((v * inverseAlpha) / (a / (us * us) + b));
    if (log <= k * Math.log(mean) - mean - gammaln(k + 1)) return k;
  }
}

/** Independent Poisson counts with the given means. */
export function poissonDraws(means: Float64Array, random: RandomSource): Float64Array {
  const uniform = uniforms(random);
  return means.map((mean) => poissonDraw(mean, uniform));
}

/** One standard normal draw (Box and Muller 1958). */
export const normalDraw = (uniform: () => number): number =>
  Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

/** One gamma draw of scale 1 (Marsaglia and Tsang 2000; shapes below 1 through shape + 1). */
export function gammaDraw(shape: number, uniform: () => number): number {
  if (shape < 1) return gammaDraw(shape + 1, uniform) * uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normalDraw(uniform);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
