import { concentration, concentrationUnderNoise, forecast, lorenz } from '#libs/analytics';
import { readSeries } from '../cell-series.js';
import { decimalText } from '../decimal.js';
import { keyedRandom } from '../keyed-random.js';
import type { LayerMethod } from '../method.js';
import { asRelease, MISSING, ONE_LAW, RECORDED, seriesSummary } from '../series-summary.js';

/** The curve is given at this many equal steps of the share of cells. */
const STEPS = 20;
/** Shares of all incidents whose fewest cells are counted. */
const HELD_SHARES = [0.25, 0.5];

export const concentrationLayer: LayerMethod<'concentration'> = {
  description: {
    question: 'How concentrated is crime?',
    citation:
      'Weisburd 2015, Criminology 53(2); Bernasco and Steenbeek 2017, Journal of Quantitative Criminology 33.',
    uncertainty:
      'giniLow and giniHigh enclose the Gini coefficient of the mean rates of these cells over these periods in a share `coverage` of all repetitions of Poisson scatter and noise (a test of every value, inverted). Null where the counts say nothing about concentration. cellsHolding25 and 50 are the fewest cells that hold a quarter and half of the same rates, Low and High their interval (whole cells: held somewhat more often). The curve and active cells are of denoised rates, which are more even than the truth, and have no interval.',
    listed: 'Points of the Lorenz curve of the denoised rates, cells in descending order.',
  },
  async compute(parameters, context) {
    const series = await readSeries(context.releases, parameters);
    await context.progress(0.2);
    const rates = forecast(asRelease(series), series.neighbours);
    await context.progress(0.6);
    const holds = concentration(rates.mean);
    const { gini, holding } = concentrationUnderNoise(
      rates,
      { random: keyedRandom(context.key), coverage: Number(parameters.coverage) },
      HELD_SHARES,
    );
    const [quarter, half] = holding ?? [];
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
        gini: gini.isIdentified ? decimalText(gini.gini) : null,
        giniLow: gini.isIdentified ? decimalText(gini.low) : null,
        giniHigh: gini.isIdentified ? decimalText(gini.high) : null,
        giniOfChance: decimalText(holds.giniOfChance),
        activeCells: holds.activeCells,
        cellsHolding25: quarter?.cells ?? null,
        cellsHolding25Low: quarter?.low ?? null,
        cellsHolding25High: quarter?.high ?? null,
        cellsHolding50: half?.cells ?? null,
        cellsHolding50Low: half?.low ?? null,
        cellsHolding50High: half?.high ?? null,
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
