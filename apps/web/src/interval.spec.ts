import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countText, likelyRange } from './interval.js';

describe('count text', () => {
  it.each([
    [34, 2.5, 'About 34 (likely 29 to 39)'],
    [33.6, 2.8, 'About 34 (likely 28 to 40)'],
    [20_011.2, 169, 'About 20,011 (likely 19,679 to 20,343)'],
    [5, 3, 'About 5 (likely 0 to 11)'],
    [4.9, 3, 'Cannot be told from zero (likely 0 to 11)'],
    [0, 2, 'Cannot be told from zero (likely 0 to 4)'],
    [-2.5, 2, 'Cannot be told from zero (likely 0 to 2)'],
    [-9, 2, 'Cannot be told from zero (likely 0)'],
    [7, 0, 'About 7 (likely 7)'],
    [0, 0, 'Cannot be told from zero (likely 0)'],
  ])('%d with standard error %d', (estimate, standardError, text) => {
    expect(countText(estimate, standardError)).toBe(text);
  });

  it('never shows a negative number, and its range holds the unrounded one', () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const error = fc.double({ min: 0, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(number, error, (estimate, standardError) => {
        expect(countText(estimate, standardError)).not.toMatch(/[-−]/);
        const { low, high } = likelyRange(estimate, standardError);
        expect(low).toBeLessThanOrEqual(Math.max(0, estimate - 1.95996 * standardError));
        expect(high).toBeGreaterThanOrEqual(estimate + 1.95996 * standardError);
      }),
    );
  });
});
