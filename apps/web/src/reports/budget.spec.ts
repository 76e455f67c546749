import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRho, rational, rhoOf, zcdpEpsilon } from '#libs/dp';
import { DELTA, yearWithin } from './budget.js';

describe('budget of a year', () => {
  it('is the largest within an epsilon, in whole thousandths of rho a run', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 60, noNaN: true }),
        fc.integer({ min: 1, max: 54 }),
        (epsilon, runs) => {
          const text = yearWithin(epsilon, runs);
          if (text === undefined) {
            expect(zcdpEpsilon(rhoOf(rational(BigInt(runs), 1000n)), DELTA)).toBeGreaterThan(
              epsilon,
            );
            return;
          }
          const { num, den } = parseRho(text);
          const steps = (num * 1000n) / (den * BigInt(runs));
          expect(num * 1000n).toBe(steps * den * BigInt(runs));
          expect(zcdpEpsilon(parseRho(text), DELTA)).toBeLessThanOrEqual(epsilon);
          const more = rhoOf(rational((steps + 1n) * BigInt(runs), 1000n));
          expect(zcdpEpsilon(more, DELTA)).toBeGreaterThan(epsilon);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is none when the least budget of a run is too dear', () => {
    expect(yearWithin(0.01, 12)).toBeUndefined();
  });
});
