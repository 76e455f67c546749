/** Statements that every layer over cells makes alike: how much was counted, under which noise, with which limits. */
import type { NoiseLaw, Release } from '#libs/analytics';
import { noiseVariance } from '#libs/analytics';
import type { Json } from '#libs/bytes';
import { cellToText } from '#libs/grid';
import { type CellSeries, typicalLaw } from './cell-series.js';
import { decimalText } from './decimal.js';
import { type Step, stepOf } from './periods.js';

/** Cells, periods, gaps and noise of a series. */
export const seriesSummary = (series: CellSeries): Record<string, Json> => ({
  cells: series.cells.length,
  periods: [...series.names],
  missingCellPeriods: series.missing,
  noise: {
    mechanism: 'discrete-gaussian',
    sigma2: decimalText(series.typicalSigma2),
    mostSigma2: decimalText(series.mostSigma2),
    otherCells: series.otherCells,
  },
});

export const RECORDED =
  'Counts are of recorded incidents. Where people do not report, or police do not look, the record is low.';
export const MISSING =
  'What was not counted is missing, never zero; a cell counted by fewer agencies than in another period is missing in this one.';
export const ONE_LAW =
  'Where areas of two agencies overlap the noise is wider than assumed (summary.noise.otherCells).';

/** Months or weeks until the calendar starts again. */
const PERIODS_PER_YEAR: Readonly<Record<Step, number>> = { month: 12, week: 365.25 / 7 };

/** A series as the forecast takes it. Throws `mixed-noise`. */
export function asRelease(series: CellSeries): Release & { readonly law: NoiseLaw } {
  const law = typicalLaw(series);
  return {
    periods: series.periods,
    noiseVariance: noiseVariance(law),
    law,
    periodsPerYear: PERIODS_PER_YEAR[stepOf(series.names)],
  };
}

/** Text of the cell at a position. */
export const cellText = (series: CellSeries, at: number): string =>
  cellToText(series.cells[at] as bigint);

/** Positions where `wanted` holds, ascending. */
export function positionsWhere(count: number, wanted: (at: number) => boolean): number[] {
  const found: number[] = [];
  for (let at = 0; at < count; at++) if (wanted(at)) found.push(at);
  return found;
}
