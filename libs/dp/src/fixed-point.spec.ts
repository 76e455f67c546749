import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { expNegative, naturalLog } from './fixed-point.js';
import { rational } from './rational.js';

const BITS = 200;
const decimal = (digits: string): bigint =>
  (BigInt(digits) << BigInt(BITS)) / 10n ** BigInt(digits.length);

describe('enclosures', () => {
  // First 50 decimals of exp(-1) and ln 2 (OEIS A068985, A002162).
  it.each([
    [expNegative(rational(1n), BITS), '36787944117144232159552377016146086744581113103176'],
    [naturalLog(rational(2n), BITS), '69314718055994530941723212145817656807550013436025'],
  ])('hold the known digits', ({ lo, hi }, digits) => {
    const slack = 1n << BigInt(BITS - 160);
    expect(decimal(digits) - slack <= lo && hi <= decimal(digits) + slack).toBe(true);
    expect(hi - lo).toBeLessThan(16n);
    expect(lo).toBeLessThanOrEqual(hi);
  });

  it('agree with doubles, stay narrow, and exp undoes ln', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 9n), fc.bigInt(1n, 10n ** 6n), (num, den) => {
        const x = rational(num, den);
        const { lo, hi } = expNegative(x, BITS);
        expect(lo).toBeLessThanOrEqual(hi);
        expect(hi - lo).toBeLessThan(16n);
        const log = naturalLog(x, BITS);
        expect(log.hi - log.lo).toBeLessThan(16n);
        expect(Number(log.lo) / 2 ** BITS).toBeCloseTo(Math.log(Number(num) / Number(den)), 9);
        if (x.num > x.den) {
          // exp(-ln x) encloses 1 / x.
          const back = expNegative(rational(log.lo, 1n << BigInt(BITS)), BITS);
          const inverse = (x.den << BigInt(BITS)) / x.num;
          expect(back.lo - 64n <= inverse && inverse <= back.hi + 64n).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('refuses what it cannot compute', () => {
    expect(() => expNegative(rational(-1n), BITS)).toThrow(
      expect.objectContaining({ code: 'negative-argument' }),
    );
    expect(() => naturalLog(rational(0n), BITS)).toThrow(
      expect.objectContaining({ code: 'not-positive' }),
    );
  });
});
