import {
  benjaminiHochberg,
  cellsOfShare,
  cellTails,
  forecast,
  giStarOnGrid,
  giStarTails,
  sumPeriods,
  topProbabilities,
} from '#libs/analytics';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { type CellSeries, cellsByLaw, readSeries } from '../cell-series.js';
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

/** A cell at least as likely as not among the hottest is listed, tested or not. */
const LIKELY = 0.5;

/** Exact p-value of every cell: cells of one noise are tested together, each under its own law. */
function exactTails(
  series: CellSeries,
  sums: Float64Array,
  exposure: Float64Array,
  average: number,
): Float64Array {
  const p = new Float64Array(sums.length).fill(Number.NaN);
  for (const [sigma2, cells] of cellsByLaw(series)) {
    const members = cells.filter((i) => (exposure[i] as number) > 0);
    const pick = (values: Float64Array) => Float64Array.from(members, (i) => values[i] as number);
    const terms = pick(exposure);
    const tails = cellTails({
      sums: pick(sums),
      expected: terms.map((periods) => periods * average),
      terms,
      law: { mechanism: 'discrete-gaussian', sigma2 },
    });
    members.forEach((i, k) => {
      p[i] = tails[k] as number;
    });
  }
  return p;
}

/**
 * Exact p-value of G_i*, for cells that were counted most often: sums of fewer periods are not exchangeable with theirs. The law is
 * that of the released values, noise included. Where it cannot be tabulated no cell has one, and `law` says why.
 */
function clusterTails(
  { neighbours }: CellSeries,
  sums: Float64Array,
  exposure: Float64Array,
): { readonly p: Float64Array; readonly law: string } {
  const most = exposure.reduce((longest, periods) => Math.max(longest, periods), 0);
  const whole = sums.map((sum, i) => (exposure[i] === most ? sum : Number.NaN));
  try {
    return { p: giStarTails(whole, neighbours), law: 'exact' };
  } catch (error) {
    if (isConcordatError(error, 'values-too-wide') || isConcordatError(error, 'too-few-places')) {
      return { p: whole.fill(Number.NaN), law: error.code };
    }
    throw error;
  }
}

export const hotspotsLayer: LayerMethod<'hotspots'> = {
  description: {
    question: 'Which cells are hotter than the average of the area?',
    citation:
      'Exact tail of Poisson plus discrete Gaussian noise (Canonne, Kamath, Steinke 2020); Benjamini and Hochberg 1995; Ord and Getis 1995; Boots and Tiefelsdorf 2000.',
    uncertainty:
      'p: probability of a sum at least as high in a cell of average rate, noise included. Hot cells are those found at false discovery rate `rate` over all cells of the area. z: G_i* of the means, with the cell itself, a score and no test; clusterP: its two-sided p-value, by the exact law of the sums when the released values are dealt to the cells at random. probabilityTop: posterior probability that the cell is among the `top` share.',
    listed: 'Hot cells, and cells that are at least as likely as not among the `top` share.',
  },
  async compute(parameters, context) {
    const { rate, top } = parameters;
    const series = await readSeries(context.releases, parameters);
    const release = asRelease(series);
    const { sums, exposure } = sumPeriods(release);
    let total = 0;
    let counted = 0;
    for (let i = 0; i < sums.length; i++) {
      total += sums[i] as number;
      counted += exposure[i] as number;
    }
    if (counted === 0) {
      throw new ConcordatError('no-such-layer', 'no cell was counted in this range');
    }
    // A noisy total may be negative; an expected count is not.
    const average = Math.max(0, total / counted);
    await context.progress(0.2);
    const p = exactTails(series, sums, exposure, average);
    const { threshold, count } = benjaminiHochberg(p, Number(rate));
    await context.progress(0.5);
    const means = sums.map((sum, i) => sum / (exposure[i] as number));
    const z = giStarOnGrid(means, series.neighbours);
    const cluster = clusterTails(series, sums, exposure);
    const rates = forecast(release, series.neighbours);
    const k = Math.min(series.cells.length - 1, cellsOfShare(series.cells.length, Number(top)));
    const probabilityTop = topProbabilities(rates, k);
    const isHot = (i: number): boolean => count > 0 && (p[i] as number) <= threshold;
    return {
      limitations: [
        RECORDED,
        MISSING,
        `${ONE_LAW} The exact test knows the noise of every cell; G_i* and probabilityTop do not.`,
        'The average rate is taken from the same counts; its own error is not in p.',
      ],
      summary: {
        ...seriesSummary(series),
        averagePerCellPeriod: decimalText(average),
        hotCells: count,
        threshold: decimalText(threshold),
        topCells: k,
        clusterLaw: cluster.law,
      },
      columns: ['cell', 'hot', 'sum', 'periods', 'p', 'z', 'clusterP', 'probabilityTop'],
      rows: positionsWhere(
        series.cells.length,
        (i) => isHot(i) || (probabilityTop[i] as number) >= LIKELY,
      ).map((i) => [
        cellText(series, i),
        isHot(i) ? 1 : 0,
        sums[i] as number,
        exposure[i] as number,
        decimalText(p[i] as number),
        decimalText(z[i] as number),
        decimalText(cluster.p[i] as number),
        decimalText(probabilityTop[i] as number),
      ]),
    };
  },
};
