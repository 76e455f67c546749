import { benjaminiHochberg, trends, trendTails } from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import { readSeries } from '../cell-series.js';
import { decimalText } from '../decimal.js';
import type { LayerMethod } from '../method.js';
import { cellText, MISSING, positionsWhere, RECORDED, seriesSummary } from '../series-summary.js';

export const trendLayer: LayerMethod<'trend'> = {
  description: {
    question: 'Which places are getting better or worse?',
    citation:
      'Mann 1945, Econometrica 13; Kendall 1975; Sen 1968, JASA 63; Benjamini and Hochberg 1995.',
    uncertainty:
      'z: Mann-Kendall score of the unclamped noisy counts with its continuity correction; p: two-sided, by the exact law of the score given the ties. Listed cells are discoveries at false discovery rate `rate` over all cells. slope: median change a period (Theil and Sen).',
    listed: 'Cells whose trend is a discovery.',
  },
  async compute(parameters, context) {
    const { rate } = parameters;
    const series = await readSeries(context.releases, parameters);
    if (series.names.length < 4) {
      throw new ConcordatError('too-few-periods', 'a trend needs at least four periods');
    }
    await context.progress(0.3);
    const { z, slope } = trends(series.periods);
    const p = trendTails(series.periods);
    const { threshold, count } = benjaminiHochberg(p, Number(rate));
    const found = positionsWhere(z.length, (i) => count > 0 && (p[i] as number) <= threshold);
    return {
      limitations: [
        RECORDED,
        MISSING,
        'With few periods the smallest possible p is large, and no single cell can be a discovery among many.',
        'Seasons are not taken out: compare whole years.',
      ],
      summary: {
        ...seriesSummary(series),
        rising: found.filter((i) => (z[i] as number) > 0).length,
        falling: found.filter((i) => (z[i] as number) < 0).length,
        threshold: decimalText(threshold),
      },
      columns: ['cell', 'z', 'p', 'slope'],
      rows: found.map((i) => [
        cellText(series, i),
        decimalText(z[i] as number),
        decimalText(p[i] as number),
        decimalText(slope[i] as number),
      ]),
    };
  },
};
