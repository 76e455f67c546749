/**
 * How fine may a map be? For a category, a privacy budget and a number of periods: at each resolution, the chance that a
 * cell among the hottest (the share that can be attended to) is told from an average one by the exact test's normal limit.
 * The answer is the finest resolution with enough of that power. Uses public or already released figures only.
 */
import { ConcordatError } from '#libs/bytes';
import { normalQuantile, normalUpperTail } from './laws/normal.js';

export interface ResolutionField {
  readonly resolution: number;
  /** Expected count per period of each cell at this resolution: denoised earlier release, or public counts. */
  readonly expected: Float64Array;
}

export interface PlanQuestion {
  readonly fields: readonly ResolutionField[];
  /** Periods that are added up. */
  readonly periods: number;
  /** Variance of the noise in one released count. */
  readonly noiseVariance: number;
  /** Share of the cells that can be attended to. */
  readonly top?: number;
  /** Size of the one-sided test of one cell. */
  readonly size?: number;
}

export interface ResolutionPower {
  readonly resolution: number;
  readonly hotRate: number;
  readonly averageRate: number;
  /** Chance that a typical hot cell is told from an average one. */
  readonly power: number;
}

export interface Plan {
  readonly resolutions: readonly ResolutionPower[];
  /** Finest resolution with power of at least `ENOUGH`; undefined when there is none. */
  readonly finest: number | undefined;
}

/** The power that is usually asked of a study. */
const ENOUGH = 0.8;

function powerAt(
  { resolution, expected }: ResolutionField,
  { periods, noiseVariance, top = 0.01, size = 0.01 }: PlanQuestion,
): ResolutionPower {
  if (expected.length === 0) throw new ConcordatError('no-cells', 'a resolution has cells');
  const sorted = expected.slice().sort().reverse();
  const hot = sorted.subarray(0, Math.max(1, Math.round(top * sorted.length)));
  const meanOf = (values: Float64Array): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const hotRate = meanOf(hot);
  const averageRate = meanOf(sorted);
  const noise = periods * noiseVariance;
  const limit = normalQuantile(1 - size) * Math.sqrt(periods * averageRate + noise);
  const shift = periods * (hotRate - averageRate);
  return {
    resolution,
    hotRate,
    averageRate,
    power: normalUpperTail((limit - shift) / Math.sqrt(periods * hotRate + noise)),
  };
}

/** Throws `invalid-plan`, `no-cells`. */
export function planResolution(question: PlanQuestion): Plan {
  const { periods, noiseVariance, fields } = question;
  if (!(periods >= 1) || !(noiseVariance >= 0) || fields.length === 0) {
    throw new ConcordatError('invalid-plan', 'give periods from 1, a variance from 0 and a field');
  }
  const resolutions = fields.map((field) => powerAt(field, question));
  const enough = resolutions.filter(({ power }) => power >= ENOUGH);
  const finest = enough.length === 0 ? undefined : Math.max(...enough.map((r) => r.resolution));
  return { resolutions, finest };
}
