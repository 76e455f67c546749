/**
 * Law of a course: what a series of noisy ratios says about the ratios themselves, seen or to come. A structural time series (Harvey
 * 1989, chapter 2; West and Harrison 1997, chapters 8 and 10) as one Gaussian process of the periods t:
 *
 *   ratio(t) = 1 + level + line t + walk(t) + a cos(2 pi t / year) + b sin(2 pi t / year) + scatter(t),
 *
 * with normal coefficients of mean 0. How far a course walks, swings and scatters is not known: each standard deviation has a grid of
 * values, none among them, and every combination is weighted by its marginal likelihood (Bayesian model averaging: Hoeting, Madigan, Raftery and
 * Volinsky 1999, Statistical Science 14). So twelve months that may be a line or half a wave widen the forecast by just that doubt.
 */
import { choleskyInPlace, dot, solveBackward, solveForward } from '../laws/cholesky.js';

/** What is seen of a course, one entry a period; a ratio of NaN is missing. */
export interface SeenRatios {
  readonly ratios: Float64Array;
  /** Known variance of each ratio around the true one. */
  readonly variances: Float64Array;
}

/** Ratio of one period, to come or released. */
export interface RatioOfPeriod {
  readonly mean: number;
  readonly variance: number;
  /** Covariance with the ratio of each period that was released. */
  readonly covariances: Float64Array;
}

export interface CourseLaw {
  /** Ratios of the periods released. */
  readonly means: Float64Array;
  /** Covariances of these: row t, column u at t periods + u. */
  readonly covariances: Float64Array;
  /** Change a period of the line alone. */
  readonly perPeriod: number;
  /** Ratio `horizon` (1..) periods after the last. */
  readonly future: (horizon: number) => RatioOfPeriod;
}

/** Standard deviations before anything is seen: of the level around 1, as expected counts are scaled to the totals; of the line, a fiftieth a period. */
const USUAL_LEVEL = 0.3;
const USUAL_LINE = 0.02;
/** Possible standard deviations of a step of the walk, of a coefficient of the annual wave, of the scatter: none, and doubling. */
const WALKS = [0, 0.01, 0.02, 0.04, 0.08];
const WAVES = [0, 0.05, 0.1, 0.2, 0.4];
const SCATTERS = [0, 0.02, 0.04, 0.08, 0.16, 0.32];
/** Combinations of less weight than this share of the greatest are left out. */
const LEAST_WEIGHT = 1e-3;
const LEAST_VARIANCE = 1e-9;

interface Deviations {
  readonly walk: number;
  readonly wave: number;
  readonly scatter: number;
}

/** Covariance of the ratios of periods t and u under these deviations, before anything is seen. */
type Covariance = (deviations: Deviations, t: number, u: number) => number;

/** The ratios seen, by what stands against them. */
interface Seen {
  /** Periods with a ratio, ascending. */
  readonly at: readonly number[];
  /** Ratio - 1 of each. */
  readonly departures: Float64Array;
  /** Known variance of each. */
  readonly variances: Float64Array;
  readonly covariance: Covariance;
}

/** A model with what it makes of the ratios seen. */
interface Fitted extends Deviations {
  /** Lower triangle of the Cholesky factor of the covariance of the ratios seen. */
  readonly factor: Float64Array;
  /** Inverse of that covariance times the departures seen. */
  readonly solved: Float64Array;
  readonly logLikelihood: number;
}

/** A model with its share in the mixture and its view of the periods released. */
interface Weighted extends Fitted {
  readonly weight: number;
  readonly means: Float64Array;
  /** Of each period, what forward substitution makes of its covariances with those seen. */
  readonly halves: readonly Float64Array[];
}

function priorCovariance(middle: number, periodsPerYear: number | undefined): Covariance {
  const swings: number[] = [];
  const swingOf = (lag: number): number => {
    swings[lag] ??= Math.cos((2 * Math.PI * lag) / (periodsPerYear ?? 1));
    return swings[lag];
  };
  return ({ walk, wave, scatter }, t, u) =>
    USUAL_LEVEL ** 2 +
    USUAL_LINE ** 2 * (t - middle) * (u - middle) +
    walk * walk * Math.min(t, u) +
    (wave > 0 ? wave * wave * swingOf(Math.abs(t - u)) : 0) +
    (t === u ? scatter * scatter : 0);
}

/** Regression by one Gaussian process with its marginal likelihood, up to a constant (Rasmussen and Williams 2006, Algorithm 2.1). */
function conditioned(
  deviations: Deviations,
  { at, departures, variances, covariance }: Seen,
): Fitted {
  const n = at.length;
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      factor[i * n + j] = covariance(deviations, at[i] as number, at[j] as number);
    }
    factor[i * n + i] =
      (factor[i * n + i] as number) + Math.max(LEAST_VARIANCE, variances[i] as number);
  }
  choleskyInPlace(factor, n);
  const half = solveForward(factor, departures);
  let logLikelihood = -dot(half, half) / 2;
  for (let i = 0; i < n; i++) logLikelihood -= Math.log(factor[i * n + i] as number);
  return { ...deviations, factor, solved: solveBackward(factor, half), logLikelihood };
}

/** Covariances of the ratio of period t with those seen. */
const withSeen = (model: Deviations, { at, covariance }: Seen, t: number): Float64Array =>
  Float64Array.from(at, (u) => covariance(model, t, u));

/** The mixture: every combination of deviations that counts, weighted by its likelihood. */
function weightedModels(seen: Seen, periods: number, waves: readonly number[]): Weighted[] {
  const fitted = waves.flatMap((wave) =>
    WALKS.flatMap((walk) => SCATTERS.map((scatter) => conditioned({ walk, wave, scatter }, seen))),
  );
  const most = fitted.reduce((best, model) => Math.max(best, model.logLikelihood), -Infinity);
  const likelihoodOf = (model: Fitted): number => Math.exp(model.logLikelihood - most);
  const counted = fitted.filter((model) => likelihoodOf(model) >= LEAST_WEIGHT);
  const total = counted.reduce((sum, model) => sum + likelihoodOf(model), 0);
  return counted.map((model) => {
    const rows = Array.from({ length: periods }, (_, t) => withSeen(model, seen, t));
    return {
      ...model,
      weight: likelihoodOf(model) / total,
      means: Float64Array.from(rows, (row) => 1 + dot(row, model.solved)),
      halves: rows.map((row) => solveForward(model.factor, row)),
    };
  });
}

/** Change a period of the line alone, as all models together have it. */
const slopeOf = (models: readonly Weighted[], { at }: Seen, middle: number): number =>
  models.reduce(
    (slope, { weight, solved }) =>
      slope +
      weight *
        at.reduce((sum, t, i) => sum + USUAL_LINE ** 2 * (t - middle) * (solved[i] as number), 0),
    0,
  );

function mixtureMeans(models: readonly Weighted[], periods: number): Float64Array {
  const mixed = new Float64Array(periods);
  for (const { weight, means } of models) {
    for (let t = 0; t < periods; t++) {
      mixed[t] = (mixed[t] as number) + weight * (means[t] as number);
    }
  }
  return mixed;
}

/** Covariances of the mixture between the periods released: those within each model, and of the models' means around `mixed`. */
function mixtureCovariances(
  models: readonly Weighted[],
  { covariance }: Seen,
  mixed: Float64Array,
): Float64Array {
  const periods = mixed.length;
  const shareOf = (model: Weighted, t: number, u: number): number => {
    const { weight, means, halves } = model;
    const within =
      covariance(model, t, u) - dot(halves[t] as Float64Array, halves[u] as Float64Array);
    const between =
      ((means[t] as number) - (mixed[t] as number)) * ((means[u] as number) - (mixed[u] as number));
    return weight * (within + between);
  };
  const covariances = new Float64Array(periods * periods);
  for (let t = 0; t < periods; t++) {
    for (let u = 0; u <= t; u++) {
      const sum = models.reduce((total, model) => total + shareOf(model, t, u), 0);
      covariances[t * periods + u] = sum;
      covariances[u * periods + t] = sum;
    }
  }
  return covariances;
}

/** The ratio of period `at`, and how it goes with those released. */
function ratioAt(
  at: number,
  models: readonly Weighted[],
  seen: Seen,
  mixed: Float64Array,
): RatioOfPeriod {
  const { covariance } = seen;
  const parts = models.map((model) => {
    const row = withSeen(model, seen, at);
    return { model, own: 1 + dot(row, model.solved), half: solveForward(model.factor, row) };
  });
  const mean = parts.reduce((sum, { own, model }) => sum + model.weight * own, 0);
  const covariances = new Float64Array(mixed.length);
  let variance = 0;
  for (const { model, own, half } of parts) {
    const { weight, means, halves } = model;
    variance += weight * (covariance(model, at, at) - dot(half, half) + (own - mean) ** 2);
    for (let t = 0; t < mixed.length; t++) {
      const within = covariance(model, at, t) - dot(half, halves[t] as Float64Array);
      const between = (own - mean) * ((means[t] as number) - (mixed[t] as number));
      covariances[t] = (covariances[t] as number) + weight * (within + between);
    }
  }
  return { mean, variance, covariances };
}

/** Law of the course given `seen`; `periodsPerYear` undefined: no wave. */
export function courseLaw(
  { ratios, variances }: SeenRatios,
  periodsPerYear: number | undefined,
): CourseLaw {
  const periods = ratios.length;
  const middle = (periods - 1) / 2;
  const at = Array.from(ratios.keys()).filter((t) => !Number.isNaN(ratios[t] as number));
  const seen: Seen = {
    at,
    departures: Float64Array.from(at, (t) => (ratios[t] as number) - 1),
    variances: Float64Array.from(at, (t) => variances[t] as number),
    covariance: priorCovariance(middle, periodsPerYear),
  };
  const models = weightedModels(seen, periods, periodsPerYear === undefined ? [0] : WAVES);
  const means = mixtureMeans(models, periods);
  const known = new Map<number, RatioOfPeriod>();
  return {
    means,
    covariances: mixtureCovariances(models, seen, means),
    perPeriod: slopeOf(models, seen, middle),
    future: (horizon) => {
      const ratio = known.get(horizon) ?? ratioAt(periods - 1 + horizon, models, seen, means);
      known.set(horizon, ratio);
      return ratio;
    },
  };
}
