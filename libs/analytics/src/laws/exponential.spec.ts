import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fillExponentials } from './exponential.js';

const UNIT = 2 ** -52;

function exponential(x: number): number {
  const values = new Float64Array(3);
  fillExponentials(values, Float64Array.of(-1, x, -1), 1, 2);
  expect([values[0], values[2]]).toEqual([0, 0]);
  return values[1] as number;
}

it.each([
  // Of these very doubles, by decimal arithmetic of 40 digits.
  [-0.1, 0.9048374180359596],
  [-0.5, 0.6065306597126334],
  [-1, 0.36787944117144233],
  [-2.5, 0.0820849986238988],
  [-10, 4.5399929762484854e-5],
  [-30, 9.357622968840175e-14],
  [-39.9, 4.695157572631196e-18],
])('exp(%d)', (x, expected) => {
  expect(Math.abs(exponential(x) / expected - 1)).toBeLessThanOrEqual(UNIT);
});

it('is the exponential function of the engine to a unit in the last place or two, everywhere up to 0', () => {
  const isNear = (x: number): boolean =>
    Math.abs(exponential(x) - Math.exp(x)) <= 2 * UNIT * Math.exp(x);
  fc.assert(fc.property(fc.double({ min: -45, max: 0, noNaN: true }), isNear), { numRuns: 5000 });
  // Where the source takes another path, and where the next power of two begins.
  for (let k = 0; k < 64; k++) {
    const border = -(k + 0.5) * Math.LN2;
    for (const part of [-1e-12, -1e-15, 0, 1e-15, 1e-12]) {
      expect(isNear(border * (1 + part))).toBe(true);
    }
  }
});

it('is 1 at 0, 0 below all, and not a number of what is none', () => {
  expect(exponential(0)).toBe(1);
  expect(exponential(-1e-300)).toBe(1);
  expect(exponential(Number.NEGATIVE_INFINITY)).toBe(0);
  expect(exponential(Number.NaN)).toBeNaN();
});
