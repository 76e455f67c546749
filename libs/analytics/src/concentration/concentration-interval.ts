/**
 * How few cells hold a quarter or half of the rates behind noisy counts, with confidence intervals beside that of the Gini
 * (`gini-interval.ts`): smoothed maps are too even, released counts too uneven. Rates are drawn from their posteriors many times, and
 * each draw is moved along its curve of powers to a Gini drawn from the inverted test (a confidence distribution: Xie and Singh 2013,
 * International Statistical Review 81), so that both what the Gini may be and which cells are the busiest are in the ends.
 */

import { normalQuantile } from '../laws/normal.js';
import type { Forecast } from '../predict/forecast.js';
import {
  type GiniEstimate,
  type GiniOptions,
  invertedTest,
  NOTHING_KNOWN,
} from './gini-interval.js';
import { fractionHolding, powerOf } from './rate-curve.js';

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
 * than 10,000 cells it looks at the busiest and a sample of the others. Throws `invalid-coverage`.
 */
export function concentrationUnderNoise(
  forecast: Forecast,
  options: GiniOptions,
  shares: readonly number[],
): ConcentrationUnderNoise {
  const test = invertedTest(forecast, options);
  if (!test) return { gini: NOTHING_KNOWN, holding: undefined };
  const { estimate, at, worlds } = test;
  if (!estimate.isIdentified) return { gini: estimate, holding: undefined };
  const fractions = shares.map(() => new Float64Array(worlds.length));
  worlds.forEach((curve, k) => {
    const power = powerOf(curve, at(normalQuantile((k + 0.5) / worlds.length)));
    shares.forEach((share, s) => {
      (fractions[s] as Float64Array)[k] = fractionHolding(curve, power, share);
    });
  });
  const [first] = worlds;
  const holding = fractions.map((values) => {
    const sorted = values.sort();
    const cellsAt = (p: number): number => quantileOf(sorted, p) * (first?.cells ?? 0);
    return {
      cells: Math.ceil(cellsAt(0.5)),
      low: Math.max(1, Math.floor(cellsAt((1 - options.coverage) / 2))),
      high: Math.ceil(cellsAt((1 + options.coverage) / 2)),
    };
  });
  return { gini: estimate, holding };
}
