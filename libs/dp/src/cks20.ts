import { ConcordatError } from '#libs/bytes';
import type { NoiseSampler } from './inversion-table.js';
import type { RandomSource } from './random.js';
import type { Rational } from './rational.js';

/**
 * The reference samplers: Algorithms 1 to 3 of [CKS20] written straight down on bigint rationals. Slow and exact; tests
 * compare the table samplers with them. Not for releases: the number of steps depends on the noise [JMRO22].
 */

const bitLength = (value: bigint): number => value.toString(2).length;

class UniformIntegers {
  private readonly words = new Uint32Array(4096);
  private at = this.words.length;

  constructor(private readonly random: RandomSource) {}

  private word(): number {
    if (this.at === this.words.length) {
      this.random.fillWords(this.words);
      this.at = 0;
    }
    return this.words[this.at++] as number;
  }

  /** Uniform on 0..bound-1 by rejection. */
  below(bound: bigint): bigint {
    const bits = bitLength(bound - 1n);
    for (;;) {
      let value = 0n;
      let left = bits;
      for (; left >= 32; left -= 32) value = (value << 32n) | BigInt(this.word());
      if (left > 0) value = (value << BigInt(left)) | BigInt(this.word() >>> (32 - left));
      if (value < bound) return value;
    }
  }

  bernoulli(num: bigint, den: bigint): boolean {
    return this.below(den) < num;
  }
}

/** Algorithm 1 of [CKS20]: Bernoulli(exp(-gamma)), gamma = num / den >= 0. */
function bernoulliExp(uniform: UniformIntegers, num: bigint, den: bigint): boolean {
  let left = num;
  for (; left > den; left -= den) {
    if (!bernoulliExp(uniform, 1n, 1n)) return false;
  }
  let k = 1n;
  while (uniform.bernoulli(left, den * k)) k += 1n;
  return k % 2n === 1n;
}

/** Algorithm 2 of [CKS20]: discrete Laplace of scale t / s. */
function drawLaplace(uniform: UniformIntegers, t: bigint, s: bigint): bigint {
  for (;;) {
    const u = uniform.below(t);
    if (!bernoulliExp(uniform, u, t)) continue;
    let v = 0n;
    while (bernoulliExp(uniform, 1n, 1n)) v += 1n;
    const y = (u + t * v) / s;
    const negative = uniform.below(2n) === 1n;
    if (negative && y === 0n) continue;
    return negative ? -y : y;
  }
}

/** Algorithm 3 of [CKS20]: discrete Gaussian, by rejection from a discrete Laplace of scale t = floor(sigma) + 1. */
function drawGaussian(uniform: UniformIntegers, sigma2: Rational, t: bigint): bigint {
  const { num, den } = sigma2;
  for (;;) {
    const y = drawLaplace(uniform, t, 1n);
    const magnitude = y < 0n ? -y : y;
    // gamma = (|y| - sigma^2 / t)^2 / (2 sigma^2), over the common denominator 2 num den t^2.
    const distance = magnitude * t * den - num;
    if (bernoulliExp(uniform, distance * distance, 2n * num * den * t * t)) return y;
  }
}

const sampler = (draw: (uniform: UniformIntegers) => bigint): NoiseSampler => ({
  sampleInto(out, random) {
    const uniform = new UniformIntegers(random);
    for (let i = 0; i < out.length; i++) {
      const value = draw(uniform);
      if (BigInt.asIntN(32, value) !== value) {
        throw new ConcordatError('noise-overflow', 'a draw does not fit 32 bits');
      }
      out[i] = Number(value);
    }
  },
});

/** Reference sampler of N_Z(0, sigma^2). Throws `bad-variance` unless sigma^2 > 0. */
export function referenceGaussian({ sigma2 }: { readonly sigma2: Rational }): NoiseSampler {
  if (sigma2.num <= 0n)
    throw new ConcordatError('bad-variance', 'sigma^2 is an exact rational above 0');
  let t = 1n;
  while (t * t * sigma2.den <= sigma2.num) t *= 2n;
  // floor(sigma) + 1 by bisection on (t / 2, t].
  let low = t / 2n;
  while (t - low > 1n) {
    const middle = (low + t) / 2n;
    if (middle * middle * sigma2.den <= sigma2.num) low = middle;
    else t = middle;
  }
  const above = t;
  return sampler((uniform) => drawGaussian(uniform, sigma2, above));
}

/** Reference sampler of the discrete Laplace distribution of this scale. Throws `bad-scale` unless scale > 0. */
export function referenceLaplace({ scale }: { readonly scale: Rational }): NoiseSampler {
  if (scale.num <= 0n)
    throw new ConcordatError('bad-scale', 'the scale is an exact rational above 0');
  return sampler((uniform) => drawLaplace(uniform, scale.num, scale.den));
}
