/**
 * How few cells hold a quarter or half of the rates behind noisy counts, with confidence intervals beside that of the Gini
 * (`gini-interval.ts`): smoothed maps are too even, released counts too uneven. Rates are drawn from their posteriors many times, and
 * each draw is moved along its curve of powers to a Gini drawn from the inverted test (a confidence distribution: Xie and Singh 2013,
 * International Statistical Review 81), so that both what the Gini may be and which cells are the busiest are in the ends.
 */
import type { Forecast } from './forecast.js';
import {
  curveThrough,
  type GiniEstimate,
  type GiniOptions,
  invertedTest,
  NOTHING_KNOWN,
} from './gini-interval.js';
import { normalQuantile } from './normal.js';

/** Shares of incidents: drawn worlds, cells drawn in all, and cells of one world. */
const LEAST_WORLDS = 40;
const MOST_WORLDS = 100;
const CELL_WORLDS = 1e6;
const MOST_SHARE_CELLS = 20_000;

export interface CellsHolding {
  /** Fewest cells that hold the share of all incidents: the middle of what is likely, and its ends. */
  readonly cells: number;
  readonly low: number;
  readonly high: number;
}

export interface ConcentrationUnderNoise {
  readonly gini: GiniEstimate;
  /** One for each share asked for; undefined where the Gini is not identified. */
  readonly holding: readonly CellsHolding[] | undefined;
}

/** Cells that hold the largest share of the total, as a fraction of all: the last one in part. */
function fractionHolding(descending: Float64Array, share: number): number {
  const total = descending.reduce((sum, value) => sum + value, 0);
  let left = share * total;
  let at = 0;
  while (at < descending.length && left > (descending[at] as number)) {
    left -= descending[at++] as number;
  }
  return (at + left / (descending[at] as number)) / descending.length;
}

/** Value below which the share `p` of ascending `values` lies, between two of them in proportion. */
function quantileOf(values: Float64Array, p: number): number {
  const place = Math.min(values.length - 1, Math.max(0, p * values.length - 0.5));
  const before = Math.floor(place);
  const a = values[before] as number;
  const b = values[Math.min(values.length - 1, before + 1)] as number;
  return a + (place - before) * (b - a);
}

/**
 * The Gini, and how few cells hold each of `shares` of the mean rates, with confidence intervals of this `coverage`. Of an area of more
 * than 20,000 cells it looks at as many, evenly spread, and its intervals are wider than they need be. Throws `invalid-draws`.
 */
export function concentrationUnderNoise(
  forecast: Forecast,
  options: GiniOptions,
  shares: readonly number[],
): ConcentrationUnderNoise {
  const test = invertedTest(forecast, options);
  if (!test) return { gini: NOTHING_KNOWN, holding: undefined };
  const { estimate, at, counted, draw } = test;
  if (!estimate.isIdentified) return { gini: estimate, holding: undefined };
  const stride = Math.ceil(counted.length / MOST_SHARE_CELLS);
  const cells = counted.filter((_, k) => k % stride === 0);
  const worlds = Math.max(LEAST_WORLDS, Math.min(MOST_WORLDS, CELL_WORLDS / cells.length));
  const count = Math.floor(worlds);
  const fractions = shares.map(() => new Float64Array(count));
  draw(cells, count).forEach((drawn, k) => {
    const gini = at(normalQuantile((k + 0.5) / count));
    const rates = curveThrough(drawn, 1)(gini).sort().reverse();
    shares.forEach((share, s) => {
      (fractions[s] as Float64Array)[k] = fractionHolding(rates, share);
    });
  });
  const holding = fractions.map((values) => {
    const sorted = values.sort();
    const cellsAt = (p: number): number => quantileOf(sorted, p) * counted.length;
    return {
      cells: Math.ceil(cellsAt(0.5)),
      low: Math.max(1, Math.floor(cellsAt((1 - options.coverage) / 2))),
      high: Math.ceil(cellsAt((1 + options.coverage) / 2)),
    };
  });
  return { gini: estimate, holding };
}
