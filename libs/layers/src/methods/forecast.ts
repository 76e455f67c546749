import {
  cellsOfShare,
  countInterval,
  forecast,
  rankCells,
  rateInterval,
  topProbabilities,
} from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import type { Resolution } from '#libs/grid';
import { type CellSeries, readCompanions, readSeries } from '../cell-series.js';
import { decimalText } from '../decimal.js';
import { deprivationOf } from '../deprivation.js';
import { EVEN_WORLDS, fairnessReport, topCells } from '../fairness-report.js';
import { keyedRandom } from '../keyed-random.js';
import type { ComputeContext, LayerMethod } from '../method.js';
import { groupsOfCategory, type Range } from '../periods.js';
import { type AreaTotal, LEAST_TRAINING, releasedBackTest } from '../released-back-test.js';
import {
  asRelease,
  cellText,
  MISSING,
  ONE_LAW,
  positionsWhere,
  RECORDED,
  seriesSummary,
} from '../series-summary.js';

/** A cell with this chance of being among the hottest is listed beside those chosen. */
const POSSIBLE = 0.1;
/** Tested months without which there is no back-test worth the name. */
const LEAST_TESTED = 2;

/** Released total of the area in every period, with its variance. */
async function areaTotals(
  { releases }: ComputeContext,
  series: CellSeries,
  range: Range,
): Promise<readonly (AreaTotal | undefined)[]> {
  const totals = new Map<string, AreaTotal>();
  for (const { release, group } of groupsOfCategory(releases, series.category, range)) {
    const estimate = await release.estimate(group);
    const { variance } = await release.classOf(group);
    totals.set(group.period, {
      estimate: estimate[0] as number,
      variance: variance[0] as number,
    });
  }
  return series.names.map((name) => totals.get(name));
}

export const forecastLayer: LayerMethod<'forecast'> = {
  description: {
    question: 'Where will it be next?',
    citation:
      'Efron and Morris 1973, JASA 68; Clayton and Kaldor 1987, Biometrics 43; Harvey 1989; Fan and Xiong 2014, IEEE TKDE 26. Back-test: Chainey, Tompson, Uhlig 2008. Fairness: Lum and Isaac 2016.',
    uncertainty:
      'low and high enclose the true rate of the cell in the period forecast, countLow and countHigh the number of incidents that will be recorded there, each in a share `coverage` of the cells of the area (marginal coverage: single extreme cells less). Ends that fall between two counts are settled by draws from the content key. probabilityTop: posterior probability of being among the `top` share. Standard errors of hit rates are those of the noise. Hits and misses by quintile are of a period like those of the series: means over `worlds` worlds that the releases may have come from, tied to the released totals of larger cells.',
    listed:
      'The chosen cells (`top` share; by expected count, or by released mean where `summary.ranking` says so because the forecast is not clearly better), and cells with a chance of a tenth of belonging to them.',
  },
  async compute(parameters, context) {
    const { resolution, from, to, horizon } = parameters;
    const top = Number(parameters.top);
    const range = { from, to };
    const series = await readSeries(context.releases, parameters);
    if (series.names.length < LEAST_TRAINING + horizon - 1 + LEAST_TESTED) {
      throw new ConcordatError(
        'too-few-periods',
        `a forecast and its back-test need at least ${LEAST_TRAINING + horizon - 1 + LEAST_TESTED} periods`,
      );
    }
    const release = asRelease(series);
    const companions = await readCompanions(context.releases, series, resolution, range);
    await context.progress(0.1);
    const coverage = Number(parameters.coverage);
    const rates = forecast(release, series.neighbours, {
      horizon,
      coverage,
      ...(companions
        ? {
            allCrime: {
              periods: companions.periods,
              noiseVariance: companions.categories.length * release.noiseVariance,
            },
          }
        : {}),
    });
    await context.progress(0.2);
    const ranking = rankCells(release, rates, top);
    const chosen = topCells(ranking.scores, top);
    const random = keyedRandom(context.key);
    const { low, high } = rateInterval(rates, coverage);
    const counts = countInterval(rates, coverage, random);
    const k = Math.min(series.cells.length - 1, cellsOfShare(series.cells.length, top));
    const probabilityTop = topProbabilities(rates, k);
    const { backTest, drift } = await releasedBackTest({
      series,
      release,
      totals: await areaTotals(context, series, range),
      top,
      horizon,
      progress: (share) => context.progress(0.2 + 0.4 * share),
    });
    const fairness = await fairnessReport({
      releases: context.releases,
      series,
      range: parameters,
      release,
      deprivation: deprivationOf(
        await context.source.get(parameters.deprivation),
        series.cells,
        resolution as Resolution,
      ),
      rates,
      chosen,
      top,
      worlds: parameters.worlds,
      random,
      progress: (share) => context.progress(0.6 + 0.4 * share),
    });
    return {
      limitations: [
        RECORDED,
        MISSING,
        ONE_LAW,
        'It forecasts what will be recorded, and sending attention changes what is recorded: watch the fairness figures and stop when they drift.',
        'The back-test and the simulated worlds use the category alone, without the help of other categories.',
        EVEN_WORLDS,
        'Quintiles are of 2019 and of England; places without a known neighbourhood are quintile 0.',
        'Places are scored, never people.',
      ],
      summary: {
        ...seriesSummary(series),
        horizon,
        prior: rates.prior,
        growthPerPeriod: decimalText(rates.course.perPeriod),
        ranking: ranking.by,
        companions: [...(companions?.categories ?? [])],
        chosenCells: k,
        backTest,
        drift,
        fairness,
      },
      columns: ['cell', 'chosen', 'mean', 'low', 'high', 'countLow', 'countHigh', 'probabilityTop'],
      rows: positionsWhere(
        series.cells.length,
        (i) => chosen[i] === 1 || (probabilityTop[i] as number) >= POSSIBLE,
      ).map((i) => [
        cellText(series, i),
        chosen[i] as number,
        decimalText(rates.mean[i] as number),
        decimalText(low[i] as number),
        decimalText(high[i] as number),
        counts.low[i] as number,
        counts.high[i] as number,
        decimalText(probabilityTop[i] as number),
      ]),
    };
  },
};
