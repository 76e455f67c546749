/**
 * Evaluation under noise by Monte Carlo: sizes and promised power over 20,000 seeded worlds. Bounds are the published ones
 * (WDD 4.5-5.5 %, placebos 3-7 %); at 20,000 worlds a share of 5 % has a standard error of 0.15 %.
 */
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
import { detectableFall, differenceInDifferences, power } from './intervention.js';
import { noiseVariance } from './pmf.js';
import { poissonDraws } from './random-variates.js';
import { placeboTest } from './synthetic-control.js';
import { weightedDisplacement } from './weighted-displacement.js';

const WORLDS = 20_000;

describe.each([
  ['1', 1n],
  ['0.1', 10n],
])('at epsilon %s', (name, scale) => {
  const sampler = discreteLaplace({ scale: rational(scale) });
  const variance = noiseVariance({ mechanism: 'discrete-laplace', epsilon: 1 / Number(scale) });

  const rejections = (change: number): number => {
    const random = seededRandom(`wdd ${name} ${change}`);
    const means = Float64Array.of(80, 80 * (1 + change), 90, 90, 40, 40, 30, 30);
    const noise = new Int32Array(8);
    let rejected = 0;
    for (let world = 0; world < WORLDS; world++) {
      sampler.sampleInto(noise, random);
      const n = poissonDraws(means, random).map((count, i) => count + (noise[i] as number));
      const [tb, ta, cb, ca, db, da, eb, ea] = n as unknown as number[] as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const { p } = weightedDisplacement(
        {
          treatedBefore: tb,
          treatedAfter: ta,
          controlBefore: cb,
          controlAfter: ca,
          displacementBefore: db,
          displacementAfter: da,
          displacementControlBefore: eb,
          displacementControlAfter: ea,
        },
        8 * variance,
      );
      if (p <= 0.05) rejected++;
    }
    return rejected / WORLDS;
  };

  it('WDD has a size of 4.5 to 5.5 %', () => {
    const size = rejections(0);
    expect(size).toBeGreaterThan(0.045);
    expect(size).toBeLessThan(0.055);
  });

  it('finds a fall of 30 % as often as promised', () => {
    // Displacement areas add their Poisson variance: 140 incidents.
    const promised = power({
      treated: 80,
      control: 90,
      change: -0.3,
      noiseVariance: 8 * variance + 140,
    });
    expect(Math.abs(rejections(-0.3) - promised)).toBeLessThan(0.03);
  });

  it('difference-in-differences rejects 3 to 7 % of placebo interventions', () => {
    const random = seededRandom(`did ${name}`);
    const means = new Float64Array(24).fill(12);
    const noise = new Int32Array(24);
    let rejected = 0;
    for (let world = 0; world < WORLDS / 4; world++) {
      const series = [0, 1].map(() => {
        sampler.sampleInto(noise, random);
        const counts = poissonDraws(means, random).map((count, i) => count + (noise[i] as number));
        return { counts, noiseVariance: variance };
      });
      const [treated, control] = series as [(typeof series)[0], (typeof series)[0]];
      if (differenceInDifferences(treated, control, 12).p <= 0.05) rejected++;
    }
    expect(rejected / (WORLDS / 4)).toBeGreaterThan(0.03);
    expect(rejected / (WORLDS / 4)).toBeLessThan(0.07);
  });

  it('synthetic control rejects 3 to 7 % of placebo interventions', () => {
    const random = seededRandom(`synthetic ${name}`);
    const means = new Float64Array(18).fill(60);
    const noise = new Int32Array(18);
    const draw = (): Float64Array => {
      sampler.sampleInto(noise, random);
      return poissonDraws(means, random).map((count, i) => count + (noise[i] as number));
    };
    const worlds = 200;
    let rejected = 0;
    for (let world = 0; world < worlds; world++) {
      const donors = Array.from({ length: 19 }, draw);
      if (placeboTest(draw(), donors, 12).p <= 0.05) rejected++;
    }
    // 4.9 standard errors at 200 worlds are 7.6 points: the exact size is 1 in 20 by exchangeability.
    expect(rejected / worlds).toBeLessThan(0.05 + 0.076);
    expect(rejected).toBeGreaterThan(0);
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
