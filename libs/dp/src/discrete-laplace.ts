import { ConcordatError } from '#libs/bytes';
import { type Enclosure, expNegative, multiplyEnclosures } from './fixed-point.js';
import { inversionSampler, type NoiseSampler, WEIGHT_BITS } from './inversion-table.js';
import { type Rational, rational } from './rational.js';

/**
 * The discrete Laplace distribution (two-sided geometric): P(x) proportional to exp(-|x| / scale) on the integers. A count of
 * L1 sensitivity Delta plus this noise is (Delta / scale, 0)-differentially private.
 */

/** exp(-174) < 2^-250: the tail of a geometric distribution beyond 174 scales. */
const TAIL_SCALES = 174n;
/** Scales up to here have one table of +-174 scales; wider ones are put together from four short tables. */
const ONE_TABLE_SCALE = 1024n;
/** Largest scale: the noise stays within +-174 * 2^23 < 2^31. */
export const MAX_SCALE = 1n << 23n;

/** Weights q^0 .. q^(count-1), q = exp(-1 / scale), as enclosures, by repeated multiplication. */
function geometricWeights(inverseScale: Rational, count: number) {
  const ratio = expNegative(inverseScale, WEIGHT_BITS);
  const weights: bigint[] = [];
  let width = 0n;
  let weight: Enclosure = expNegative(rational(0n), WEIGHT_BITS);
  for (let k = 0; k < count; k++) {
    weights.push(weight.lo);
    width += weight.hi - weight.lo;
    weight = multiplyEnclosures(weight, ratio, WEIGHT_BITS);
  }
  return { weights, width };
}

const tailCount = (scale: Rational): number => Number((TAIL_SCALES * scale.num) / scale.den) + 2;

/**
 * Two exact facts keep tables short for wide scales. A geometric variable G (P(k) proportional to q^k, k >= 0) is low + m high
 * with independent parts: low on 0..m-1 with weights q^low, high geometric of ratio q^m. And the difference of two
 * independent G is discrete Laplace: sum_k q^(k+x) q^k is proportional to q^|x|.
 */
function wideLaplace(scale: Rational): NoiseSampler {
  const modulus = 1 << 13;
  const low = inversionSampler({
    first: 0,
    ...geometricWeights(rational(scale.den, scale.num), modulus),
  });
  const highScale = rational(scale.num, scale.den * BigInt(modulus));
  const high = inversionSampler({
    first: 0,
    ...geometricWeights(rational(highScale.den, highScale.num), tailCount(highScale)),
  });
  return {
    sampleInto(out, random) {
      const part = new Int32Array(out.length);
      low.sampleInto(out, random);
      for (const [sampler, factor] of [
        [low, -1],
        [high, modulus],
        [high, -modulus],
      ] as const) {
        sampler.sampleInto(part, random);
        for (let i = 0; i < out.length; i++) {
          out[i] = (out[i] as number) + factor * (part[i] as number);
        }
      }
    },
  };
}

/**
 * A sampler of the discrete Laplace distribution, exact to 2^-240 per draw. Throws `bad-scale` unless scale > 0 and
 * `parameter-too-wide` above `MAX_SCALE`.
 */
export function discreteLaplace({ scale }: { readonly scale: Rational }): NoiseSampler {
  if (scale.num <= 0n || scale.den <= 0n) {
    throw new ConcordatError('bad-scale', 'the scale is an exact rational above 0');
  }
  if (scale.num > MAX_SCALE * scale.den) {
    throw new ConcordatError('parameter-too-wide', 'the scale is above 2^23: use more budget');
  }
  if (scale.num > ONE_TABLE_SCALE * scale.den) return wideLaplace(scale);
  const { weights, width } = geometricWeights(rational(scale.den, scale.num), tailCount(scale));
  return inversionSampler({
    first: 1 - weights.length,
    weights: [...weights.slice(1).reverse(), ...weights],
    width: 2n * width,
  });
}
