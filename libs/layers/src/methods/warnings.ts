import { forecast, type Release, usualBaseline, warnings } from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import { readSeries } from '../cell-series.js';
import { decimalText } from '../decimal.js';
import type { LayerMethod } from '../method.js';
import {
  asRelease,
  cellText,
  MISSING,
  ONE_LAW,
  positionsWhere,
  RECORDED,
  seriesSummary,
} from '../series-summary.js';

/** Periods that a baseline needs. */
const LEAST_EARLIER = 3;

export const warningsLayer: LayerMethod<'warnings'> = {
  description: {
    question: 'Where should somebody look now?',
    citation:
      'Roberts 1959, Technometrics 1; Lucas and Saccucci 1990; predictive tails by Lugannani and Rice 1980, Advances in Applied Probability 12.',
    uncertainty:
      'A cell warns when its exponentially weighted departure from its own earlier rate, moved with all cells (`commonChange`), is above `limit`, which a share `falseAlarms` of cells that go as all others do exceeds: Poisson scatter, noise and all that is not known of the earlier rate are in it.',
    listed: 'Cells that warn after the last period.',
  },
  async compute(parameters, context) {
    const { recent, falseAlarms } = parameters;
    const series = await readSeries(context.releases, parameters);
    const release = asRelease(series);
    const earlier = series.names.length - recent;
    if (earlier < LEAST_EARLIER) {
      throw new ConcordatError(
        'too-few-periods',
        `the usual rate needs ${LEAST_EARLIER} periods before the ${recent} that are watched`,
      );
    }
    await context.progress(0.2);
    const before: Release = { ...release, periods: release.periods.slice(0, earlier) };
    const usual = forecast(before, series.neighbours);
    await context.progress(0.7);
    const { statistic, limit, warned, commonChange } = warnings(
      release.periods.slice(earlier),
      usualBaseline(usual),
      { law: release.law, falseAlarms: Number(falseAlarms) },
    );
    const warning = positionsWhere(warned.length, (i) => warned[i] === 1);
    return {
      limitations: [
        RECORDED,
        MISSING,
        ONE_LAW,
        'What all cells of the area share (a season, a bank holiday) is in commonChange and no warning; a season of some places alone, such as a beach, is a departure here.',
      ],
      summary: {
        ...seriesSummary(series),
        watched: series.names.slice(earlier),
        commonChange: commonChange.map(decimalText),
        warned: warning.length,
        expectedFalseAlarms: decimalText(Number(falseAlarms) * series.cells.length),
      },
      columns: ['cell', 'usualRate', 'statistic', 'limit'],
      rows: warning.map((i) => [
        cellText(series, i),
        decimalText(usual.mean[i] as number),
        decimalText(statistic[i] as number),
        decimalText(limit[i] as number),
      ]),
    };
  },
};
