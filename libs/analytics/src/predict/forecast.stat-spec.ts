/**
 * Calibration of the forecast under its own model, on made-up fields: smooth background times gamma-distributed cells,
 * Poisson counts, discrete Laplace noise. Seeded; the bounds are the ones promised (intervals 93-97 %, P(top k) on the
 * diagonal), so a false alarm is a false claim.
 */
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { lorenz } from '../concentration/concentration.js';
import { giniUnderNoise } from '../concentration/gini-interval.js';
import { noiseVariance } from '../laws/pmf.js';
import { poissonDraws, uniforms } from '../laws/random-variates.js';
import { emerging, emergingClasses, LEAST_SHOWN } from '../track/emerging.js';
import { forecast } from './forecast.js';
import { rateInterval } from './forecast-interval.js';
import { cellsOfShare } from './hit-rate.js';
import { topProbabilities } from './top-probability.js';

const cells = disk(cellAt(51.5, -0.1, 9), 45);
const neighbours = neighbourLists(cells);
const MONTHS = 12;

/** Gamma(2) draws around a background that varies slowly over the cells. */
function trueRates(mean: number, seed: string): Float64Array {
  const uniform = uniforms(seededRandom(seed));
  return Float64Array.from(cells, (_, i) => {
    const background = mean * (1 + Math.sin(i / 400));
    return (-(Math.log(uniform()) + Math.log(uniform())) * (background + 0.2 * mean)) / 2;
  });
}

function releasedMonths(rates: Float64Array, scale: bigint, seed: string): Float64Array[] {
  const random = seededRandom(seed);
  const sampler = discreteLaplace({ scale: rational(scale) });
  const noise = new Int32Array(rates.length);
  return Array.from({ length: MONTHS }, () => {
    sampler.sampleInto(noise, random);
    return poissonDraws(rates, random).map((count, i) => count + (noise[i] as number));
  });
}

describe.each([
  [10n, 12],
  [2n, 4],
  [1n, 4],
])('noise of scale %d, %d incidents a cell-month', (scale, mean) => {
  const law = { mechanism: 'discrete-laplace', epsilon: 1 / Number(scale) } as const;
  const rates = trueRates(mean, `rates ${scale}`);
  const periods = releasedMonths(rates, scale, `months ${scale}`);
  const result = forecast({ periods, noiseVariance: noiseVariance(law), law }, neighbours);

  it('95 % intervals of the rate hold it in 93 to 97 % of the cells', () => {
    const { low, high } = rateInterval(result, 0.95);
    const held = rates.reduce(
      (sum, rate, i) => sum + (rate >= (low[i] as number) && rate <= (high[i] as number) ? 1 : 0),
      0,
    );
    expect(held / rates.length).toBeGreaterThan(0.93);
    expect(held / rates.length).toBeLessThan(0.97);
  });

  it('the Gini of the rates is within 0.03 of the truth, where the smoothed map is too even', () => {
    const truth = lorenz(rates).gini;
    const { gini, low, high } = giniUnderNoise(result, {
      random: seededRandom(`gini ${scale}`),
      coverage: 0.95,
    });
    expect(Math.abs(gini - truth)).toBeLessThan(0.03);
    expect(low).toBeLessThanOrEqual(gini);
    expect(high).toBeGreaterThanOrEqual(gini);
    expect(lorenz(result.mean).gini).toBeLessThan(truth);
  });

  it('P(top k) says how often cells are in the top', () => {
    const k = cellsOfShare(cells.length, 0.1);
    const p = topProbabilities(result, k);
    const limit = rates.slice().sort()[rates.length - k] as number;
    expect(Math.abs(p.reduce((sum, value) => sum + value, 0) / k - 1)).toBeLessThan(0.002);
    for (const [from, to] of [
      [0, 0.2],
      [0.2, 0.5],
      [0.5, 0.8],
      [0.8, 1],
    ] as const) {
      let claimed = 0;
      let found = 0;
      let count = 0;
      p.forEach((value, i) => {
        if (value < from || value >= to) return;
        claimed += value;
        found += (rates[i] as number) >= limit ? 1 : 0;
        count++;
      });
      if (count < 60) continue;
      expect(Math.abs(found - claimed) / count).toBeLessThan(0.1);
    }
  });
});

describe('emerging classes', () => {
  it('that are shown agree over 50 draws of the noise in at least 80 % of the cells', () => {
    const near = disk(cellAt(51.5, -0.1, 9), 16);
    const lists = neighbourLists(near);
    const random = seededRandom('emerging');
    const sampler = discreteLaplace({ scale: rational(1n) });
    const noise = new Int32Array(near.length);
    const core = new Set(disk(near[Math.floor(near.length / 2)] as bigint, 2));
    const truth = Array.from({ length: MONTHS }, (_, t) =>
      poissonDraws(
        Float64Array.from(near, (cell) => (core.has(cell) ? 8 + 2 * t : 1)),
        random,
      ),
    );
    const release = () =>
      truth.map((month) => {
        sampler.sampleInto(noise, random);
        return month.map((count, i) => count + (noise[i] as number));
      });
    const law = { mechanism: 'discrete-laplace', epsilon: 1 } as const;
    const first = emerging({ periods: release(), noiseVariance: noiseVariance(law), law }, lists, {
      sampler,
      random,
      draws: 20,
    });
    const shown = [...first.probability.keys()].filter(
      (i) => (first.probability[i] as number) >= LEAST_SHOWN,
    );
    expect(shown.length).toBeGreaterThan(near.length / 10);
    expect(shown.some((i) => first.classes[i] !== 0)).toBe(true);
    let agreed = 0;
    for (let draw = 0; draw < 50; draw++) {
      const classes = emergingClasses(release(), lists);
      for (const i of shown) if (classes[i] === first.classes[i]) agreed++;
    }
    expect(agreed / (50 * shown.length)).toBeGreaterThan(0.8);
  });
});
