import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '#libs/testing';
import { expNegative } from './fixed-point.js';
import {
  discreteGaussian,
  discreteLaplace,
  parseRational,
  type RandomSource,
  rational,
} from './index.js';
import { inversionSampler } from './inversion-table.js';

/** Serves the given words, then refuses: shows how many words a draw takes. */
function script(words: readonly number[]): RandomSource & { readonly left: () => number } {
  let at = 0;
  return {
    fillWords(out) {
      if (at + out.length > words.length) throw new Error('more words asked than scripted');
      for (let i = 0; i < out.length; i++) out[i] = words[at++] as number;
    },
    left: () => words.length - at,
  };
}

/** U -> smallest x with U / 2^288 < CDF(x), from weights at another precision and by plain summation. */
function exactInverse(sigma2: string): (uniform: bigint) => number {
  const { num, den } = parseRational(sigma2);
  const half = Math.ceil(20 * Math.sqrt(Number(num) / Number(den))) + 1;
  const cumulative: bigint[] = [];
  let sum = 0n;
  for (let x = -half; x <= half; x++) {
    sum += expNegative(rational(BigInt(x * x) * den, 2n * num), 600).lo;
    cumulative.push(sum);
  }
  return (uniform) => cumulative.findIndex((c) => uniform * sum < c << 288n) - half;
}

describe('lazy-precision table inversion', () => {
  it.each(['4', '7/3', '1/9', '100'])(
    'maps 288 bits as the exact CDF does, sigma^2 = %s',
    (sigma2) => {
      const sampler = discreteGaussian({ sigma2: parseRational(sigma2) });
      const invert = exactInverse(sigma2);
      const out = new Int32Array(1);
      const word = fc.oneof(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff),
      );
      fc.assert(
        fc.property(fc.array(word, { minLength: 9, maxLength: 9 }), (words) => {
          const source = script(words);
          sampler.sampleInto(out, source);
          const uniform = words.reduce((u, w) => (u << 32n) | BigInt(w), 0n);
          expect(out[0]).toBe(invert(uniform));
          expect([0, 8]).toContain(source.left());
        }),
        { numRuns: 60 },
      );
    },
  );

  it('settles a word that equals an entry by all 288 bits, on both sides of the entry', () => {
    // Weights 1 : 2: the first entry is 2^288 / 3 = 0x55..55 repeated.
    const third = { first: 7, weights: [1n << 400n, 1n << 401n], width: 0n };
    const sampler = inversionSampler(third);
    const fives = new Array(8).fill(0x55555555);
    const out = new Int32Array(1);
    sampler.sampleInto(out, script([0x55555555, ...fives.slice(1), 0x55555554]));
    expect(out[0]).toBe(7);
    sampler.sampleInto(out, script([0x55555555, ...fives]));
    expect(out[0]).toBe(8);
    sampler.sampleInto(out, script([0x55555554]));
    expect(out[0]).toBe(7);
    sampler.sampleInto(out, script([0x55555556]));
    expect(out[0]).toBe(8);
  });

  it('draws the same however a vector is cut into calls', () => {
    const sampler = discreteLaplace({ scale: rational(10n) });
    const whole = new Int32Array(40_000);
    sampler.sampleInto(whole, seededRandom('cut'));
    const pieces = new Int32Array(40_000);
    const random = seededRandom('cut');
    for (const [from, to] of [
      [0, 1],
      [1, 1],
      [1, 16_386],
      [16_386, 40_000],
    ]) {
      sampler.sampleInto(pieces.subarray(from, to), random);
    }
    expect(pieces).toEqual(whole);
  });

  it('refuses weights whose error could reach the CDF', () => {
    expect(() => inversionSampler({ first: 0, weights: [1n << 200n], width: 1n })).toThrow(
      expect.objectContaining({ code: 'precision-exhausted' }),
    );
  });

  it('builds wide tables: sigma^2 = 10^8 stays within 20 sigma and spreads as it should', () => {
    const out = new Int32Array(20_000);
    discreteGaussian({ sigma2: rational(10n ** 8n) }).sampleInto(out, seededRandom('wide'));
    expect(Math.max(...out.map(Math.abs))).toBeLessThan(200_000);
    const variance = out.reduce((sum, x) => sum + x * x, 0) / out.length;
    // Standard error of the variance estimate: 1 %; 5 of them.
    expect(Math.abs(variance / 1e8 - 1)).toBeLessThan(0.05);
  });
});
