import { describe, expect, it } from '@jest/globals';
import { normalQuantile, normalTwoSided, normalUpperTail } from './normal.js';

// mpmath, 50 digits: erfc(z / sqrt 2) / 2.
const TAILS: [number, number][] = [
  [0, 0.5],
  [1, 0.15865525393145705],
  [1.96, 0.02499789514822043],
  [5, 2.866515718791939e-7],
  [10, 7.61985302416053e-24],
  [30, 4.906713927148187e-198],
];

describe('the normal distribution', () => {
  it.each(TAILS)('has the upper tail of z = %d to 13 digits', (z, tail) => {
    expect(Math.abs(normalUpperTail(z) / tail - 1)).toBeLessThan(1e-13);
    expect(normalTwoSided(-z) / (2 * tail)).toBeCloseTo(1, 13);
  });

  it('has the quantiles of scipy.stats.norm.ppf', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 13);
    expect(normalQuantile(0.01)).toBeCloseTo(-2.3263478740408408, 13);
    expect(normalQuantile(1e-10)).toBeCloseTo(-6.361340902404056, 12);
  });
});
