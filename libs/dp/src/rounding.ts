import type { Rational } from './rational.js';

/**
 * Directed rounding for figures shown to people: a privacy loss is rounded up, a precision down. IEEE 754 doubles.
 */
const view = new DataView(new ArrayBuffer(8));

/** The next double above `value`; +Infinity and NaN stay. */
export function nextUp(value: number): number {
  if (Number.isNaN(value) || value === Number.POSITIVE_INFINITY) return value;
  if (value === 0) return Number.MIN_VALUE;
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

/** The next double below `value`. */
export const nextDown = (value: number): number => -nextUp(-value);

const bitLength = (value: bigint): number => value.toString(2).length;

/** The largest double that is at most `value`, which is positive. */
const positiveDown = (num: bigint, den: bigint): number => {
  // 54 quotient bits decide a 53-bit significand; the quotient is floored, then its last bits are cut off.
  const shift = 54 - (bitLength(num) - bitLength(den));
  const quotient = shift >= 0 ? (num << BigInt(shift)) / den : num / (den << BigInt(-shift));
  const excess = BigInt(bitLength(quotient) - 53);
  const significand = Number(quotient >> excess);
  const exponent = Number(excess) - shift;
  if (exponent > 971) return Number.MAX_VALUE;
  // A subnormal result would round to nearest, so its bits are cut by hand.
  if (exponent < -1074) {
    const cut = -1074 - exponent;
    return cut > 53 ? 0 : Math.floor(significand / 2 ** cut) * Number.MIN_VALUE;
  }
  return exponent < -1000
    ? significand * 2 ** -1000 * 2 ** (exponent + 1000)
    : significand * 2 ** exponent;
};

const exactlyBelow = (double: number, num: bigint, den: bigint): boolean => {
  view.setFloat64(0, double);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const significand = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  return exponent >= 0
    ? (significand << BigInt(exponent)) * den < num
    : significand * den < num << BigInt(-exponent);
};

const roundPositive = (value: Rational, up: boolean): number => {
  const down = positiveDown(value.num, value.den);
  return up && exactlyBelow(down, value.num, value.den) ? nextUp(down) : down;
};

/** The smallest double that is at least `value`. */
export function rationalToNumberUp(value: Rational): number {
  if (value.num === 0n) return 0;
  return value.num > 0n
    ? roundPositive(value, true)
    : -roundPositive({ num: -value.num, den: value.den }, false);
}

/** The largest double that is at most `value`. */
export const rationalToNumberDown = (value: Rational): number =>
  value.num === 0n ? 0 : -rationalToNumberUp({ num: -value.num, den: value.den });
