import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
import { noiseVariance } from '../laws/pmf.js';
import { gammaDraw, poissonDraw, uniforms } from '../laws/random-variates.js';
import { type CommonCourse, commonCourse, STILL } from '../rates/common-course.js';
import type { Levels } from '../rates/level.js';
import { countScatter } from './count-scatter.js';

const CELLS = 3000;
const LEVELS = [0.5, 2, 5, 12, 30];
const level = Float64Array.from({ length: CELLS }, (_, i) => LEVELS[i % 5] as number);
const EPSILON = 1;
const V = noiseVariance({ mechanism: 'discrete-laplace', epsilon: EPSILON });

/** Posterior of each level among the five that there are, by the mean of its present months. */
function levelsOf(seen: readonly Float64Array[]): Levels {
  const posteriors = Array.from(level.keys(), (i) => {
    const counts = seen.map((month) => month[i] as number).filter((z) => !Number.isNaN(z));
    const mean = counts.reduce((sum, z) => sum + z, 0) / Math.max(1, counts.length);
    const weights = LEVELS.map((x) => {
      const variance = (V + 2 * x) / Math.max(1, counts.length);
      return Math.exp(-((mean - x) ** 2) / (2 * variance)) / Math.sqrt(variance);
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const moment = (power: number) =>
      LEVELS.reduce((sum, x, k) => sum + ((weights[k] as number) / total) * x ** power, 0);
    return { mean: moment(1), variance: moment(2) - moment(1) ** 2 };
  });
  return {
    level: Float64Array.from(posteriors, ({ mean }) => mean),
    variance: Float64Array.from(posteriors, ({ variance }) => variance),
  };
}

const scatterOf = (seen: readonly Float64Array[], horizon = 1, course: CommonCourse = STILL) =>
  countScatter(seen, levelsOf(seen), V, course, horizon);

/** Noisy months of counts of a mean and a variance beyond Poisson, gamma-mixed. */
function months(
  seed: string,
  beyond: (mean: number) => number,
  { shared = () => 1, count = 12 }: { shared?: (t: number) => number; count?: number } = {},
): Float64Array[] {
  const random = seededRandom(seed);
  const uniform = uniforms(random);
  const sampler = discreteLaplace({ scale: rational(1n, 1n) });
  const noise = new Int32Array(CELLS);
  return Array.from({ length: count }, (_, t) => {
    sampler.sampleInto(noise, random);
    return level.map((x, i) => {
      const mean = x * shared(t);
      const variance = beyond(mean);
      const rate =
        variance > 0 ? (gammaDraw(mean ** 2 / variance, uniform) * variance) / mean : mean;
      return poissonDraw(rate, uniform) + (noise[i] as number);
    });
  });
}

describe('countScatter', () => {
  it('is nearly none where counts are Poisson', () => {
    const { clustering, burst } = scatterOf(
      months('poisson', () => 0),
      1,
    );
    expect(clustering).toBeLessThan(0.05);
    expect(burst).toBeLessThan(0.01);
  });

  it.each([1, 3])('tells clusters from bursts, %d months ahead', (horizon) => {
    const clusters = scatterOf(
      months('clusters', (m) => 1.5 * m),
      horizon,
    );
    expect(clusters.clustering).toBeGreaterThan(1.2);
    expect(clusters.clustering).toBeLessThan(1.8);
    expect(clusters.burst).toBeLessThan(0.03);
    const bursts = scatterOf(
      months('bursts', (m) => 0.2 * m * m),
      horizon,
    );
    expect(bursts.clustering).toBeLessThan(0.4);
    expect(bursts.burst).toBeGreaterThan(0.16);
    expect(bursts.burst).toBeLessThan(0.24);
  });

  it('finds both at once, with months missing in half of the cells', () => {
    const seen = months('both', (m) => m + 0.1 * m * m).map((month, t) =>
      t === 4 || t === 9 ? month.map((z, i) => (i % 2 === 0 ? Number.NaN : z)) : month,
    );
    const { clustering, burst } = scatterOf(seen, 1);
    expect(clustering).toBeGreaterThan(0.7);
    expect(clustering).toBeLessThan(1.5);
    expect(burst).toBeGreaterThan(0.07);
    expect(burst).toBeLessThan(0.13);
  });

  it('takes a season that all cells share for no scatter', () => {
    const shared = (t: number) => 1 + 0.4 * Math.cos((2 * Math.PI * t) / 12);
    const seen = months('season', () => 0, { shared, count: 24 });
    const blind = scatterOf(seen, 1);
    expect(blind.burst).toBeGreaterThan(0.05);
    const { clustering, burst } = scatterOf(seen, 1, commonCourse(seen, level, V, 12));
    expect(clustering).toBeLessThan(0.05);
    expect(burst).toBeLessThan(0.01);
  });

  it('sees a drift as bursts, the more the further ahead', () => {
    const random = uniforms(seededRandom('drift'));
    const drifts = Float64Array.from({ length: CELLS }, () => 0.05 * (2 * random() - 1));
    const seen = months('drifting', () => 0).map((month, t) =>
      month.map((z, i) => z + Math.round((level[i] as number) * (drifts[i] as number) * t)),
    );
    const near = scatterOf(seen, 1).burst;
    const far = scatterOf(seen, 4).burst;
    expect(near).toBeGreaterThan(0.01);
    expect(far).toBeGreaterThan(near);
  });

  it('says none where too few months can be forecast, or none is there', () => {
    const none = { clustering: 0, burst: 0 };
    const few = months('few', (m) => m, { count: 5 });
    expect(scatterOf(few, 4)).toEqual(none);
    const missing = few.map((month) => month.map(() => Number.NaN));
    expect(scatterOf(missing, 1)).toEqual(none);
  });
});
