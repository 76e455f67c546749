import { cellsOfShare, forecast, rankCells } from '#libs/analytics';
import type { Resolution } from '#libs/grid';
import { readSeries } from '../cell-series.js';
import { deprivationOf } from '../deprivation.js';
import { EVEN_WORLDS, fairnessReport, topCells } from '../fairness-report.js';
import { keyedRandom } from '../keyed-random.js';
import type { LayerMethod } from '../method.js';
import { asRelease, MISSING, ONE_LAW, RECORDED, seriesSummary } from '../series-summary.js';

export const fairnessLayer: LayerMethod<'fairness'> = {
  description: {
    question: 'Whom would attention to the hottest cells serve, and whom does the noise fail?',
    citation: 'Lum and Isaac 2016, Significance 13.',
    uncertainty:
      'Shares are facts of this choice. Hits and misses a period are means over `worlds` worlds that the releases may have come from, tied to the released totals of larger cells.',
    listed: 'One row a deprivation quintile: 1 most deprived, 5 least, 0 unknown.',
  },
  async compute(parameters, context) {
    const { top, worlds, deprivation } = parameters;
    const series = await readSeries(context.releases, parameters);
    const release = asRelease(series);
    await context.progress(0.1);
    const rates = forecast(release, series.neighbours);
    const share = Number(top);
    const reports = (await fairnessReport({
      releases: context.releases,
      series,
      range: parameters,
      release,
      deprivation: deprivationOf(
        await context.source.get(deprivation),
        series.cells,
        parameters.resolution as Resolution,
      ),
      rates,
      chosen: topCells(rankCells(release, rates, share).scores, share),
      top: share,
      worlds,
      random: keyedRandom(context.key),
      progress: (part) => context.progress(0.2 + 0.8 * part),
    })) as readonly Record<string, string | number | null>[];
    const columns = [
      'quintile',
      'patrolShare',
      'populationShare',
      'hits',
      'misses',
      'missesByNoise',
      'hitsByNoise',
    ];
    return {
      limitations: [
        RECORDED,
        MISSING,
        ONE_LAW,
        'Quintiles are of 2019 and of England; places without a known neighbourhood are quintile 0.',
        EVEN_WORLDS,
        'None of these figures can show crime that nobody recorded.',
      ],
      summary: { ...seriesSummary(series), chosenCells: cellsOfShare(series.cells.length, share) },
      columns,
      rows: reports.map((report) => columns.map((column) => report[column] ?? null)),
    };
  },
};
