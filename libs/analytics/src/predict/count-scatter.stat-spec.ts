/**
 * Intervals of counts where counts scatter beyond Poisson, in clusters or in bursts of whole cells: 469 cells of gamma rates (shape 1.5, eight a month), a
 * year of months, discrete Laplace noise. Seeds are fixed, so there are no false alarms. Poisson worlds: `interval-coverage.stat-spec.ts`.
 */
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
import { noiseVariance } from '../laws/pmf.js';
import { gammaDraw, poissonDraw, uniforms } from '../laws/random-variates.js';
import { neighboursOf } from '../worlds.fixture-spec.js';
import { forecast } from './forecast.js';
import { countInterval } from './forecast-interval.js';

const WORLDS = 12;
const CELLS = 469;
const MONTHS = 12;
const SHAPE = 1.5;
const DENSITY = 8;

/** Share of the true counts of the next month inside their 95 % intervals. */
function shareHeld(seed: string, epsilon: number, clustering: number, burst: number): number {
  const random = seededRandom(seed);
  const uniform = uniforms(random);
  const sampler = discreteLaplace({ scale: rational(10n, BigInt(10 * epsilon)) });
  const noise = new Int32Array(CELLS);
  const rates = Float64Array.from(
    { length: CELLS },
    () => (DENSITY * gammaDraw(SHAPE, uniform)) / SHAPE,
  );
  const month = () =>
    rates.map((rate) => {
      const variance = rate * (clustering + burst * rate);
      return poissonDraw((gammaDraw(rate ** 2 / variance, uniform) * variance) / rate, uniform);
    });
  const periods = Array.from({ length: MONTHS }, () => {
    sampler.sampleInto(noise, random);
    return month().map((count, i) => count + (noise[i] as number));
  });
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const release = { periods, noiseVariance: noiseVariance(law), law, periodsPerYear: 12 };
  const next = month();
  const { low, high } = countInterval(
    forecast(release, neighboursOf({ size: CELLS })),
    0.95,
    random,
  );
  const held = next.filter(
    (count, i) => count >= (low[i] as number) && count <= (high[i] as number),
  );
  return held.length / CELLS;
}

describe('intervals of counts that scatter beyond Poisson', () => {
  it.each([
    [0.5, 1.5, 0],
    [0.5, 0, 0.2],
    [2, 1.5, 0],
    [2, 0, 0.2],
    [2, 1, 0.1],
  ])(
    'hold what they promise at epsilon %d, clustering %d, burst %d',
    (epsilon, clustering, burst) => {
      const shares = Array.from({ length: WORLDS }, (_, world) =>
        shareHeld(`scatter ${epsilon} ${clustering} ${burst} ${world}`, epsilon, clustering, burst),
      );
      const mean = shares.reduce((sum, share) => sum + share, 0) / WORLDS;
      expect(mean).toBeGreaterThan(0.93);
      expect(mean).toBeLessThan(0.97);
    },
    120_000,
  );
});
