import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import { likelihoodTable } from '../laws/likelihood-table.js';
import { noisePmf, noiseVariance } from '../laws/pmf.js';
import { gammaDraw, poissonDraws, uniforms } from '../laws/random-variates.js';
import { sumPeriods } from '../predict/forecast.js';
import { cellLikelihoods } from './cell-likelihood.js';
import {
  exactLevels,
  fitExactLaw,
  isExactUseful,
  levelQuantiles,
  posteriorQuantilesOf,
} from './exact-level.js';
import { filterLevels } from './level.js';
import {
  fillPosterior,
  posteriorMoments,
  posteriorQuantile,
  posteriorRoom,
} from './rate-posterior.js';
import { gammaRatios } from './ratio-starts.js';

const LAW = { mechanism: 'discrete-laplace', epsilon: 0.5 } as const;
const V = noiseVariance(LAW);
const STILL = { step: 0, burst: 0 };

const priorsOf = (mean: number, spread: number) => ({
  mean: Float64Array.of(mean),
  least: 0.001,
  spread,
  fullSpread: spread,
  leverage: Float64Array.of(0),
});

const TABLE = likelihoodTable(LAW, 0.001);

/** Posterior mean of one cell under a gamma law of ratios, and what the linear filter says. */
function levelsOf(counts: readonly number[], mean: number, spread: number, model = STILL) {
  const periods = counts.map((count) => Float64Array.of(count));
  const priors = priorsOf(mean, spread);
  const likelihood = cellLikelihoods({
    table: TABLE,
    periods,
    mean: priors.mean,
    model,
    noiseVariance: V,
  })(0);
  const linear = filterLevels(periods, priors, model, V).level[0] as number;
  const room = posteriorRoom();
  const isPossible =
    likelihood && fillPosterior(room, likelihood, gammaRatios(spread), TABLE.first);
  const exact = isPossible ? posteriorMoments(room).mean : undefined;
  return { linear, exact, room };
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

describe('the posterior', () => {
  it.each([
    [[3, 5, -1, 4, 12, 2], 3, 0.5],
    [[0, 0, 1, -2, 0, 0], 0.4, 0.7],
    [[9, 14, 8, 40, 11, 10], 4, 0.8],
  ])('is the posterior mean of counts %j', (counts, mean, spread) => {
    const { exact } = levelsOf(counts, mean, spread);
    expect((exact as number) / bruteForce(counts, mean, spread)).toBeCloseTo(1, 2);
  });

  it('has the quantiles of a gamma law where counts say all, between grid points too', () => {
    // Twelve months of about 110 without noise: gamma of shape 1320 nearly, by Wilson and Hilferty.
    const counts = Array.from({ length: 12 }, (_, t) => 105 + (t % 11));
    const sum = counts.reduce((total, count) => total + count, 0);
    const table = likelihoodTable({ mechanism: 'none' }, 0.5);
    const likelihood = cellLikelihoods({
      table,
      periods: counts.map((count) => Float64Array.of(count)),
      mean: Float64Array.of(30),
      model: STILL,
      noiseVariance: 0,
    })(0);
    const room = posteriorRoom();
    const ratios = gammaRatios(7);
    expect(likelihood && fillPosterior(room, likelihood, ratios, table.first)).toBe(true);
    for (const [share, z] of [
      [0.025, -1.959964],
      [0.5, 0],
      [0.975, 1.959964],
    ] as const) {
      const expected = (sum * (1 - 1 / (9 * sum) + z / (3 * Math.sqrt(sum))) ** 3) / 12;
      expect(posteriorQuantile(room, share) / expected).toBeCloseTo(1, 2);
    }
  });

  it('gives the same rates for shares of one cell at a time as of all cells', () => {
    const table = likelihoodTable({ mechanism: 'none' }, 0.5);
    const periods = [Float64Array.of(3, 40, Number.NaN), Float64Array.of(5, 44, Number.NaN)];
    const mean = Float64Array.of(4, 30, 4);
    const law = { table, periods, mean, model: STILL, noiseVariance: 0, ratios: gammaRatios(7) };
    const shares = [0, 0.001, 0.1, 0.5, 0.9, 0.999, 1];
    const lawOf = posteriorQuantilesOf(law);
    const found = [0, 1].map((cell) => shares.map((share) => lawOf(cell)?.(share)));
    const quantiles = levelQuantiles(law, shares);
    expect(found).toEqual([0, 1].map((cell) => quantiles.map((rates) => rates[cell])));
    expect(lawOf(2)).toBeUndefined();
  });

  it('is moved less by one outlier than the linear filter is', () => {
    const calm = levelsOf([5, 5, 5, 5, 5, 5], 5, 0.5);
    const wild = levelsOf([5, 5, 5, 5, 5, 45], 5, 0.5);
    const moved = (side: 'exact' | 'linear') => (wild[side] as number) - (calm[side] as number);
    expect(moved('exact')).toBeLessThan(moved('linear') / 2);
  });

  it('forgets old months when the level drifts', () => {
    const counts = [2, 2, 2, 2, 2, 2, 9, 9, 9, 9];
    const still = levelsOf(counts, 5, 0.5).exact as number;
    const drifting = levelsOf(counts, 5, 0.5, { step: 0.3, burst: 0 }).exact as number;
    expect(drifting).toBeGreaterThan(still + 0.5);
  });
});

describe('exactLevels', () => {
  const uniform = uniforms(seededRandom('ratios'));
  const CELLS = 3000;
  /** One period per month of counts with no noise on them and V taken as known: enough to compare laws of ratios. */
  function world(rates: Float64Array, mean: number, spread: number) {
    const random = seededRandom('counts');
    const periods = Array.from({ length: 6 }, () => poissonDraws(rates, random));
    const priors = {
      mean: new Float64Array(rates.length).fill(mean),
      least: 0.001,
      spread,
      fullSpread: spread,
      leverage: new Float64Array(rates.length),
    };
    const linear = filterLevels(periods, priors, STILL, 0);
    const data = sumPeriods({ periods, noiseVariance: 0 });
    const exact = fitExactLaw(periods, priors, data, STILL, { mechanism: 'none' });
    return { linear, exact: exactLevels(linear, exact, priors.least).levels };
  }
  const risk = (level: Float64Array, rates: Float64Array): number =>
    rates.reduce((sum, rate, i) => sum + (rate - (level[i] as number)) ** 2, 0);

  it('costs less than 2 % of risk where the gamma law is right', () => {
    const rates = Float64Array.from({ length: CELLS }, () => 2 * gammaDraw(2, uniform));
    const { linear, exact } = world(rates, 4, 0.5);
    expect(risk(exact.level, rates)).toBeLessThan(1.02 * risk(linear.level, rates));
  });

  it('finds the one cell in a thousand that no gamma law expects', () => {
    const rates = Float64Array.from({ length: CELLS }, (_, i) => (i % 1000 === 7 ? 40 : 0.4));
    const { linear, exact } = world(rates, 0.44, 0.05);
    expect(linear.level[7]).toBeLessThan(15);
    expect(Math.abs((exact.level[7] as number) - 40)).toBeLessThan(8);
    expect(risk(exact.level, rates)).toBeLessThan(risk(linear.level, rates) / 5);
  });

  it('takes the plain mean of counts beyond the table, and leaves what is missing or not whole', () => {
    const priors = {
      mean: Float64Array.of(300, 3, 3),
      least: 0.001,
      spread: 0.5,
      fullSpread: 0.5,
      leverage: new Float64Array(3),
    };
    const periods = [Float64Array.of(900, Number.NaN, 2.5), Float64Array.of(910, Number.NaN, 1)];
    const linear = filterLevels(periods, priors, STILL, V);
    const data = sumPeriods({ periods, noiseVariance: V });
    const law = fitExactLaw(periods, priors, data, STILL, LAW);
    const { levels: exact } = exactLevels(linear, law, priors.least);
    expect(exact.level[0]).toBe(905);
    expect([exact.level[1], exact.level[2]]).toEqual([linear.level[1], linear.level[2]]);
  });

  it('is used where the law can be tabulated', () => {
    expect(isExactUseful(LAW)).toBe(true);
    expect(isExactUseful({ mechanism: 'none' })).toBe(true);
    expect(isExactUseful({ mechanism: 'discrete-gaussian', sigma2: 100 })).toBe(true);
    expect(isExactUseful({ mechanism: 'discrete-laplace', epsilon: 0.01 })).toBe(false);
    expect(isExactUseful({ mechanism: 'discrete-gaussian', sigma2: 1e9 })).toBe(false);
  });
});
