import { describe, expect, it } from '@jest/globals';
import { benjaminiHochberg } from '../detect/false-discovery.js';
import { noisyTail } from './exact-tail.js';
import { convolve, noisePmf, noiseVariance, sumOfCopies } from './pmf.js';

const laplace = (epsilon: number) => noisePmf({ mechanism: 'discrete-laplace', epsilon });

// mpmath, 50 digits: differences of negative binomial variables, summed term by term.
const TAILS: [lambda: number, m: number, epsilon: number, z: number, p: number][] = [
  [4.2, 12, 0.5, 31, 0.005155113000441068],
  [0.3, 1, 0.1, 20, 0.07332560709448566],
  [0.3, 1, 1, 5, 0.00824708538611759],
  [2.5, 3, 2, 12, 6.637882253499494e-5],
  [0, 1, 0.5, 1, 0.3775406687981454],
  [10, 12, 1, -5, 0.996760978002742],
];

describe('noisyTail', () => {
  it.each(TAILS)('lambda %d, %d terms, epsilon %d, z %d', (lambda, m, epsilon, z, p) => {
    expect(noisyTail(laplace(epsilon), m).atLeast(lambda, z) / p).toBeCloseTo(1, 11);
  });

  it('is the Poisson tail without noise', () => {
    const tail = noisyTail(noisePmf({ mechanism: 'none' }), 12);
    // scipy.stats.poisson.sf(k - 1, lambda)
    expect(tail.atLeast(3, 9)).toBeCloseTo(0.003802992061675955, 14);
    expect(tail.atLeast(1e-3, 2) / 4.996667916333409e-7).toBeCloseTo(1, 12);
    expect(tail.atLeast(3, 0)).toBeCloseTo(1, 14);
    expect(tail.atLeast(2000, 2400) / 2.325339654749732e-18).toBeCloseTo(1, 9);
    expect(tail.pair(3, 9).above).toBeCloseTo(tail.atLeast(3, 10), 14);
  });

  it('falls in z and rises in lambda', () => {
    const tail = noisyTail(laplace(0.5), 3);
    for (let z = -30; z < 60; z++) {
      expect(tail.atLeast(4, z + 1)).toBeLessThan(tail.atLeast(4, z));
      expect(tail.atLeast(4.5, z)).toBeGreaterThan(tail.atLeast(4, z));
    }
  });

  it('refuses what is no rate, no count and no noise', () => {
    const tail = noisyTail(laplace(1), 1);
    expect(() => tail.atLeast(-1, 3)).toThrow(/expected count/);
    expect(() => tail.atLeast(1, Number.NaN)).toThrow(/finite/);
    expect(() => laplace(0)).toThrow(/above 0/);
    expect(() => sumOfCopies(laplace(1), 1.5)).toThrow(/whole number/);
    expect(() => laplace(1e-6)).toThrow(/too many outcomes/);
  });
});

describe('pmf', () => {
  it('has the closed-form variance of the discrete Laplace law', () => {
    for (const epsilon of [0.1, 0.5, 1, 2]) {
      const { first, weights } = laplace(epsilon);
      const variance = weights.reduce((sum, weight, i) => sum + weight * (first + i) ** 2, 0);
      const law = { mechanism: 'discrete-laplace', epsilon } as const;
      expect(variance / noiseVariance(law)).toBeCloseTo(1, 12);
    }
  });

  it('has the variance of the discrete Gaussian law', () => {
    // design value: sigma^2 = 1 -> 0.99999978876772808
    expect(noiseVariance({ mechanism: 'discrete-gaussian', sigma2: 1 })).toBeCloseTo(
      0.9999997887677281,
      14,
    );
  });

  it('adds variances and keeps mass under convolution', () => {
    const sum = convolve(laplace(1), noisePmf({ mechanism: 'discrete-gaussian', sigma2: 4 }));
    expect(sum.weights.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 13);
    expect(sum.first + sum.weights.length - 1).toBe(-sum.first);
  });
});

describe('benjaminiHochberg', () => {
  it('reproduces the example of the 1995 paper (15 p-values, rate 0.05: four discoveries)', () => {
    const p = Float64Array.of(
      0.0001,
      0.0004,
      0.0019,
      0.0095,
      0.0201,
      0.0278,
      0.0298,
      0.0344,
      0.0459,
      0.324,
      0.4262,
      0.5719,
      0.6528,
      0.759,
      1,
    );
    expect(benjaminiHochberg(p, 0.05)).toEqual({ threshold: 0.0095, count: 4 });
  });

  it('counts a missing cell as no test', () => {
    const p = Float64Array.of(0.03, Number.NaN, Number.NaN, Number.NaN);
    expect(benjaminiHochberg(p, 0.05).count).toBe(1);
    expect(benjaminiHochberg(Float64Array.of(0.03, 0.9, 0.8, 0.7), 0.05).count).toBe(0);
  });
});
