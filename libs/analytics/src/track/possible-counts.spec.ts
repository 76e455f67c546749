/** What is drawn is compared with the law it claims, worked out term by term. */
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { type NoiseLaw, noiseVariance } from '../laws/pmf.js';
import { gammaDraw, poissonDraws, uniforms } from '../laws/random-variates.js';
import { forecast } from '../predict/forecast.js';
import { countDraw, possibleCounts } from './possible-counts.js';

const DRAWS = 20_000;
/** False-alarm probability 1e-6 per assertion. */
const ERRORS = 4.9;

function noiseTerm(law: NoiseLaw, d: number): number {
  if (law.mechanism === 'discrete-laplace') return Math.exp(-law.epsilon * Math.abs(d));
  return law.mechanism === 'discrete-gaussian' ? Math.exp(-(d * d) / (2 * law.sigma2)) : 0;
}

/** Mean and variance of x given z, its mean and its index. */
function expected(law: NoiseLaw, z: number, mean: number, index: number) {
  let count = 1;
  let total = 0;
  let first = 0;
  let second = 0;
  for (let x = 0; x < 400; x++) {
    const term = count * noiseTerm(law, z - x);
    total += term;
    first += term * x;
    second += term * x * x;
    count *= Number.isFinite(index)
      ? ((mean / (mean + index)) * (x + index)) / (x + 1)
      : mean / (x + 1);
  }
  const centre = first / total;
  return { mean: centre, variance: second / total - centre * centre };
}

const LAPLACE = { mechanism: 'discrete-laplace', epsilon: 0.5 } as const;
const GAUSSIAN = { mechanism: 'discrete-gaussian', sigma2: 9 } as const;

describe('a count given its released one', () => {
  it.each<[NoiseLaw, number, number, number]>([
    [LAPLACE, 30, 5, Number.POSITIVE_INFINITY],
    [LAPLACE, -12, 5, Number.POSITIVE_INFINITY],
    [LAPLACE, 3, 0.2, Number.POSITIVE_INFINITY],
    [LAPLACE, 30, 5, 2],
    [GAUSSIAN, 30, 5, Number.POSITIVE_INFINITY],
    [GAUSSIAN, -4, 60, Number.POSITIVE_INFINITY],
    [GAUSSIAN, 8, 8, 1],
  ])('under %j: released %d, rate %d, index %d', (law, z, mean, index) => {
    const draw = countDraw(law, uniforms(seededRandom(`count ${z} ${mean} ${index}`)));
    const want = expected(law, z, mean, index);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < DRAWS; i++) {
      const x = draw(z, mean, index);
      expect(Number.isInteger(x) && x >= 0).toBe(true);
      sum += x;
      squares += (x - want.mean) ** 2;
    }
    expect(Math.abs(sum / DRAWS - want.mean)).toBeLessThan(
      ERRORS * Math.sqrt(want.variance / DRAWS),
    );
    expect(Math.abs(squares / DRAWS / want.variance - 1)).toBeLessThan(0.1);
  });
});

describe('possible counts', () => {
  const neighbours = neighbourLists(disk(cellAt(51.5, -0.1, 9), 8));
  const random = seededRandom('possible');
  const rates = Float64Array.from(neighbours.degrees, (_, i) => (i % 9 === 0 ? 20 : 1));
  const truth = Array.from({ length: 6 }, () => poissonDraws(rates, random));

  it('are the released ones without noise, and missing where those are', () => {
    const law = { mechanism: 'none' } as const;
    const periods = truth.map((month) => month.slice());
    (periods[2] as Float64Array)[5] = Number.NaN;
    const release = { periods, noiseVariance: 0, law };
    expect(possibleCounts(forecast(release, neighbours), law, random)()).toEqual(periods);
  });

  it('are nearer the truth than what was released', () => {
    const law = { mechanism: 'discrete-gaussian', sigma2: 100 } as const;
    const uniform = uniforms(random);
    const periods = truth.map((month) =>
      month.map((count) => count + Math.round(10 * Math.sqrt(12) * (uniform() - 0.5))),
    );
    const release = { periods, noiseVariance: noiseVariance(law), law };
    const worldOf = possibleCounts(forecast(release, neighbours), law, random);
    const distance = (world: readonly Float64Array[]): number =>
      world.reduce(
        (sum, month, t) =>
          sum + month.reduce((all, x, i) => all + (x - (truth[t]?.[i] as number)) ** 2, 0),
        0,
      );
    expect(distance(worldOf())).toBeLessThan(0.5 * distance(periods));
    expect(worldOf()).not.toEqual(worldOf());
  });

  it('hold as many incidents in busy places as the levels say, though noise helped to make the levels', () => {
    const lists = neighbourLists(disk(cellAt(51.5, -0.1, 9), 20));
    const law = { mechanism: 'discrete-laplace', epsilon: 0.25 } as const;
    const seeded = seededRandom('busy');
    const uniform = uniforms(seeded);
    const sampler = discreteLaplace({ scale: rational(4n) });
    // A few cells have nearly all there is.
    const means = Float64Array.from(lists.degrees, () => 3 * gammaDraw(0.1, uniform));
    const busy = [...means.keys()].sort((a, b) => (means[b] as number) - (means[a] as number));
    busy.length = 40;
    const noise = new Int32Array(means.length);
    const periods = Array.from({ length: 12 }, () => {
      sampler.sampleInto(noise, seeded);
      return poissonDraws(means, seeded).map((count, i) => count + (noise[i] as number));
    });
    const result = forecast({ periods, noiseVariance: noiseVariance(law), law }, lists);
    const worldOf = possibleCounts(result, law, seeded);
    const inBusy = (values: Float64Array): number =>
      busy.reduce((sum, i) => sum + (values[i] as number), 0);
    let drawn = 0;
    for (let world = 0; world < 10; world++) {
      for (const month of worldOf()) drawn += inBusy(month) / 120;
    }
    expect(Math.abs(drawn / inBusy(result.basis.levels.level) - 1)).toBeLessThan(0.06);
  });
});
