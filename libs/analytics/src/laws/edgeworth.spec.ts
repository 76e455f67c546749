import { describe, expect, it } from '@jest/globals';
import { edgeworthLimit, edgeworthTwoSided, noiseCumulants } from './edgeworth.js';
import { normalTwoSided } from './normal.js';
import { type NoiseLaw, noisePmf, sumOfCopies } from './pmf.js';

const laplace = (epsilon: number): NoiseLaw => ({ mechanism: 'discrete-laplace', epsilon });

/** Cumulants by summing over the table of outcomes. */
function byTable(law: NoiseLaw) {
  const { first, weights } = noisePmf(law);
  const moment = (power: number) =>
    weights.reduce((sum, weight, i) => sum + weight * (first + i) ** power, 0);
  const [m2, m4, m6] = [moment(2), moment(4), moment(6)] as [number, number, number];
  return { second: m2, fourth: m4 - 3 * m2 ** 2, sixth: m6 - 15 * m4 * m2 + 30 * m2 ** 3 };
}

describe('noiseCumulants', () => {
  it.each([0.1, 0.7, 2])('has the closed form of discrete Laplace at epsilon %d', (epsilon) => {
    const closed = noiseCumulants(laplace(epsilon));
    const summed = byTable(laplace(epsilon));
    expect(closed.second / summed.second).toBeCloseTo(1, 10);
    expect(closed.fourth / summed.fourth).toBeCloseTo(1, 9);
    expect(closed.sixth / summed.sixth).toBeCloseTo(1, 8);
  });

  it('knows that a discrete Gaussian has nearly no excess', () => {
    const { second, fourth } = noiseCumulants({ mechanism: 'discrete-gaussian', sigma2: 50 });
    expect(second).toBeCloseTo(50, 9);
    expect(Math.abs(fourth)).toBeLessThan(1e-6);
    expect(noiseCumulants({ mechanism: 'none' })).toEqual({ second: 0, fourth: 0, sixth: 0 });
  });
});

describe('edgeworthTwoSided', () => {
  it('meets the exact tail of a sum of eight Laplace terms where the normal law is 40 % off', () => {
    const law = laplace(0.1);
    const { second, fourth, sixth } = noiseCumulants(law);
    const cumulants = { second: 8 * second, fourth: 8 * fourth, sixth: 8 * sixth };
    const { first, weights } = sumOfCopies(noisePmf(law), 8);
    const x = 103;
    let exact = 0;
    weights.forEach((weight, i) => {
      if (Math.abs(first + i) >= x) exact += weight;
    });
    // Half a step back: the sum is whole, the series continuous.
    expect(Math.abs(edgeworthTwoSided(x - 0.5, cumulants) / exact - 1)).toBeLessThan(0.02);
    expect(normalTwoSided((x - 0.5) / Math.sqrt(cumulants.second)) / exact).toBeLessThan(0.75);
  });

  it('is the normal law without higher cumulants, and settles the degenerate case', () => {
    expect(edgeworthTwoSided(-6, { second: 9, fourth: 0, sixth: 0 })).toBe(normalTwoSided(2));
    expect(edgeworthTwoSided(0, { second: 0, fourth: 0, sixth: 0 })).toBe(1);
    expect(edgeworthTwoSided(1, { second: 0, fourth: 0, sixth: 0 })).toBe(0);
  });
});

describe('edgeworthLimit', () => {
  it.each([0.01, 0.05, 0.4])('is exceeded with probability %d', (share) => {
    const noise = noiseCumulants(laplace(0.3));
    const cumulants = {
      second: noise.second + 9,
      fourth: noise.fourth + 9,
      sixth: noise.sixth + 9,
    };
    expect(edgeworthTwoSided(edgeworthLimit(share, cumulants), cumulants)).toBeCloseTo(share, 10);
  });

  it('is the quantile of the normal law without excess, and 0 without variance', () => {
    expect(edgeworthLimit(0.05, { second: 4, fourth: 0, sixth: 0 })).toBeCloseTo(3.919928, 6);
    expect(edgeworthLimit(0.05, { second: 0, fourth: 0, sixth: 0 })).toBe(0);
  });
});
