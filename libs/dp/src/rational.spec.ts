import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addRational,
  compareRational,
  divideRational,
  formatRational,
  gcdRational,
  multiplyRational,
  nextDown,
  nextUp,
  parseRational,
  rational,
  rationalFromNumber,
  rationalToNumberDown,
  rationalToNumberUp,
  subtractRational,
} from './index.js';

const value = fc
  .tuple(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.bigInt(1n, 10n ** 30n))
  .map(([num, den]) => rational(num, den));

describe('rationals', () => {
  it('are canonical and come back from text', () => {
    expect(rational(6n, -4n)).toEqual({ num: -3n, den: 2n });
    expect(rational(0n, -7n)).toEqual({ num: 0n, den: 1n });
    fc.assert(
      fc.property(value, (a) => {
        expect(parseRational(formatRational(a))).toEqual(a);
      }),
    );
  });

  it.each([
    '2/4',
    '1/1',
    '-0',
    '0/1',
    '+1',
    '01',
    '1/08',
    '1/0',
    '1/-2',
    ' 1',
    '1 ',
    '1.5',
    '1e3',
    '',
    '/',
    '1/',
    'NaN',
    'Infinity',
    '0x10',
    '1_000',
    '١',
    `1${'0'.repeat(240)}`,
    1,
    1n,
    null,
    undefined,
    ['1'],
  ])('refuses %p', (text) => {
    expect(() => parseRational(text)).toThrow(
      expect.objectContaining({ code: 'malformed-rational' }),
    );
  });

  it('form a field', () => {
    fc.assert(
      fc.property(value, value, value, (a, b, c) => {
        expect(addRational(subtractRational(a, b), b)).toEqual(a);
        expect(multiplyRational(a, addRational(b, c))).toEqual(
          addRational(multiplyRational(a, b), multiplyRational(a, c)),
        );
        if (b.num !== 0n) expect(multiplyRational(divideRational(a, b), b)).toEqual(a);
        expect(compareRational(a, b)).toBe(-compareRational(b, a) + 0);
      }),
    );
    expect(() => divideRational(rational(1n), rational(0n))).toThrow(
      expect.objectContaining({ code: 'zero-denominator' }),
    );
  });

  it('have a greatest common divisor that divides both', () => {
    expect(formatRational(gcdRational(rational(1n, 4n), rational(1n, 5n)))).toBe('1/20');
    expect(formatRational(gcdRational(rational(0n), rational(-3n, 7n)))).toBe('3/7');
    fc.assert(
      fc.property(value, value, (a, b) => {
        fc.pre(a.num !== 0n || b.num !== 0n);
        const g = gcdRational(a, b);
        expect(divideRational(a, g).den).toBe(1n);
        expect(divideRational(b, g).den).toBe(1n);
      }),
    );
  });
});

describe('directed rounding', () => {
  it('encloses a rational in two neighbouring doubles', () => {
    fc.assert(
      fc.property(value, (a) => {
        const up = rationalToNumberUp(a);
        const down = rationalToNumberDown(a);
        expect(compareRational(rationalFromNumber(up), a)).toBeGreaterThanOrEqual(0);
        expect(compareRational(rationalFromNumber(down), a)).toBeLessThanOrEqual(0);
        expect(up === down || nextUp(down) === up).toBe(true);
      }),
    );
  });

  it('gives an exact double back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(rationalToNumberUp(rationalFromNumber(x))).toBe(x + 0);
        expect(rationalToNumberDown(rationalFromNumber(x))).toBe(x + 0);
        expect(nextDown(nextUp(x))).toBe(x + 0);
      }),
    );
    expect(() => rationalFromNumber(Number.NaN)).toThrow(
      expect.objectContaining({ code: 'not-finite' }),
    );
  });
});
