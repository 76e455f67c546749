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
      'giniLow and giniHigh enclose the Gini coefficient of the mean rates of these cells over these periods in a share `coverage` of all repetitions of Poisson scatter and noise (a test of every value, inverted by about `draws` simulated maps). Null where the counts say nothing about concentration. Shares, active cells and cells holding 25 and 50 % are of denoised rates, which are more even than the truth, and have no interval.',
    listed: 'Points of the Lorenz curve of the denoised rates, cells in descending order.',
  },
  async compute(parameters, context) {
    const { draws, coverage } = parameters;
    const series = await readSeries(context.releases, parameters);
    await context.progress(0.2);
    const rates = forecast(asRelease(series), series.neighbours);
    await context.progress(0.6);
    const holds = concentration(rates.mean);
    const { gini, low, high, isIdentified } = giniUnderNoise(rates, {
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
        'The interval takes incidents as independent: where one brings the next, the Gini comes out a little high.',
      ],
      summary: {
        ...seriesSummary(series),
        gini: isIdentified ? decimalText(gini) : null,
        giniLow: isIdentified ? decimalText(low) : null,
        giniHigh: isIdentified ? decimalText(high) : null,
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
