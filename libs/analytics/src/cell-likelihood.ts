/**
 * Likelihood of the released months of one cell under each rate of a grid around its prior mean. A drifting level
 * discounts month t by delta^(age), delta = 1 - the steady gain of the local-level filter (power steady model, Smith 1979,
 * J. R. Stat. Soc. B 41).
 */
import type { LevelModel, Periods } from './level.js';
import { type LikelihoodTable, LOG_STEP } from './likelihood-table.js';
import { RATIO_ONE, RATIOS, type RatioLikelihood } from './ratio-law.js';

/** Likelihoods below exp(-this) of the largest are zero towards higher rates. */
const REACH = 30;

export interface CellsInput {
  readonly table: LikelihoodTable;
  readonly periods: Periods;
  readonly mean: Float64Array;
  readonly model: LevelModel;
  readonly noiseVariance: number;
}

/** Likelihood of any cell; undefined where it has no count or one that the table lacks. Each call overwrites the last result. */
export function cellLikelihoods(input: CellsInput): (cell: number) => RatioLikelihood | undefined {
  const { table, mean, periods } = input;
  const { logs } = table;
  const rates = table.rates.length;
  const columns = new Int32Array(periods.length);
  const weights = new Float64Array(periods.length);
  const values = new Float64Array(RATIOS + 1);
  return (cell) => {
    const present = readMonths(input, cell, columns, weights);
    if (present === 0) return undefined;
    const centre = (Math.log(mean[cell] as number) - table.first) / LOG_STEP;
    const origin = Math.floor(centre) - RATIO_ONE;
    const first = Math.max(0, -origin);
    const last = Math.min(RATIOS, rates - 1 - origin);
    values.fill(0);
    for (let t = 0; t < present; t++) {
      const weight = weights[t] as number;
      const run = (columns[t] as number) * rates + origin;
      for (let j = first; j <= last; j++) {
        values[j] = (values[j] as number) + weight * (logs[run + j] as number);
      }
    }
    let most = Number.NEGATIVE_INFINITY;
    let end = first;
    for (; end <= last; end++) {
      const log = values[end] as number;
      // The likelihood has one peak: nothing beyond this counts.
      if (log < most - REACH) break;
      if (log > most) most = log;
    }
    values.fill(0, end);
    for (let j = first; j < end; j++) values[j] = Math.exp((values[j] as number) - most);
    return { origin, fraction: centre - Math.floor(centre), values };
  };
}

/** Table columns and weights of the present months, newest first; 0 when a count is not in the table. */
function readMonths(
  { table, periods, mean, model, noiseVariance }: CellsInput,
  cell: number,
  columns: Int32Array,
  weights: Float64Array,
): number {
  const m = mean[cell] as number;
  const ratio = (model.step * m * m) / (noiseVariance + m + model.burst * m * m);
  const gain = (Math.sqrt(ratio * ratio + 4 * ratio) - ratio) / 2;
  let present = 0;
  let weight = 1;
  for (let t = periods.length - 1; t >= 0; t--) {
    const z = (periods[t] as Float64Array)[cell] as number;
    if (!Number.isNaN(z)) {
      const column = Math.max(0, z - table.lowest);
      if (column >= table.width || !Number.isInteger(column)) return 0;
      columns[present] = column;
      weights[present++] = weight;
    }
    weight *= 1 - gain;
  }
  return present;
}
