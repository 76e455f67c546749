/**
 * Whom a forecast serves, and whom the noise fails, by deprivation quintile. Shares of the chosen cells and of the people are
 * facts about this forecast. Hits and misses need true counts, which nobody outside an agency has: they are expectations over
 * simulated worlds, whose monthly counts are Poisson around the denoised map and whose noise is that of the releases. In each world
 * the same method chooses once from noisy and once from true counts; what only the second catches is missed because of the noise.
 */
import {
  cellsOfShare,
  fairness,
  forecast,
  poissonDraws,
  type QuintileReport,
  type Release,
  rankCells,
} from '#libs/analytics';
import type { Json } from '#libs/bytes';
import { discreteGaussian, type RandomSource, rationalFromNumber } from '#libs/dp';
import type { CellSeries } from './cell-series.js';
import { decimalText } from './decimal.js';
import type { Deprivation } from './deprivation.js';

export interface FairnessQuestion {
  readonly series: CellSeries;
  readonly release: Release;
  readonly deprivation: Deprivation;
  /** Expected count of each cell a month, and the cells chosen for it. */
  readonly mean: Float64Array;
  readonly chosen: Uint8Array;
  readonly top: number;
  readonly worlds: number;
  readonly random: RandomSource;
  readonly progress: (share: number) => Promise<void>;
}

/** 1 for the `share` of cells with the highest scores; ties go to the lower cell. */
export function topCells(scores: Float64Array, share: number): Uint8Array {
  const k = cellsOfShare(scores.length, share);
  const order = Uint32Array.from(scores.keys()).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number) || a - b,
  );
  const chosen = new Uint8Array(scores.length);
  for (const at of order.subarray(0, k)) chosen[at] = 1;
  return chosen;
}

const sampleWorld = ({ series, release, mean, random }: FairnessQuestion) => {
  const months = release.periods.map((period) => {
    const counts = poissonDraws(mean, random);
    return counts.map((count, i) => (Number.isNaN(period[i] as number) ? Number.NaN : count));
  });
  const noise = new Int32Array(mean.length);
  const sampler = discreteGaussian({ sigma2: rationalFromNumber(series.typicalSigma2) });
  const noisy = months.map((counts) => {
    sampler.sampleInto(noise, random);
    return counts.map((count, i) => count + (noise[i] as number));
  });
  return { months, noisy, next: poissonDraws(mean, random) };
};

const choose = ({ series, top }: FairnessQuestion, release: Release): Uint8Array =>
  topCells(rankCells(release, forecast(release, series.neighbours), top).scores, top);

/** One object a quintile, unknown (0) first. */
export async function fairnessReport(question: FairnessQuestion): Promise<Json> {
  const { deprivation, chosen, worlds, mean, progress } = question;
  const { quintiles, people } = deprivation;
  const facts = fairness({ quintiles, population: people, chosen, actual: mean });
  const runs: QuintileReport[][] = [];
  for (let world = 0; world < worlds; world++) {
    const { months, noisy, next } = sampleWorld(question);
    const seen = choose(question, { ...question.release, periods: noisy });
    await progress((world + 0.5) / worlds);
    const known = choose(question, {
      ...question.release,
      periods: months,
      noiseVariance: 0,
      law: { mechanism: 'none' },
    });
    runs.push(
      fairness({
        quintiles,
        population: people,
        chosen: seen,
        chosenWithoutNoise: known,
        actual: next,
      }),
    );
    await progress((world + 1) / worlds);
  }
  const average = (at: number, figure: (report: QuintileReport) => number | undefined) =>
    decimalText(
      runs.reduce((sum, run) => sum + (figure(run[at] as QuintileReport) ?? 0), 0) / worlds,
    );
  return facts.map(({ quintile, patrolShare, populationShare }, at) => ({
    quintile,
    patrolShare: decimalText(patrolShare),
    populationShare: decimalText(populationShare),
    hits: average(at, ({ hits }) => hits),
    misses: average(at, ({ misses }) => misses),
    missesByNoise: average(at, ({ missesByNoise }) => missesByNoise),
    hitsByNoise: average(at, ({ hitsByNoise }) => hitsByNoise),
  }));
}
