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

/** A model with what it makes of the ratios seen. */
interface Fitted extends Deviations {
  /** Lower triangle of the Cholesky factor of the covariance of the ratios seen. */
  readonly factor: Float64Array;
  /** Inverse of that covariance times the departures seen. */
  readonly solved: Float64Array;
  logLikelihood: number;
  weight: number;
}

function choleskyInPlace(matrix: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j] as number;
      for (let k = 0; k < j; k++) {
        sum -= (matrix[i * n + k] as number) * (matrix[j * n + k] as number);
      }
      matrix[i * n + j] =
        i === j ? Math.sqrt(Math.max(sum, LEAST_VARIANCE)) : sum / (matrix[j * n + j] as number);
    }
  }
}

/** Solves factor x = right. */
function forward(factor: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = right[i] as number;
    for (let k = 0; k < i; k++) sum -= (factor[i * n + k] as number) * (x[k] as number);
    x[i] = sum / (factor[i * n + i] as number);
  }
  return x;
}

/** Solves factor^T x = right. */
function backward(factor: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const x = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let sum = right[i] as number;
    for (let k = i + 1; k < n; k++) sum -= (factor[k * n + i] as number) * (x[k] as number);
    x[i] = sum / (factor[i * n + i] as number);
  }
  return x;
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

/** Law of the course given `seen`; `periodsPerYear` undefined: no wave. */
export function courseLaw(
  { ratios, variances }: SeenRatios,
  periodsPerYear: number | undefined,
): CourseLaw {
  const periods = ratios.length;
  const middle = (periods - 1) / 2;
  const swings: number[] = [];
  const swingOf = (lag: number): number => {
    swings[lag] ??= Math.cos((2 * Math.PI * lag) / (periodsPerYear ?? 1));
    return swings[lag];
  };
  const covariance = ({ walk, wave, scatter }: Deviations, t: number, u: number): number => {
    return (
      USUAL_LEVEL ** 2 +
      USUAL_LINE ** 2 * (t - middle) * (u - middle) +
      walk * walk * Math.min(t, u) +
      (wave > 0 ? wave * wave * swingOf(Math.abs(t - u)) : 0) +
      (t === u ? scatter * scatter : 0)
    );
  };
  const seen = Array.from(ratios.keys()).filter((t) => !Number.isNaN(ratios[t] as number));
  const n = seen.length;
  const departures = Float64Array.from(seen, (t) => (ratios[t] as number) - 1);

  const fitted: Fitted[] = [];
  for (const wave of periodsPerYear === undefined ? [0] : WAVES) {
    for (const walk of WALKS) {
      for (const scatter of SCATTERS) {
        const deviations = { walk, wave, scatter };
        const factor = new Float64Array(n * n);
        for (let i = 0; i < n; i++) {
          for (let j = 0; j <= i; j++) {
            factor[i * n + j] = covariance(deviations, seen[i] as number, seen[j] as number);
          }
          factor[i * n + i] =
            (factor[i * n + i] as number) +
            Math.max(LEAST_VARIANCE, variances[seen[i] as number] as number);
        }
        choleskyInPlace(factor, n);
        const half = forward(factor, departures);
        let logLikelihood = -dot(half, half) / 2;
        for (let i = 0; i < n; i++) logLikelihood -= Math.log(factor[i * n + i] as number);
        const solved = backward(factor, half);
        fitted.push({ ...deviations, factor, solved, logLikelihood, weight: 0 });
      }
    }
  }
  const most = fitted.reduce((best, model) => Math.max(best, model.logLikelihood), -Infinity);
  const models = fitted.filter((model) => {
    model.weight = Math.exp(model.logLikelihood - most);
    return model.weight >= LEAST_WEIGHT;
  });
  const total = models.reduce((sum, { weight }) => sum + weight, 0);
  for (const model of models) model.weight /= total;

  /** Covariances of the ratio of period t with those seen. */
  const withSeen = (model: Fitted, t: number): Float64Array =>
    Float64Array.from(seen, (u) => covariance(model, t, u));

  const means = new Float64Array(periods);
  const covariances = new Float64Array(periods * periods);
  let perPeriod = 0;
  /** Of each model: means of the released periods, and what forward substitution makes of their covariances with those seen. */
  const past = models.map((model) => {
    const rows = Array.from({ length: periods }, (_, t) => withSeen(model, t));
    const mean = Float64Array.from(rows, (row) => 1 + dot(row, model.solved));
    const halves = rows.map((row) => forward(model.factor, row));
    perPeriod +=
      model.weight *
      seen.reduce(
        (sum, t, i) => sum + USUAL_LINE ** 2 * (t - middle) * (model.solved[i] as number),
        0,
      );
    return { mean, halves };
  });
  models.forEach(({ weight }, k) => {
    const { mean } = past[k] as (typeof past)[number];
    for (let t = 0; t < periods; t++) {
      means[t] = (means[t] as number) + weight * (mean[t] as number);
    }
  });
  /** Adds the share of one model in the covariance of the mixture. */
  const shareOf = (k: number, t: number, u: number): number => {
    const model = models[k] as Fitted;
    const { mean, halves } = past[k] as (typeof past)[number];
    const within =
      covariance(model, t, u) - dot(halves[t] as Float64Array, halves[u] as Float64Array);
    const between =
      ((mean[t] as number) - (means[t] as number)) * ((mean[u] as number) - (means[u] as number));
    return model.weight * (within + between);
  };
  for (let t = 0; t < periods; t++) {
    for (let u = 0; u <= t; u++) {
      let sum = 0;
      for (let k = 0; k < models.length; k++) sum += shareOf(k, t, u);
      covariances[t * periods + u] = sum;
      covariances[u * periods + t] = sum;
    }
  }

  const known = new Map<number, RatioOfPeriod>();
  const future = (horizon: number): RatioOfPeriod => {
    const done = known.get(horizon);
    if (done) return done;
    const at = periods - 1 + horizon;
    const parts = models.map((model) => {
      const row = withSeen(model, at);
      return { own: 1 + dot(row, model.solved), half: forward(model.factor, row) };
    });
    const mean = parts.reduce((sum, { own }, k) => sum + (models[k] as Fitted).weight * own, 0);
    const withPast = new Float64Array(periods);
    let variance = 0;
    parts.forEach(({ own, half }, k) => {
      const model = models[k] as Fitted;
      const { mean: before, halves } = past[k] as (typeof past)[number];
      variance += model.weight * (covariance(model, at, at) - dot(half, half) + (own - mean) ** 2);
      for (let t = 0; t < periods; t++) {
        const within = covariance(model, at, t) - dot(half, halves[t] as Float64Array);
        const between = (own - mean) * ((before[t] as number) - (means[t] as number));
        withPast[t] = (withPast[t] as number) + model.weight * (within + between);
      }
    });
    const made = { mean, variance, covariances: withPast };
    known.set(horizon, made);
    return made;
  };
  return { means, covariances, perPeriod, future };
}
