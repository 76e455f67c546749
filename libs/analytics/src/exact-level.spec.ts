import { describe, expect, it } from '@jest/globals';
import { exactLevels, isExactUseful } from './exact-level.js';
import { filterLevels } from './level.js';
import { noisePmf, noiseVariance } from './pmf.js';

const LAW = { mechanism: 'discrete-laplace', epsilon: 0.5 } as const;
const V = noiseVariance(LAW);
const STILL = { step: 0, burst: 0 };

const priorsOf = (mean: number, spread: number) => ({
  mean: Float64Array.of(mean),
  least: 0.001,
  spread,
  fullSpread: spread,
});

function levelsOf(counts: readonly number[], mean: number, spread: number, model = STILL) {
  const periods = counts.map((count) => Float64Array.of(count));
  const priors = priorsOf(mean, spread);
  const linear = filterLevels(periods, priors, model, V);
  return { linear, exact: exactLevels(linear, periods, priors, model, LAW, V) };
}

/** Posterior mean by brute force: a fine even grid of rates, the likelihood summed term by term. */
function bruteForce(counts: readonly number[], mean: number, spread: number): number {
  const noise = noisePmf(LAW);
  const shape = 1 / spread;
  let total = 0;
  let sum = 0;
  for (let rate = 0.005; rate < 60; rate += 0.01) {
    let log = (shape - 1) * Math.log(rate) - (shape * rate) / mean;
    for (const z of counts) {
      let likelihood = 0;
      let poisson = Math.exp(-rate);
      for (let k = 0; k < 150; k++) {
        likelihood += poisson * (noise.weights[z - k - noise.first] ?? 0);
        poisson *= rate / (k + 1);
      }
      log += Math.log(likelihood);
    }
    const weight = Math.exp(log + 40);
    total += weight;
    sum += weight * rate;
  }
  return sum / total;
}

describe('exactLevels', () => {
  it.each([
    [[3, 5, -1, 4, 12, 2], 3, 0.5],
    [[0, 0, 1, -2, 0, 0], 0.4, 1.2],
    [[9, 14, 8, 40, 11, 10], 4, 0.8],
  ])('is the posterior mean of counts %j', (counts, mean, spread) => {
    const { exact } = levelsOf(counts, mean, spread);
    expect((exact.level[0] as number) / bruteForce(counts, mean, spread)).toBeCloseTo(1, 2);
  });

  it('is moved less by one outlier than the linear filter is', () => {
    const calm = levelsOf([5, 5, 5, 5, 5, 5], 5, 0.5);
    const wild = levelsOf([5, 5, 5, 5, 5, 45], 5, 0.5);
    const moved = (side: 'exact' | 'linear') =>
      (wild[side].level[0] as number) - (calm[side].level[0] as number);
    expect(moved('exact')).toBeLessThan(moved('linear') / 2);
  });

  it('forgets old months when the level drifts', () => {
    const counts = [2, 2, 2, 2, 2, 2, 9, 9, 9, 9];
    const still = levelsOf(counts, 5, 0.5).exact.level[0] as number;
    const drifting = levelsOf(counts, 5, 0.5, { step: 0.3, burst: 0 }).exact.level[0] as number;
    expect(drifting).toBeGreaterThan(still + 0.5);
  });

  it('keeps the linear level where a count or a rate is beyond its table', () => {
    const high = levelsOf([900, 910], 300, 0.5);
    expect(high.exact.level[0]).toBe(high.linear.level[0]);
    const missing = levelsOf([Number.NaN, Number.NaN], 3, 0.5);
    expect(missing.exact).toEqual(missing.linear);
  });

  it('is used for Laplace noise on cells that differ, and not otherwise', () => {
    expect(isExactUseful(LAW, priorsOf(3, 0.5))).toBe(true);
    expect(isExactUseful(LAW, priorsOf(3, 0.01))).toBe(false);
    expect(isExactUseful({ mechanism: 'none' }, priorsOf(3, 0.5))).toBe(false);
    expect(isExactUseful({ mechanism: 'discrete-laplace', epsilon: 0.01 }, priorsOf(3, 1))).toBe(
      false,
    );
  });
});
