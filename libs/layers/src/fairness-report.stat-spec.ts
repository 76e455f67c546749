/**
 * Expected hits, misses and misses by noise against worlds whose rates and counts are known here, over the noise of epsilon about 0.1 to 2.
 * Seeds are fixed: nothing here can fail by chance.
 */
import { describe, expect, it } from '@jest/globals';
import { fairness, forecast, gammaDraw, poissonDraws, rankCells, uniforms } from '#libs/analytics';
import { disk, neighbourLists, sortedCells } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { readSeries } from './cell-series.js';
import { fairnessReport, topCells } from './fairness-report.js';
import { bristol, months, Published, publish } from './published.fixture-spec.js';
import { openRelease } from './release-blobs.js';
import { asRelease } from './series-summary.js';

const cells = sortedCells(disk(bristol, 19));
const neighbours = neighbourLists(cells);
const year = months(12);
const TOP = 0.03;
const store = new Published();
const quintiles = Uint8Array.from(cells, (_, i) => 1 + (Math.floor(i / 40) % 5));
const population = new Float64Array(cells.length).fill(1);
const FIGURES = ['hits', 'misses', 'missesByNoise'] as const;
type Figures = Record<(typeof FIGURES)[number], number>;

const totals = (reports: readonly object[]): Figures =>
  Object.fromEntries(
    FIGURES.map((figure) => [
      figure,
      reports.reduce((sum, report) => sum + Number((report as Figures)[figure]), 0),
    ]),
  ) as unknown as Figures;

/** What the report says, and what is so, of the choice made on one release. */
async function judge(rho: string, mean: number, seed: string) {
  const random = seededRandom(`truth ${rho} ${mean} ${seed}`);
  const uniform = uniforms(random);
  const shape = 0.15;
  const rates = Float64Array.from(cells, () => (mean / shape) * gammaDraw(shape, uniform));
  const truth = year.map(() => poissonDraws(rates, random));
  const id = publish(store, {
    cells,
    rho,
    seed: `${rho} ${mean} ${seed}`,
    counts: {
      robbery: Object.fromEntries(
        year.map((month, t) => [month, (i: number) => truth[t]?.[i] as number]),
      ),
    },
  });
  const releases = [await openRelease(id, store, new Map())];
  const range = { category: 'robbery', resolution: 9 } as const;
  const series = await readSeries(releases, range);
  const release = asRelease(series);
  const fitted = forecast(release, neighbours);
  const chosen = topCells(rankCells(release, fitted, TOP).scores, TOP);
  const said = await fairnessReport({
    releases,
    series,
    range,
    release,
    deprivation: { quintiles, people: population },
    rates: fitted,
    chosen,
    top: TOP,
    worlds: 6,
    random,
    progress: async () => {},
  });
  const known = {
    ...release,
    periods: truth,
    noiseVariance: 0,
    law: { mechanism: 'none' },
  } as const;
  const best = topCells(rankCells(known, forecast(known, neighbours), TOP).scores, TOP);
  const so = fairness({ quintiles, population, chosen, chosenWithoutNoise: best, actual: rates });
  return { said: totals(said as unknown as object[]), so: totals(so) };
}

describe('the fairness of a choice made on noisy counts', () => {
  it.each([
    { epsilon: 0.1, rho: '1/200', mean: 2 },
    { epsilon: 0.5, rho: '1/8', mean: 0.4 },
    { epsilon: 1, rho: '1/2', mean: 0.02 },
    { epsilon: 2, rho: '2', mean: 0.1 },
  ])('is expected nearly as it is: epsilon about $epsilon, $mean a cell', async ({ rho, mean }) => {
    const judged = [await judge(rho, mean, 'a'), await judge(rho, mean, 'b')];
    const said = totals(judged.map((one) => one.said));
    const so = totals(judged.map((one) => one.so));
    expect(Math.abs((said.hits + said.misses) / (so.hits + so.misses) - 1)).toBeLessThan(0.1);
    expect(Math.abs(said.misses / so.misses - 1)).toBeLessThan(0.15);
    expect(said.missesByNoise / so.missesByNoise).toBeGreaterThan(0.6);
    expect(said.missesByNoise / so.missesByNoise).toBeLessThan(1.5);
  });
});
