import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { confidenceInterval, measurementInterval, standardError, tellsFromZero } from './index.js';

/** P(|X| <= k) of the discrete Gaussian with parameter sigma^2, by summation. */
function discreteCoverage(sigma2: number, half: number): number {
  let all = 1;
  let inside = 1;
  for (let k = 1; k < 60 * Math.sqrt(sigma2) + 5; k++) {
    const weight = 2 * Math.exp(-(k * k) / (2 * sigma2));
    all += weight;
    if (k <= half) inside += weight;
  }
  return inside / all;
}

describe('intervals', () => {
  it('never promise more than the double arithmetic supports', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.double({ min: 1, max: 1e12, noNaN: true }),
        (estimate, variance) => {
          const { low, high } = confidenceInterval(estimate, variance);
          expect(standardError(variance)).toBeGreaterThan(Math.sqrt(variance));
          expect(high - estimate).toBeGreaterThanOrEqual(1.959963984540054 * Math.sqrt(variance));
          expect(estimate - low).toBeGreaterThanOrEqual(1.959963984540054 * Math.sqrt(variance));
          expect(high - low).toBeLessThan(2 * 1.96 * Math.sqrt(variance) + 1e-5);
        },
      ),
    );
  });

  it.each([0.9, 0.95, 0.99] as const)(
    'of one integer noise cover at least %p, at every scale',
    (confidence) => {
      for (const sigma2 of [1 / 9, 0.25, 0.5, 0.64, 0.81, 1, 2, 4, 6.9, 20, 200, 10_000]) {
        // What the interval promises rests on the continuity-corrected normal: within 0.2 % of the exact sum.
        const { high } = measurementInterval(0, sigma2, confidence);
        expect(discreteCoverage(sigma2, high)).toBeGreaterThan(confidence - 0.002);
        if (sigma2 < 1) {
          const narrow = confidenceInterval(0, sigma2, confidence);
          expect(discreteCoverage(sigma2, narrow.high)).toBeGreaterThan(confidence - 0.002);
        }
      }
    },
  );

  it('are a point for what is known and the whole line for what is not determined', () => {
    expect(confidenceInterval(0, 0)).toEqual({ low: 0, high: 0 });
    expect(confidenceInterval(3, Infinity)).toEqual({ low: -Infinity, high: Infinity });
  });

  it.each([Number.NaN, -1])('refuse variance %p', (variance) => {
    expect(() => confidenceInterval(0, variance)).toThrow(
      expect.objectContaining({ code: 'invalid-variance' }),
    );
  });

  it.each([
    [1.65, 1, true],
    [1.64, 1, false],
    [0, 0, false],
    [1e-9, 0, true],
    [-5, 1, false],
    [Number.NaN, 1, false],
    [1, Number.NaN, false],
  ])('tell %d with standard error %d from zero: %p', (estimate, error, tells) => {
    expect(tellsFromZero(estimate, error)).toBe(tells);
  });
});
