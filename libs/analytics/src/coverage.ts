/**
 * Is the record complete? Missing is not zero: a month, or part of an area in a month, that was never delivered must not be
 * read as quiet. A unit (a district, an LSOA, a coarse cell) is silent in a period when its count is below half of its
 * own median and lower than Poisson around that, with the noise, would be once in ten thousand. A period is partial when silent units would have
 * held a twentieth of all incidents, missing when they would have held nine tenths. When boundaries are drawn anew, units end and
 * others begin: what a period holds in units that usually hold next to nothing, beyond
 * what they hold in bursts in any period, is set against what its silent units lack.
 */
import { ConcordatError } from '#libs/bytes';
import { noisyTail } from './laws/exact-tail.js';
import { type NoiseLaw, noisePmf } from './laws/pmf.js';
import type { Periods } from './rates/level.js';

export type Completeness = 'complete' | 'partial' | 'missing';

export interface PeriodCoverage {
  /** Share of the usual incidents that belong to silent units, less those recorded in units that usually hold next to nothing. */
  readonly silentShare: number;
  readonly completeness: Completeness;
}

const ONCE_IN = 1e-4;
/** Seasons move large units by more than chance: above this share of its usual count a unit is quiet, not silent. */
const QUIET = 0.5;
const PARTIAL_SHARE = 0.05;
const MISSING_SHARE = 0.9;
/** Least usual count that can be silent without noise: exp(-count) is once in ten thousand. */
const LEAST_SILENT = -Math.log(ONCE_IN);

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Median of each unit over the periods in which it was delivered (NaN: it was not). */
function usualCounts(periods: Periods, units: number): Float64Array {
  return Float64Array.from({ length: units }, (_, unit) => {
    const delivered = Float64Array.from(periods, (period) => period[unit] as number).filter(
      (count) => !Number.isNaN(count),
    );
    return delivered.length === 0 ? 0 : Math.max(0, median(delivered));
  });
}

/**
 * Coverage of each period. `periods` holds one vector of units per period; NaN is a unit known not to be delivered. Units
 * with a usual count below about 9 can never be silent: use coarser units for rare categories. More than half of the
 * periods must be complete, or gaps become what is usual. Throws `too-few-periods` below 6.
 */
export function coverage(periods: Periods, law: NoiseLaw): PeriodCoverage[] {
  if (periods.length < 6) {
    throw new ConcordatError('too-few-periods', 'usual counts need at least six periods');
  }
  const units = periods[0]?.length ?? 0;
  const usual = usualCounts(periods, units);
  const total = usual.reduce((sum, count) => sum + count, 0);
  const tail = noisyTail(noisePmf(law), 1);
  const silent = new Float64Array(periods.length);
  const elsewhere = new Float64Array(periods.length);
  periods.forEach((period, t) => {
    for (let unit = 0; unit < units; unit++) {
      const count = period[unit] as number;
      const expected = usual[unit] as number;
      const law = Number.isNaN(count) ? undefined : tail.pair(expected, count);
      if (law === undefined || (1 - law.above < ONCE_IN && count < QUIET * expected)) {
        silent[t] = (silent[t] as number) + expected;
      } else if (expected < LEAST_SILENT && law.atLeast < ONCE_IN) {
        elsewhere[t] = (elsewhere[t] as number) + count - expected;
      }
    }
  });
  // Small units have bursts in any period; only what goes beyond those can stand for silent ones.
  const bursts = median(elsewhere);
  return Array.from(silent, (lacking, t) => {
    const moved = Math.max(0, (elsewhere[t] as number) - bursts);
    const silentShare = total === 0 ? 0 : Math.max(0, lacking - moved) / total;
    return { silentShare, completeness: completenessOf(silentShare) };
  });
}

const completenessOf = (silentShare: number): Completeness => {
  if (silentShare >= MISSING_SHARE) return 'missing';
  return silentShare >= PARTIAL_SHARE ? 'partial' : 'complete';
};

export interface IntakeMonth {
  readonly records: number;
  /** Records with coordinates. */
  readonly located: number;
  /** Records dropped as duplicates. */
  readonly duplicates: number;
}

export interface IntakeFlag {
  readonly period: number;
  readonly flag: 'less-located' | 'more-duplicates' | 'series-break';
}

/** Departure from the median, in robust standard deviations, that is flagged. */
const ODD = 5;
/** Logarithms of counts are taken to scatter by 2 % at least: a change of level below a tenth is no break. */
const LEAST_LOG_SPREAD = 0.02;
/** Normal consistency of the median absolute deviation. */
const MAD_SCALE = 1.4826;

/** Periods whose value departs from the median to the side asked for. `floor` is the least spread assumed. */
function oddPeriods(values: Float64Array, side: 1 | -1, floor: number): number[] {
  const centre = median(values);
  const spread = MAD_SCALE * median(values.map((value) => Math.abs(value - centre)));
  return Array.from(values.keys()).filter(
    (i) => side * ((values[i] as number) - centre) > ODD * Math.max(spread, floor),
  );
}

const absoluteDeviations = (values: Float64Array): number => {
  const centre = median(values);
  return values.reduce((sum, value) => sum + Math.abs(value - centre), 0);
};

/**
 * First period of a lasting change of level: the split into two levels of at least three periods with the smallest absolute
 * deviations; undefined when the levels differ by less than `ODD` robust spreads of the month-to-month changes.
 */
function seriesBreak(values: Float64Array): number | undefined {
  const changes = values.subarray(1).map((value, i) => Math.abs(value - (values[i] as number)));
  const spread = Math.max((MAD_SCALE * median(changes)) / Math.SQRT2, LEAST_LOG_SPREAD);
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let split = 3; split <= values.length - 3; split++) {
    const deviations =
      absoluteDeviations(values.subarray(0, split)) + absoluteDeviations(values.subarray(split));
    if (deviations < least) {
      least = deviations;
      best = split;
    }
  }
  const gap = Math.abs(median(values.subarray(best)) - median(values.subarray(0, best)));
  return gap > ODD * spread ? best : undefined;
}

/** What an intake report of a dataset makes doubtful. Months are consecutive. Throws `too-few-periods` below 6. */
export function intakeFlags(months: readonly IntakeMonth[]): IntakeFlag[] {
  if (months.length < 6) {
    throw new ConcordatError('too-few-periods', 'usual figures need at least six months');
  }
  const share = (part: (month: IntakeMonth) => number): Float64Array =>
    Float64Array.from(months, (month) => part(month) / Math.max(1, month.records));
  const broken = seriesBreak(Float64Array.from(months, ({ records }) => Math.log(1 + records)));
  return [
    ...oddPeriods(
      share(({ located }) => located),
      -1,
      0.005,
    ).map((period): IntakeFlag => ({ period, flag: 'less-located' })),
    ...oddPeriods(
      share(({ duplicates }) => duplicates),
      1,
      0.005,
    ).map((period): IntakeFlag => ({ period, flag: 'more-duplicates' })),
    ...(broken === undefined ? [] : [{ period: broken, flag: 'series-break' } as const]),
  ];
}
