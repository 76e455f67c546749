import { ConcordatError } from '#libs/bytes';

/**
 * An exact rational in canonical form: `den > 0`, lowest terms, zero is 0/1. Every budget, variance and scale is one;
 * a JavaScript `number` never enters a computation that decides what may be released.
 */
export interface Rational {
  readonly num: bigint;
  readonly den: bigint;
}

/** Longest text `parseRational` reads: about 2 x 400 bits, far over any parameter and too short to stall a process. */
export const MAX_RATIONAL_LENGTH = 240;

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

const greatestCommonDivisor = (a: bigint, b: bigint): bigint => {
  let x = absolute(a);
  let y = absolute(b);
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
};

/** `num / den` in canonical form; both are bigints. Throws `zero-denominator`. */
export function rational(num: bigint, den = 1n): Rational {
  if (den === 0n) {
    throw new ConcordatError('zero-denominator', 'a fraction needs a denominator other than 0');
  }
  const divisor = greatestCommonDivisor(num, den);
  const sign = den < 0n ? -1n : 1n;
  return Object.freeze({ num: (sign * num) / divisor, den: (sign * den) / divisor });
}

export const ZERO: Rational = rational(0n);
export const ONE: Rational = rational(1n);

const CANONICAL = /^(0|-?[1-9][0-9]*)(?:\/([1-9][0-9]*))?$/;

/**
 * Reads the one canonical spelling of a rational: `"3"`, `"-1/8"`, `"7/3"`. Anything else is `malformed-rational`:
 * floats, exponents, `-0`, `2/4`, `3/1`, a sign `+`, white space, leading zeros, non-strings and texts over
 * `MAX_RATIONAL_LENGTH` characters.
 */
export function parseRational(text: unknown): Rational {
  const refuse = (): never => {
    throw new ConcordatError(
      'malformed-rational',
      'give an exact fraction in lowest terms as text, such as "1/8" or "3"',
    );
  };
  if (typeof text !== 'string' || text.length > MAX_RATIONAL_LENGTH) return refuse();
  const match = CANONICAL.exec(text);
  if (!match?.[1]) return refuse();
  const value = rational(BigInt(match[1]), BigInt(match[2] ?? '1'));
  return formatRational(value) === text ? value : refuse();
}

/** The canonical spelling: `"3"`, `"-1/8"`. Inverse of `parseRational`. */
export const formatRational = (value: Rational): string =>
  value.den === 1n ? `${value.num}` : `${value.num}/${value.den}`;

export const addRational = (a: Rational, b: Rational): Rational =>
  rational(a.num * b.den + b.num * a.den, a.den * b.den);

export const subtractRational = (a: Rational, b: Rational): Rational =>
  rational(a.num * b.den - b.num * a.den, a.den * b.den);

export const multiplyRational = (a: Rational, b: Rational): Rational =>
  rational(a.num * b.num, a.den * b.den);

/** `a / b`. Throws `zero-denominator` when `b` is zero. */
export const divideRational = (a: Rational, b: Rational): Rational =>
  rational(a.num * b.den, a.den * b.num);

export const sumRationals = (values: readonly Rational[]): Rational =>
  values.reduce(addRational, ZERO);

/** -1, 0 or 1 as `a` is below, equal to or above `b`. */
export function compareRational(a: Rational, b: Rational): -1 | 0 | 1 {
  const difference = a.num * b.den - b.num * a.den;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export const equalRational = (a: Rational, b: Rational): boolean => compareRational(a, b) === 0;

/** The largest g such that `a` and `b` are integer multiples of g; gcd(a, 0) = |a|. */
export const gcdRational = (a: Rational, b: Rational): Rational =>
  rational(greatestCommonDivisor(a.num * b.den, b.num * a.den), a.den * b.den);

/** The exact value of a finite double (for reporting inputs such as delta). Throws `not-finite`. */
export function rationalFromNumber(value: number): Rational {
  if (!Number.isFinite(value)) {
    throw new ConcordatError('not-finite', 'give a finite number');
  }
  let scaled = value;
  let exponent = 0n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent += 1n;
  }
  return rational(BigInt(scaled), 1n << exponent);
}
