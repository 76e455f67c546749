import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from './random.js';

/**
 * Lazy-precision table inversion: one uniform 32-bit word decides a draw through a guide table, unless the word equals
 * the top word of an entry of the cumulative distribution; then 256 more bits are drawn and compared with all 288 bits.
 * So a draw is exactly that of a uniform 288-bit integer U mapped to the smallest i with U < CDF[i].
 *
 * Error per draw (total variation): each entry of the CDF is off by at most 2 ulp of 2^-288 and there are at most 2^21,
 * plus the mass of the cut tail, which callers keep below 2^-250: together below 2^-240.
 *
 * Time: a draw does not loop over its magnitude. Which of the three branches it takes depends on the word, about 1 in
 * 2^32 / entries for the slowest; vectors are drawn in bulk before counts are read [JMRO22].
 */
const CDF_BITS = 288;
/** Fixed-point precision of the weights a table is built from. */
export const WEIGHT_BITS = 416;
/** Largest number of outcomes a table may have: about 100 MB while it is built. */
const MAX_OUTCOMES = 1 << 21;

const EXTRA_WORDS = (CDF_BITS - 32) / 32;
const CHUNK_WORDS = 1 << 14;
const UNDECIDED = -0x80000000;

/** Draws independent integers of one fixed distribution. */
export interface NoiseSampler {
  /** Fills `out` with independent draws; every word comes from `random`. */
  sampleInto(out: Int32Array, random: RandomSource): void;
}

/**
 * Weights of the consecutive outcomes `first, first + 1, ...` as lower ends in `WEIGHT_BITS` fixed point; `width` is the sum
 * of (upper end - lower end) over all of them.
 */
export interface OutcomeWeights {
  readonly first: number;
  readonly weights: readonly bigint[];
  readonly width: bigint;
}

const cumulate = ({ weights, width }: OutcomeWeights): bigint[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  // |S_i / S_n - truth| <= 2 width / S_n must stay below one ulp of the CDF.
  if ((2n * width) << BigInt(CDF_BITS) >= total) {
    throw new ConcordatError(
      'precision-exhausted',
      'these parameters need wider arithmetic than the sampler carries',
    );
  }
  let sum = 0n;
  return weights.map((weight) => {
    sum += weight;
    return (sum << BigInt(CDF_BITS)) / total;
  });
};

/** Builds the sampler. Throws `parameter-too-wide` over `MAX_OUTCOMES`, `precision-exhausted` (never with ours). */
export function inversionSampler(outcomes: OutcomeWeights): NoiseSampler {
  const { first } = outcomes;
  const count = outcomes.weights.length;
  if (count > MAX_OUTCOMES) {
    throw new ConcordatError(
      'parameter-too-wide',
      'this noise is too wide for a table: ask for more privacy budget',
    );
  }
  const cdf = cumulate(outcomes);
  const top = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const word = Number((cdf[i] ?? 0n) >> BigInt(CDF_BITS - 32));
    // The last entry is 2^288: every word is at most its stand-in, and equality is settled by the full comparison.
    top[i] = Math.min(word, 0xffffffff);
  }

  const guideBits = Math.min(20, Math.max(10, Math.ceil(Math.log2(count)) + 5));
  const shift = 32 - guideBits;
  const decided = new Int32Array(2 ** guideBits);
  const start = new Uint32Array(2 ** guideBits + 1);
  let at = 0;
  for (let bucket = 0; bucket < decided.length; bucket++) {
    start[bucket] = at;
    decided[bucket] = first + at;
    while (at < count && (top[at] ?? 0) >>> shift === bucket) {
      decided[bucket] = UNDECIDED;
      at++;
    }
  }
  start[decided.length] = count - 1;

  const extra = new Uint32Array(EXTRA_WORDS);
  const compareAllBits = (word: number, random: RandomSource): number => {
    random.fillWords(extra);
    let uniform = BigInt(word);
    for (const more of extra) uniform = (uniform << 32n) | BigInt(more);
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (uniform < (cdf[middle] ?? 0n)) high = middle;
      else low = middle + 1;
    }
    return first + low;
  };
  const search = (word: number, random: RandomSource): number => {
    const bucket = word >>> shift;
    let low = start[bucket] ?? 0;
    let high = start[bucket + 1] ?? 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (word <= (top[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return top[low] === word ? compareAllBits(word, random) : first + low;
  };

  return {
    sampleInto(out, random) {
      const words = new Uint32Array(Math.min(CHUNK_WORDS, out.length));
      for (let offset = 0; offset < out.length; offset += words.length) {
        const chunk =
          out.length - offset < words.length ? words.subarray(0, out.length - offset) : words;
        random.fillWords(chunk);
        for (let i = 0; i < chunk.length; i++) {
          const word = chunk[i] as number;
          const value = decided[word >>> shift] as number;
          out[offset + i] = value === UNDECIDED ? search(word, random) : value;
        }
      }
      words.fill(0);
      extra.fill(0);
    },
  };
}
