import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
import { convolve, noisePmf, noiseVariance, type Pmf, sumOfCopies } from '../laws/pmf.js';
import { poissonDraw, uniforms } from '../laws/random-variates.js';
import { differenceMoments } from './difference-law.js';

/** Mean of |a - b| over all pairs. */
function meanDifference(values: Float64Array): number {
  const sorted = values.slice().sort();
  const n = sorted.length;
  const sum = sorted.reduce((total, value, i) => total + (2 * i + 1 - n) * value, 0);
  return (2 * sum) / (n * (n - 1));
}

function poissonPmf(mean: number): Pmf {
  const weights = new Float64Array(Math.ceil(mean + 12 * Math.sqrt(mean) + 20));
  let log = -mean;
  weights.forEach((_, k) => {
    weights[k] = Math.exp(log);
    log += Math.log(mean / (k + 1));
  });
  return { first: 0, weights };
}

/** E|A / a - B / b| by all pairs of outcomes. */
function distance(one: Pmf, a: number, other: Pmf, b: number): number {
  let sum = 0;
  one.weights.forEach((p, i) => {
    other.weights.forEach((q, j) => {
      sum += p * q * Math.abs((one.first + i) / a - (other.first + j) / b);
    });
  });
  return sum;
}

describe('differenceMoments', () => {
  it.each([
    [0.02, 2],
    [1.3, 1],
    [9, 0.3],
  ])('has the mean of all pairs of laws: rates around %d, epsilon %d', (level, epsilon) => {
    const law = { mechanism: 'discrete-laplace', epsilon } as const;
    const terms = [6, 6, 6, 5, 5, 6];
    const rates = Float64Array.of(0.3, 1, 1.01, 2, 0.001, 4).map((rate) => rate * level);
    const laws = terms.map((count, i) =>
      convolve(sumOfCopies(noisePmf(law), count), poissonPmf(count * (rates[i] as number))),
    );
    let sum = 0;
    for (let i = 0; i < laws.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [terms[i] as number, terms[j] as number];
        sum += distance(laws[i] as Pmf, a, laws[j] as Pmf, b);
      }
    }
    const pairs = (laws.length * (laws.length - 1)) / 2;
    const moments = differenceMoments(
      terms.map((count) => ({ terms: count, cells: 1 })),
      { law, noiseVariance: noiseVariance(law) },
      5 * level,
    );
    const { mean } = moments(rates);
    expect(Math.abs(mean / (sum / pairs) - 1)).toBeLessThan(2e-4);
  });

  it('is far nearer to the mean than a whole force of even cells could tell', () => {
    // Twelve months of three incidents in each of 50,000 cells, tabulated and by the Edgeworth series.
    const moments = differenceMoments(
      [{ terms: 12, cells: 50_000 }],
      { law: { mechanism: 'none' }, noiseVariance: 0 },
      400,
    );
    for (const rate of [0.07, 3, 300]) {
      const { mean, variance } = moments(Float64Array.of(rate));
      const law = poissonPmf(12 * rate);
      const exact = distance(law, 12, law, 12);
      expect(Math.abs(mean - exact) / Math.sqrt(variance)).toBeLessThan(0.1);
    }
  });

  it('goes with the total as its slope says', () => {
    const law = { mechanism: 'discrete-laplace', epsilon: 0.5 } as const;
    const rates = Float64Array.from({ length: 60 }, (_, i) => (i === 0 ? 90 : 0.5 + (i % 7)));
    const moments = differenceMoments(
      Array.from(rates, (_, i) => ({ terms: i % 3 === 0 ? 5 : 6, cells: 1 })),
      { law, noiseVariance: noiseVariance(law) },
      200,
    );
    const total = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const [more, less] = [rates.map((rate) => rate * 1.001), rates.map((rate) => rate / 1.001)];
    const slope = (moments(more).mean - moments(less).mean) / (total * (1.001 - 1 / 1.001));
    expect(moments(rates).slope).toBeCloseTo(slope, 5);
  });

  it.each([
    ['no noise', 3, undefined],
    ['laplace noise', 0.5, 0.5],
    ['laplace noise, high rates', 200, 0.5],
    ['wide noise', 0.2, 0.1],
  ])('has the variance of simulated maps: %s', (_, level, epsilon) => {
    const law = epsilon
      ? ({ mechanism: 'discrete-laplace', epsilon } as const)
      : ({ mechanism: 'none' } as const);
    const random = seededRandom(`variance ${level}`);
    const uniform = uniforms(random);
    const sampler = discreteLaplace({ scale: rational(10n, BigInt(10 * (epsilon ?? 1))) });
    const periods = 6;
    const rates = Float64Array.from({ length: 60 }, (_, i) => level * (0.2 + (i % 7)));
    const moments = differenceMoments(
      Array.from(rates, () => ({ terms: periods, cells: 1 })),
      { law, noiseVariance: noiseVariance(law) },
      level * 10,
    );
    const { mean, variance, slope } = moments(rates);
    const total = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const noise = new Int32Array(periods);
    const maps = 4000;
    let sum = 0;
    let squares = 0;
    for (let map = 0; map < maps; map++) {
      const means = rates.map((rate) => {
        if (epsilon) sampler.sampleInto(noise, random);
        const added = epsilon ? noise.reduce((a, b) => a + b, 0) : 0;
        return (poissonDraw(periods * rate, uniform) + added) / periods;
      });
      const all = means.reduce((a, b) => a + b, 0) / means.length;
      const cleared = meanDifference(means) - slope * (all - total) - mean;
      sum += cleared;
      squares += cleared * cleared;
    }
    // Five standard errors of a mean, and of a variance of nearly normal values.
    expect(Math.abs(sum / maps)).toBeLessThan(5 * Math.sqrt(variance / maps));
    expect(Math.abs(squares / maps / variance - 1)).toBeLessThan(0.05 + 5 * Math.sqrt(2 / maps));
  });
});
