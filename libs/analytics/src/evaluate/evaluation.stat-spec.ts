/**
 * Evaluation under noise by Monte Carlo: sizes and promised power over seeded worlds. Published bounds (WDD 4.5-5.5 %,
 * placebos 3-7 %) stand as they are; other shares are compared at 4.9 binomial standard errors, false-alarm probability
 * 1e-6 per assertion. CONCORDAT_NIGHTLY=1 takes 10^5 worlds.
 */
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
import { noiseVariance } from '../laws/pmf.js';
import { poissonDraws } from '../laws/random-variates.js';
import { detectableFall, differenceInDifferences, power } from './intervention.js';
import { placeboTest } from './synthetic-control.js';
import { type DisplacementCounts, weightedDisplacement } from './weighted-displacement.js';

const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';
const WORLDS = NIGHTLY ? 100_000 : 10_000;
const PLACEBO_WORLDS = NIGHTLY ? 4000 : 120;
const tolerance = (share: number, n: number): number => 4.9 * Math.sqrt((share * (1 - share)) / n);
const share = (p: readonly number[], alpha: number): number =>
  p.filter((value) => value <= alpha).length / p.length;

describe.each([
  [0.1, 1n],
  [0.5, 5n],
  [1, 10n],
  [2, 20n],
])('at epsilon %d', (epsilon, tenths) => {
  const sampler = discreteLaplace({ scale: rational(10n, tenths) });
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const variance = noiseVariance(law);
  const released = (means: Float64Array, random: ReturnType<typeof seededRandom>) => {
    const noise = new Int32Array(means.length);
    sampler.sampleInto(noise, random);
    return poissonDraws(means, random).map((count, i) => count + (noise[i] as number));
  };

  function displacementTests(change: number): number[] {
    const random = seededRandom(`wdd ${epsilon} ${change}`);
    const means = Float64Array.of(80, 80 * (1 + change), 90, 90, 40, 40, 30, 30);
    const names: (keyof DisplacementCounts)[] = [
      'treatedBefore',
      'treatedAfter',
      'controlBefore',
      'controlAfter',
      'displacementBefore',
      'displacementAfter',
      'displacementControlBefore',
      'displacementControlAfter',
    ];
    return Array.from({ length: WORLDS }, () => {
      const n = released(means, random);
      const counts = Object.fromEntries(names.map((name, i) => [name, n[i] as number]));
      return weightedDisplacement(counts as unknown as DisplacementCounts, { law, terms: 8 }).p;
    });
  }

  it('WDD has its size at 1 %, and 4.5 to 5.5 % at 5 %', () => {
    const p = displacementTests(0);
    expect(Math.abs(share(p, 0.01) - 0.01)).toBeLessThan(tolerance(0.01, WORLDS));
    expect(share(p, 0.05)).toBeGreaterThan(0.045);
    expect(share(p, 0.05)).toBeLessThan(0.055);
  });

  it('finds a fall of 30 % as often as promised', () => {
    // Displacement areas add their Poisson variance: 140 incidents.
    const promised = power({
      treated: 80,
      control: 90,
      change: -0.3,
      noiseVariance: 8 * variance + 140,
    });
    expect(Math.abs(share(displacementTests(-0.3), 0.05) - promised)).toBeLessThan(0.03);
  });

  it('difference-in-differences has its size at 1 %, and rejects 3 to 7 % of placebo interventions', () => {
    const random = seededRandom(`did ${epsilon}`);
    const means = new Float64Array(24).fill(12);
    const series = () => ({ counts: released(means, random), noiseVariance: variance, law });
    const worlds = WORLDS / 4;
    const p = Array.from({ length: worlds }, () => {
      return differenceInDifferences(series(), series(), 12).p;
    });
    expect(Math.abs(share(p, 0.01) - 0.01)).toBeLessThan(tolerance(0.01, worlds));
    expect(share(p, 0.05)).toBeGreaterThan(0.03);
    expect(share(p, 0.05)).toBeLessThan(0.07);
  });

  it('synthetic control rejects 3 to 7 % of placebo interventions, and a fall of 30 % far more often', () => {
    const random = seededRandom(`synthetic ${epsilon}`);
    const still = new Float64Array(18).fill(400);
    const fallen = still.map((mean, t) => (t < 12 ? mean : 0.7 * mean));
    const placebos = (treated: Float64Array, worlds: number): number[] =>
      Array.from({ length: worlds }, () => {
        const donors = Array.from({ length: 19 }, () => released(still, random));
        return placeboTest(released(treated, random), donors, 12).p;
      });
    const size = share(placebos(still, PLACEBO_WORLDS), 0.05);
    const slack = NIGHTLY ? 0 : tolerance(0.05, PLACEBO_WORLDS) - 0.02;
    expect(size).toBeGreaterThan(0.03 - slack);
    expect(size).toBeLessThan(0.07 + slack);
    expect(share(placebos(fallen, PLACEBO_WORLDS / 4), 0.05)).toBeGreaterThan(0.8);
  });
});

describe('detectableFall', () => {
  it('is the fall that has the power asked for, and grows with the noise', () => {
    const question = { treated: 200, control: 200, noiseVariance: 100 };
    const fall = detectableFall(question, 0.8) as number;
    expect(power({ ...question, change: -fall })).toBeCloseTo(0.8, 6);
    expect(detectableFall({ ...question, noiseVariance: 4000 }, 0.8)).toBeGreaterThan(fall);
    expect(detectableFall({ ...question, noiseVariance: 1e6 }, 0.8)).toBeUndefined();
  });
});
