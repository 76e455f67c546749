/**
 * Likelihood of the released months of one cell under each rate of a grid around its prior mean. A drifting level
 * discounts month t by delta^(age), delta = 1 - the steady gain of the local-level filter (power steady model, Smith 1979,
 * J. R. Stat. Soc. B 41).
 */

import { type LikelihoodTable, LOG_STEP } from '../laws/likelihood-table.js';
import type { LevelModel, Periods } from './level.js';
import type { RatioLikelihood } from './ratio-law.js';
import { RATIO_ONE, RATIOS } from './ratio-starts.js';

/** Likelihoods below exp(-this) of the largest are zero towards higher rates. */
const REACH = 30;
/** Rates that are worked out at a time, until the likelihood has gone. */
const BLOCK = 32;
/** Months that are summed at a time. */
const TOGETHER = 6;

export interface CellsInput {
  readonly table: LikelihoodTable;
  readonly periods: Periods;
  readonly mean: Float64Array;
  readonly model: LevelModel;
  readonly noiseVariance: number;
}

/** What is filled again for each cell. */
type Room = { -readonly [K in keyof RatioLikelihood]: RatioLikelihood[K] };

/** Likelihood of any cell; undefined where it has no count or one that the table lacks. Each call overwrites the last result. */
export function cellLikelihoods(input: CellsInput): (cell: number) => RatioLikelihood | undefined {
  const { table, mean, periods } = input;
  const rates = table.rates.length;
  const places = TOGETHER * Math.ceil(periods.length / TOGETHER);
  const columns = new Int32Array(places);
  const weights = new Float64Array(places);
  const values = new Float64Array(RATIOS + 1);
  const logs = new Float64Array(RATIOS + 1).fill(Number.NEGATIVE_INFINITY);
  const room: Room = { origin: 0, fraction: 0, values, logs, from: 0, to: 0, peak: 0 };
  return (cell) => {
    const present = readMonths(input, cell, columns, weights);
    if (present === 0) return undefined;
    const centre = (Math.log(mean[cell] as number) - table.first) / LOG_STEP;
    const whole = Math.floor(centre);
    const origin = whole - RATIO_ONE;
    const first = Math.max(0, -origin);
    const beyond = Math.min(RATIOS, rates - 1 - origin) + 1;
    values.fill(0, room.from, room.to);
    logs.fill(Number.NEGATIVE_INFINITY, room.from, room.to);
    let most = Number.NEGATIVE_INFINITY;
    let peak = first;
    let to = first;
    let isGone = false;
    while (to < beyond && !isGone) {
      const end = Math.min(beyond, to + BLOCK);
      sumMonths(table.logs, rates, origin, columns, weights, present, logs, to, end);
      for (; to < end; to++) {
        const log = logs[to] as number;
        // The likelihood has one peak: nothing beyond this counts, but two points beside a sharp peak tell its shape.
        if (log < most - REACH && to > peak + 2) {
          logs.fill(Number.NEGATIVE_INFINITY, to, end);
          isGone = true;
          break;
        }
        if (log > most) {
          most = log;
          peak = to;
        }
      }
    }
    exponentials(logs, most, first, to, values);
    room.origin = origin;
    room.fraction = centre - whole;
    room.from = first;
    room.to = to;
    room.peak = peak;
    return room;
  };
}

/**
 * Fills `logs` from..to-1 with weighted sums of table columns. Six months at a time: each sum is read and written a sixth as often.
 * What is beyond `present` there has no weight.
 */
function sumMonths(
  known: Float64Array,
  rates: number,
  origin: number,
  columns: Int32Array,
  weights: Float64Array,
  present: number,
  logs: Float64Array,
  from: number,
  to: number,
): void {
  logs.fill(0, from, to);
  for (let t = 0; t < present; t += TOGETHER) {
    const a = (columns[t] as number) * rates + origin;
    const b = (columns[t + 1] as number) * rates + origin;
    const c = (columns[t + 2] as number) * rates + origin;
    const d = (columns[t + 3] as number) * rates + origin;
    const e = (columns[t + 4] as number) * rates + origin;
    const f = (columns[t + 5] as number) * rates + origin;
    const wa = weights[t] as number;
    const wb = weights[t + 1] as number;
    const wc = weights[t + 2] as number;
    const wd = weights[t + 3] as number;
    const we = weights[t + 4] as number;
    const wf = weights[t + 5] as number;
    for (let j = from; j < to; j++) {
      logs[j] =
        (logs[j] as number) +
        wa * (known[a + j] as number) +
        wb * (known[b + j] as number) +
        wc * (known[c + j] as number) +
        wd * (known[d + j] as number) +
        we * (known[e + j] as number) +
        wf * (known[f + j] as number);
    }
  }
}

/** Takes `most` from the logarithms from..to-1 and fills in what they are of. */
function exponentials(
  logs: Float64Array,
  most: number,
  from: number,
  to: number,
  values: Float64Array,
): void {
  for (let j = from; j < to; j++) {
    const log = (logs[j] as number) - most;
    logs[j] = log;
    values[j] = Math.exp(log);
  }
}

/** Share of a period's weight that each later period takes: the steady gain of the local-level filter. */
function discount(mean: number, { step, burst }: LevelModel, noiseVariance: number): number {
  const square = mean * mean;
  const ratio = (step * square) / (noiseVariance + mean + burst * square);
  return (Math.sqrt(ratio * ratio + 4 * ratio) - ratio) / 2;
}

/** Fills `out` with the share of each period in the evidence of a cell, oldest first; even shares where it has none. */
export function evidenceShares(
  { periods, mean, model, noiseVariance }: Omit<CellsInput, 'table'>,
  cell: number,
  out: Float64Array,
): void {
  const keep = 1 - discount(mean[cell] as number, model, noiseVariance);
  let weight = 1;
  let total = 0;
  for (let t = periods.length - 1; t >= 0; t--) {
    const isPresent = !Number.isNaN((periods[t] as Float64Array)[cell] as number);
    out[t] = isPresent ? weight : 0;
    if (isPresent) total += weight;
    weight *= keep;
  }
  if (!(total > 0)) out.fill(1 / periods.length);
  else for (let t = 0; t < out.length; t++) out[t] = (out[t] as number) / total;
}

/** Table columns and weights of the present months, newest first, and no weight beyond them; 0 when a count is not in the table. */
function readMonths(
  { table, periods, mean, model, noiseVariance }: CellsInput,
  cell: number,
  columns: Int32Array,
  weights: Float64Array,
): number {
  const gain = discount(mean[cell] as number, model, noiseVariance);
  let present = 0;
  let weight = 1;
  for (let t = periods.length - 1; t >= 0; t--) {
    const z = (periods[t] as Float64Array)[cell] as number;
    if (!Number.isNaN(z)) {
      const column = Math.max(0, z - table.lowest);
      if (column >= table.width || !Number.isInteger(column)) return 0;
      table.fill(column);
      columns[present] = column;
      weights[present++] = weight;
    }
    weight *= 1 - gain;
  }
  weights.fill(0, present);
  return present;
}
