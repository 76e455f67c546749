import { concentration, forecast, giniUnderNoise, lorenz } from '#libs/analytics';
import { readSeries } from '../cell-series.js';
import { decimalText } from '../decimal.js';
import { keyedRandom } from '../keyed-random.js';
import type { LayerMethod } from '../method.js';
import { asRelease, MISSING, ONE_LAW, RECORDED, seriesSummary } from '../series-summary.js';

/** The curve is given at this many equal steps of the share of cells. */
const STEPS = 20;

export const concentrationLayer: LayerMethod<'concentration'> = {
  description: {
    question: 'How concentrated is crime?',
    citation:
      'Weisburd 2015, Criminology 53(2); Bernasco and Steenbeek 2017, Journal of Quantitative Criminology 33.',
    uncertainty:
      'giniLow and giniHigh enclose the Gini coefficient of the rates with probability `coverage` given the counts: rates drawn from the gamma law with the mean and variance of each cell.',
    listed: 'Points of the Lorenz curve of the denoised rates, cells in descending order.',
  },
  async compute(parameters, context) {
    const { draws, coverage } = parameters;
    const series = await readSeries(context.releases, parameters);
    await context.progress(0.2);
    const rates = forecast(asRelease(series), series.neighbours);
    await context.progress(0.6);
    const holds = concentration(rates.mean);
    const { gini, low, high } = giniUnderNoise(rates, {
      random: keyedRandom(context.key),
      draws,
      coverage: Number(coverage),
    });
    const { curve } = lorenz(rates.mean);
    return {
      limitations: [
        RECORDED,
        MISSING,
        ONE_LAW,
        'The error that all cells share, of the field they are shrunk towards, is not in the interval.',
      ],
      summary: {
        ...seriesSummary(series),
        gini: decimalText(gini),
        giniLow: decimalText(low),
        giniHigh: decimalText(high),
        giniOfChance: decimalText(holds.giniOfChance),
        activeCells: holds.activeCells,
        cellsHolding25: holds.cellsHolding25,
        cellsHolding50: holds.cellsHolding50,
      },
      columns: ['shareOfCells', 'shareOfIncidents'],
      rows: Array.from({ length: STEPS + 1 }, (_, step) => {
        const [x, y] = curve[Math.round((step / STEPS) * (curve.length - 1))] as readonly [
          number,
          number,
        ];
        return [decimalText(x), decimalText(y)];
      }),
    };
  },
};
