import { ConcordatError } from '#libs/bytes';
import type { Rational } from './rational.js';

/**
 * Enclosures in binary fixed point: a real x with `lo <= x * 2^bits <= hi`. Every operation here rounds its two ends
 * outward, so the width of a result is a proof of its error.
 */
export interface Enclosure {
  readonly lo: bigint;
  readonly hi: bigint;
}

const GUARD_BITS = 64n;

/** Drops `shift` low bits, outward. */
const narrow = (value: Enclosure, shift: bigint): Enclosure => ({
  lo: value.lo >> shift,
  hi: -(-value.hi >> shift),
});

/** `a * b` for enclosures of non-negative reals. */
export const multiplyEnclosures = (a: Enclosure, b: Enclosure, bits: number): Enclosure => ({
  lo: (a.lo * b.lo) >> BigInt(bits),
  hi: -(-(a.hi * b.hi) >> BigInt(bits)),
});

/**
 * exp(-x) for a rational x >= 0. The argument is halved until it is below 2^-8, the alternating Taylor series is summed
 * until its terms vanish (remainder <= the first term left out, which is 0 ulp), and the enclosure is squared back.
 */
export function expNegative(x: Rational, bits: number): Enclosure {
  if (x.num < 0n)
    throw new ConcordatError('negative-argument', 'exp(-x) is computed for x >= 0 only');
  if (x.num === 0n) return { lo: 1n << BigInt(bits), hi: 1n << BigInt(bits) };
  const whole = x.num / x.den;
  // exp(-x) <= 2^-x: far below one ulp.
  if (whole > BigInt(bits)) return { lo: 0n, hi: 1n };
  const halvings = BigInt(whole.toString(2).length + 8);
  const work = BigInt(bits) + GUARD_BITS + halvings;
  const y = (x.num << work) / (x.den << halvings);
  let term = 1n << work;
  let sum = term;
  let terms = 0n;
  while (term !== 0n) {
    terms += 1n;
    term = ((term * y) >> work) / terms;
    sum += terms % 2n === 0n ? term : -term;
  }
  // y is one ulp low at most and each term two ulp; one more ulp for the terms that became 0.
  const error = 2n * terms + 4n;
  let result: Enclosure = { lo: sum - error, hi: sum + error };
  for (let i = 0n; i < halvings; i++) result = multiplyEnclosures(result, result, Number(work));
  return narrow(result, work - BigInt(bits));
}

/** 2 atanh(num / den) for 0 <= num / den <= 1/3, at `work` bits, error at most twice the number of terms + 4 ulp. */
const twiceArtanh = (num: bigint, den: bigint, work: bigint): Enclosure => {
  const z = (num << work) / den;
  const square = (z * z) >> work;
  let power = z;
  let sum = 0n;
  let terms = 0n;
  while (power !== 0n) {
    sum += power / (2n * terms + 1n);
    power = (power * square) >> work;
    terms += 1n;
  }
  const error = 4n * terms + 8n;
  return { lo: 2n * sum - error, hi: 2n * sum + error };
};

/** ln(x) for a rational x > 0: x = 2^k m, ln x = k ln 2 + 2 atanh((m - 1) / (m + 1)), m in [1, 2). */
export function naturalLog(x: Rational, bits: number): Enclosure {
  if (x.num <= 0n)
    throw new ConcordatError('not-positive', 'a logarithm needs an argument above 0');
  const work = BigInt(bits) + GUARD_BITS;
  let k = BigInt(x.num.toString(2).length - x.den.toString(2).length);
  let num = k >= 0n ? x.num : x.num << -k;
  let den = k >= 0n ? x.den << k : x.den;
  if (num < den) {
    num <<= 1n;
    k -= 1n;
  }
  if (num >= 2n * den) {
    den <<= 1n;
    k += 1n;
  }
  const fraction = twiceArtanh(num - den, num + den, work);
  const ln2 = twiceArtanh(1n, 3n, work);
  const whole = k >= 0n ? { lo: k * ln2.lo, hi: k * ln2.hi } : { lo: k * ln2.hi, hi: k * ln2.lo };
  return narrow({ lo: whole.lo + fraction.lo, hi: whole.hi + fraction.hi }, GUARD_BITS);
}
