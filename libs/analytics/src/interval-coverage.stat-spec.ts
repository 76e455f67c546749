/**
 * How often the intervals of the forecast and of the Gini coefficient hold the truth, over made-up worlds that the forecast assumes:
 * smooth background times gamma-distributed cells, Poisson counts, discrete Laplace noise. Seeded. Five worlds, a hundred with
 * CONCORDAT_NIGHTLY=1, which prints its figures.
 */
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { clopperPearson, seededRandom } from '#libs/testing';
import { giniUnderNoise, lorenz } from './concentration.js';
import { forecast, rateInterval } from './forecast.js';
import { noiseVariance } from './pmf.js';
import { poissonDraws, uniforms } from './random-variates.js';

const nightly = process.env.CONCORDAT_NIGHTLY === '1';
const WORLDS = nightly ? 100 : 5;
const MONTHS = 12;
const cells = disk(cellAt(51.5, -0.1, 9), 14);
const neighbours = neighbourLists(cells);

interface Noise {
  readonly epsilon: number;
  readonly scale: readonly [bigint, bigint];
  readonly mean: number;
}

/** Share of cells whose rate is held, and how many worlds have their Gini held. */
function coverage({ epsilon, scale, mean }: Noise): { rates: number; ginis: number } {
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const sampler = discreteLaplace({ scale: rational(...scale) });
  const noise = new Int32Array(cells.length);
  let held = 0;
  let ginis = 0;
  for (let world = 0; world < WORLDS; world++) {
    const random = seededRandom(`coverage ${epsilon} ${world}`);
    const uniform = uniforms(random);
    const rates = Float64Array.from(cells, (_, i) => {
      const background = mean * (1 + Math.sin(i / 400));
      return (-(Math.log(uniform()) + Math.log(uniform())) * (background + 0.2 * mean)) / 2;
    });
    const periods = Array.from({ length: MONTHS }, () => {
      sampler.sampleInto(noise, random);
      return poissonDraws(rates, random).map((count, i) => count + (noise[i] as number));
    });
    const result = forecast({ periods, noiseVariance: noiseVariance(law), law }, neighbours);
    const { low, high } = rateInterval(result, 0.95);
    rates.forEach((rate, i) => {
      if (rate >= (low[i] as number) && rate <= (high[i] as number)) held++;
    });
    const gini = giniUnderNoise(result, { random, draws: 200, coverage: 0.95 });
    const truth = lorenz(rates).gini;
    if (truth >= gini.low && truth <= gini.high) ginis++;
  }
  return { rates: held / (WORLDS * cells.length), ginis };
}

describe.each<Noise>([
  { epsilon: 0.1, scale: [10n, 1n], mean: 12 },
  { epsilon: 0.5, scale: [2n, 1n], mean: 4 },
  { epsilon: 1, scale: [1n, 1n], mean: 4 },
  { epsilon: 2, scale: [1n, 2n], mean: 4 },
])('95 % intervals at epsilon $epsilon, $mean incidents a cell-month', (noise) => {
  it('hold 93 to 97 % of the rates; of the Gini coefficients as many as is stated', () => {
    const { rates, ginis } = coverage(noise);
    if (nightly) {
      process.stdout.write(
        `${JSON.stringify({ ...noise, scale: undefined, rates, ginis, worlds: WORLDS })}\n`,
      );
    }
    expect(rates).toBeGreaterThan(0.93);
    expect(rates).toBeLessThan(0.97);
    // Less than the 95 % asked for where noise is wide: docs/analytics/concentration.md has the figures.
    expect(clopperPearson(ginis, WORLDS, 1e-6).upper).toBeGreaterThan(0.85);
  }, 600_000);
});
