/**
 * Whom a forecast serves, and whom the noise fails, by deprivation quintile. Shares of the chosen cells and of the people are
 * facts about this forecast. Hits and misses need true counts, which nobody outside an agency has: they are means over worlds that the
 * releases may have come from. The rate of each cell is drawn from its posterior and tied to the released totals of the larger cells
 * around it (`released-totals.ts`), as a map of single cells adds up to anything; the true counts of each period are drawn given the rate
 * and the released count. In each world the same method chooses once more, from the true counts: what only that choice catches is
 * missed because of the noise.
 */
import {
  cellsOfShare,
  countModel,
  drawnLevels,
  type Forecast,
  fairness,
  forecast,
  type NoiseLaw,
  type QuintileReport,
  type Release,
  rankCells,
  uniforms,
} from '#libs/analytics';
import type { Json } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import type { CellSeries } from './cell-series.js';
import { decimalText } from './decimal.js';
import type { Deprivation } from './deprivation.js';
import type { Range } from './periods.js';
import type { OpenRelease } from './release-blobs.js';
import { factorsToTotals } from './released-totals.js';

export const EVEN_WORLDS =
  'Where the counts show little beyond their noise, the simulated worlds are too even: misses caused by the noise come out too low.';

/** Worlds whose rates are in memory together: drawing those of one cell in all of them works its posterior out once. */
const AT_ONCE = 8;

export interface FairnessQuestion {
  readonly releases: readonly OpenRelease[];
  readonly series: CellSeries;
  /** Which counts of the releases the series has. */
  readonly range: Range & { readonly resolution: number };
  readonly release: Release & { readonly law: NoiseLaw };
  readonly deprivation: Deprivation;
  readonly rates: Forecast;
  /** Cells chosen by it. */
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

const choose = ({ series, top }: FairnessQuestion, release: Release): Uint8Array =>
  topCells(rankCells(release, forecast(release, series.neighbours), top).scores, top);

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** One object a quintile, unknown (0) first. */
export async function fairnessReport(question: FairnessQuestion): Promise<Json> {
  const { series, release, rates, deprivation, chosen, worlds, random, progress } = question;
  const { quintiles, people } = deprivation;
  const uniform = uniforms(random);
  const counts = countModel(rates, release.law, uniform);
  const tied = await factorsToTotals(
    question.releases,
    series,
    question.range,
    counts.rates(rates.basis.levels.level),
    counts.factors,
  );
  const usual = meanOf(
    counts.factors.filter((_, t) => release.periods[t]?.some((count) => !Number.isNaN(count))),
  );
  const runs: QuintileReport[][] = [];
  while (runs.length < worlds) {
    for (const levels of drawnLevels(rates, Math.min(AT_ONCE, worlds - runs.length), uniform)) {
      const perPeriod = counts.rates(levels).map((rate, i) => rate * (tied[i] as number));
      const known = choose(question, {
        ...release,
        periods: counts.draw(perPeriod),
        noiseVariance: 0,
        law: { mechanism: 'none' },
      });
      runs.push(
        fairness({
          quintiles,
          population: people,
          chosen,
          chosenWithoutNoise: known,
          actual: perPeriod.map((rate) => rate * usual),
        }),
      );
      await progress(runs.length / worlds);
    }
  }
  const average = (at: number, figure: (report: QuintileReport) => number | undefined) =>
    decimalText(meanOf(runs.map((run) => figure(run[at] as QuintileReport) ?? 0)));
  return (runs[0] ?? []).map(({ quintile, patrolShare, populationShare }, at) => ({
    quintile,
    patrolShare: decimalText(patrolShare),
    populationShare: decimalText(populationShare),
    hits: average(at, ({ hits }) => hits),
    misses: average(at, ({ misses }) => misses),
    missesByNoise: average(at, ({ missesByNoise }) => missesByNoise),
    hitsByNoise: average(at, ({ hitsByNoise }) => hitsByNoise),
  }));
}
