/**
 * Where will it be next? Expected counts of the coming periods from noisy ones: a prior from what the map already shows
 * (`empirical-bayes.ts`), updated month by month (`level.ts`). Two priors compete: the all-crime release (places with much
 * crime of any kind have more of each) and the category's own smoothed map. The second is used where its forecast of held-out
 * noisy periods is clearly nearer to them in shape; noise is independent between periods and has mean zero, so a held-out
 * noisy count judges a forecast without bias. Places are scored; no person enters.
 */
import { ConcordatError } from '#libs/bytes';
import type { NeighbourLists } from '#libs/grid';
import type { NoiseLaw } from '../laws/pmf.js';
import { evidenceShares } from '../rates/cell-likelihood.js';
import { type CommonCourse, type CommonFactor, commonCourse } from '../rates/common-course.js';
import {
  type AveragedSums,
  averagedSums,
  type CellPriors,
  cellPriors,
  estimateField,
  type NoisySums,
} from '../rates/empirical-bayes.js';
import { type ExactLaw, exactLevels, fitExactLaw, isExactUseful } from '../rates/exact-level.js';
import {
  filterLevels,
  fitLevelModel,
  type LevelModel,
  type Levels,
  type Periods,
} from '../rates/level.js';
import { centralShares } from '../rates/rate-posterior.js';

export interface Release {
  /** Released counts, one vector of cells per period, oldest first; NaN is missing. */
  readonly periods: Periods;
  /** Known variance of the noise in one released count. */
  readonly noiseVariance: number;
  /** Law of the noise, where counts carry one draw each: lets the forecast use more than its variance. */
  readonly law?: NoiseLaw;
  /** Periods after which the calendar starts again: 12 for months. Left out: no calendar is looked for. */
  readonly periodsPerYear?: number;
}

export type Prior = 'all-crime' | 'own-map';

export interface Forecast {
  /** Expected count of each cell in the period `horizon` after the last. */
  readonly mean: Float64Array;
  /** Variance of `mean` around the true rate of that period. */
  readonly rateVariance: Float64Array;
  /** The part of it that is each cell's own: without the error of the course that all cells share. */
  readonly cellVariance: Float64Array;
  /** Which prior the held-out risk chose. */
  readonly prior: Prior;
  readonly model: LevelModel;
  readonly course: CommonCourse;
  readonly horizon: number;
  readonly basis: ForecastBasis;
}

/** What intervals need beside means and variances. */
interface ForecastBasis {
  readonly release: Release;
  /** Levels as they were, mean and variance, before the common course and later change. */
  readonly levels: Levels;
  /** What all cells share, from the evidence of each cell to the period forecast. */
  readonly factor: Float64Array;
  /** Undefined where the law of the noise is not known or not tabulated: levels are then the linear filter's. */
  readonly exact: ExactLaw | undefined;
  /** Quantiles of the exact levels at both ends of central intervals, where they were asked for. */
  readonly ends: LevelEnds | undefined;
}

interface LevelEnds {
  readonly coverage: number;
  readonly quantiles: readonly Float64Array[];
}

/** Longest forecast, in periods. */
const LONGEST_HORIZON = 4;
/** A quarter of the periods, at most three, is held out to choose the prior. */
const HELD_OUT_SHARE = 4;
const MOST_HELD_OUT = 3;
/** Standard errors by which the own map must be better: fifteen categories are asked about twelve times a year, and a false own map at a low budget finds nothing. */
const CLEAR = 3;

function checkRelease({ periods, noiseVariance }: Release, cells: number): void {
  if (periods.length === 0 || periods.some((period) => period.length !== cells)) {
    throw new ConcordatError(
      'invalid-release',
      'every period has one count per cell of the domain',
    );
  }
  if (!(noiseVariance >= 0)) {
    throw new ConcordatError('invalid-variance', 'a variance is a number from 0');
  }
}

/** Sums over the present periods of each cell. */
export function sumPeriods({ periods, noiseVariance }: Release): NoisySums {
  const cells = periods[0]?.length ?? 0;
  const sums = new Float64Array(cells);
  const exposure = new Float64Array(cells);
  for (const period of periods) {
    for (let i = 0; i < cells; i++) {
      const value = period[i] as number;
      if (Number.isNaN(value)) continue;
      sums[i] = (sums[i] as number) + value;
      exposure[i] = (exposure[i] as number) + 1;
    }
  }
  return { sums, exposure, noiseVariance };
}

/** Mean released count of each cell over its present periods: what a naive ranking goes by. 0 where no period is present. */
export function releasedMeans(release: Release): Float64Array {
  const { sums, exposure } = sumPeriods(release);
  return sums.map((sum, i) => sum / Math.max(1, exposure[i] as number));
}

const flat = (cells: number): Float64Array => new Float64Array(cells).fill(1);

/** Expected count per period of every cell of one release, all periods alike. */
export function denoise(release: Release, neighbours: NeighbourLists): Float64Array {
  const cells = neighbours.degrees.length;
  checkRelease(release, cells);
  return estimateField(sumPeriods(release), flat(cells), neighbours);
}

interface Candidate {
  readonly prior: Prior;
  readonly priors: CellPriors;
  readonly levels: Levels;
  readonly model: LevelModel;
  readonly course: CommonCourse;
  readonly exact: ExactLaw | undefined;
  readonly ends: LevelEnds | undefined;
}

function candidate(
  prior: Prior,
  field: Float64Array,
  release: Release,
  averaged: AveragedSums,
  neighbours: NeighbourLists,
  coverage?: number,
): Candidate {
  const { periods, noiseVariance, law, periodsPerYear } = release;
  const { data } = averaged;
  const priors = cellPriors(data, field, neighbours, averaged);
  const course = commonCourse(periods, priors.mean, noiseVariance, periodsPerYear);
  const model = fitLevelModel(periods, priors.mean, noiseVariance, course.gap);
  const linear = filterLevels(periods, priors, model, noiseVariance);
  const exact =
    law && isExactUseful(law) ? fitExactLaw(periods, priors, data, model, law) : undefined;
  const known = { prior, priors, model, course, exact };
  if (!exact) return { ...known, levels: linear, ends: undefined };
  const shares = coverage === undefined ? [] : centralShares(coverage);
  const { levels, quantiles } = exactLevels(linear, exact, priors.least, shares);
  return { ...known, levels, ends: coverage === undefined ? undefined : { coverage, quantiles } };
}

/** The first periods only, and without the law: the linear filter is enough to compare two priors. */
const truncated = ({ periods, law: _, ...rest }: Release, count: number): Release => ({
  ...rest,
  periods: periods.slice(0, count),
});

function length(vector: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += (vector[i] as number) * (vector[i] as number);
  return Math.sqrt(squares);
}

function expectedCounts(rates: Float64Array, { exposure }: NoisySums): Float64Array {
  const expected = new Float64Array(rates.length);
  for (let i = 0; i < expected.length; i++) {
    expected[i] = (rates[i] as number) * (exposure[i] as number);
  }
  return expected;
}

/**
 * True when the map `other` points more nearly to the held-out sums than `usual` does, by more than three standard errors: of two maps
 * of unit length the one whose product with the true rates is larger has the lower squared risk at its best scale, and the product
 * with noisy sums estimates it without bias. Scale is left out, as at low budgets the total of the early periods is mostly noise.
 */
function clearlyBetter(other: Float64Array, usual: Float64Array, heldOut: NoisySums): boolean {
  const f = expectedCounts(other, heldOut);
  const g = expectedCounts(usual, heldOut);
  const [lengthF, lengthG] = [length(f), length(g)];
  let difference = 0;
  let variance = 0;
  for (let i = 0; i < f.length; i++) {
    const weight = (f[i] as number) / lengthF - (g[i] as number) / lengthG;
    const sum = heldOut.sums[i] as number;
    difference += weight * sum;
    // A noisy sum may be negative; over all cells it still estimates the Poisson variance.
    variance += weight * weight * ((heldOut.exposure[i] as number) * heldOut.noiseVariance + sum);
  }
  return difference > CLEAR * Math.sqrt(Math.max(0, variance));
}

function choosePrior(release: Release, allCrime: Release, neighbours: NeighbourLists): Prior {
  const count = release.periods.length;
  const heldOut = Math.min(MOST_HELD_OUT, Math.floor(count / HELD_OUT_SHARE));
  if (heldOut === 0) return 'all-crime';
  const early = truncated(release, count - heldOut);
  const cells = neighbours.degrees.length;
  const field = denoise(truncated(allCrime, count - heldOut), neighbours);
  const averaged = averagedSums(sumPeriods(early), neighbours);
  const usual = candidate('all-crime', field, early, averaged, neighbours).levels.level;
  const other = candidate('own-map', flat(cells), early, averaged, neighbours).levels.level;
  const late = sumPeriods({ ...release, periods: release.periods.slice(count - heldOut) });
  return clearlyBetter(other, usual, late) ? 'own-map' : 'all-crime';
}

const hasGaps = (period: Float64Array): boolean => period.includes(Number.NaN);

function isSame(a: Float64Array, b: Float64Array): boolean {
  for (let t = 0; t < a.length; t++) if (a[t] !== b[t]) return false;
  return true;
}

/**
 * Expected counts `horizon` (1..4) periods after the last of `release`. `allCrime` is the release of all incidents over the
 * same cells and periods, where there is one. Throws `invalid-release`, `invalid-variance`, `invalid-horizon`.
 */
export function forecast(
  release: Release,
  neighbours: NeighbourLists,
  {
    allCrime,
    horizon = 1,
    coverage,
  }: { allCrime?: Release; horizon?: number; coverage?: number } = {},
): Forecast {
  const cells = neighbours.degrees.length;
  checkRelease(release, cells);
  if (!Number.isInteger(horizon) || horizon < 1 || horizon > LONGEST_HORIZON) {
    throw new ConcordatError('invalid-horizon', `a horizon is 1 to ${LONGEST_HORIZON} periods`);
  }
  if (allCrime) {
    checkRelease(allCrime, cells);
    if (allCrime.periods.length !== release.periods.length) {
      throw new ConcordatError('invalid-release', 'both releases cover the same periods');
    }
  }
  const chosen = allCrime ? choosePrior(release, allCrime, neighbours) : 'own-map';
  const field = allCrime && chosen === 'all-crime' ? denoise(allCrime, neighbours) : flat(cells);
  const { priors, model, course, levels, exact, ends } = candidate(
    chosen,
    field,
    release,
    averagedSums(sumPeriods(release), neighbours),
    neighbours,
    coverage,
  );
  const evidence = {
    periods: release.periods,
    mean: priors.mean,
    model,
    noiseVariance: release.noiseVariance,
  };
  const mean = new Float64Array(cells);
  const rateVariance = new Float64Array(cells);
  const cellVariance = new Float64Array(cells);
  const factor = new Float64Array(cells);
  const shares = new Float64Array(release.periods.length);
  const lastShares = new Float64Array(release.periods.length);
  const areAlike = model.step === 0 && !release.periods.some(hasGaps);
  let shared: CommonFactor = course.ahead(horizon);
  for (let i = 0; i < cells; i++) {
    if (!areAlike || i === 0) evidenceShares(evidence, i, shares);
    if (!isSame(shares, lastShares)) {
      shared = course.ahead(horizon, shares);
      lastShares.set(shares);
    }
    const level = levels.level[i] as number;
    factor[i] = shared.factor;
    mean[i] = shared.factor * level;
    const own =
      shared.factor ** 2 * (levels.variance[i] as number) +
      (horizon * model.step + model.burst) * (priors.mean[i] as number) ** 2;
    cellVariance[i] = own;
    rateVariance[i] = own + shared.variance * level * level;
  }
  return {
    mean,
    rateVariance,
    cellVariance,
    prior: chosen,
    model,
    course,
    horizon,
    basis: { release, levels, factor, exact, ends },
  };
}
