/**
 * How far counts scatter around the expected ones beyond Poisson, as the release itself shows: its own months are forecast from those before, and
 * the squared errors beyond what noise, Poisson and the shared course explain are a line and a square of the level,
 *
 *   variance of a count = mean + clustering mean + burst mean^2.
 *
 * Incidents that are recorded in clusters (several reports of one event, near repeats) give the first term (a compound Poisson count; NB1 of
 * Cameron and Trivedi 1986, J. Applied Econometrics 1), whole cells that rise and fall, or drift, the second (NB2). Moments of one-step errors
 * with weights that know the variance: quasi-likelihood (Wedderburn 1974, Biometrika 61; Davidian and Carroll 1987, JASA 82), prequential
 * (Dawid 1984, J. R. Stat. Soc. A 147). Which of the terms a place has is not assumed; both are shrunk towards none by their standard errors.
 */
import type { CommonCourse } from './common-course.js';
import type { Periods } from './level.js';

export interface CountScatter {
  /** Variance beyond Poisson that grows like the mean, over the mean. */
  readonly clustering: number;
  /** Variance beyond Poisson that grows like the square of the mean, over that. */
  readonly burst: number;
}

/** What is usual before anything is seen: counts of twice the Poisson variance; periods that scatter by half. */
const USUAL_CLUSTERING = 1;
const USUAL_BURST = 0.25;
/** Rounds of refitting with weights that know the scatter. */
const REFITS = 4;

/** Squared errors of every cell, means over the periods forecast, and what they are expected to be multiples of. */
interface ForecastErrors {
  /** Squared error beyond noise, Poisson and course. */
  readonly excess: Float64Array;
  /** What `clustering` and `burst` multiply. */
  readonly linear: Float64Array;
  readonly square: Float64Array;
  /** Periods forecast; 0 where there are none. */
  readonly forecasts: Float64Array;
}

/** A period that is forecast from the present ones `horizon` or more before it. */
interface Target {
  readonly period: number;
  /** The last of the periods it is forecast from, and how many of them are present. */
  readonly last: number;
  readonly present: number;
  /** What the mean of these is multiplied by, and the variance of that. */
  readonly factor: number;
  readonly variance: number;
}

/** Later half of the periods, each forecast from at least two; of a cell with these periods present. */
function targetsOf(present: readonly boolean[], course: CommonCourse, horizon: number): Target[] {
  const first = Math.max(horizon + 1, present.length >> 1);
  const targets: Target[] = [];
  for (let period = first; period < present.length; period++) {
    const last = period - horizon;
    const before = present.filter((isPresent, t) => isPresent && t <= last).length;
    if (!present[period] || before < 2) continue;
    const weights = Float64Array.from(present, (isPresent, t) =>
      isPresent && t <= last ? 1 / before : 0,
    );
    targets.push({ period, last, present: before, ...course.within(period, weights) });
  }
  return targets;
}

function forecastErrors(
  periods: Periods,
  level: Float64Array,
  noiseVariance: number,
  course: CommonCourse,
  horizon: number,
): ForecastErrors {
  const cells = level.length;
  const [excess, linear, square, forecasts] = Array.from(
    { length: 4 },
    () => new Float64Array(cells),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const present: boolean[] = new Array(periods.length).fill(false);
  let targets: Target[] = [];
  for (let i = 0; i < cells; i++) {
    let isSame = i > 0;
    for (let t = 0; t < periods.length; t++) {
      const isPresent = !Number.isNaN((periods[t] as Float64Array)[i] as number);
      if (isPresent !== present[t]) isSame = false;
      present[t] = isPresent;
    }
    if (!isSame) targets = targetsOf(present, course, horizon);
    if (targets.length === 0) continue;
    const x = level[i] as number;
    let sum = 0;
    let next = 0;
    let [errors, lines, squares] = [0, 0, 0];
    for (const target of targets) {
      for (; next <= target.last; next++) {
        if (present[next]) sum += (periods[next] as Float64Array)[i] as number;
      }
      const { factor } = target;
      const observed = (periods[target.period] as Float64Array)[i] as number;
      const error = observed - (factor * sum) / target.present;
      // The mean that it is forecast from scatters too, by as much over the periods in it.
      const line = factor * x * (1 + factor / target.present);
      const noise = noiseVariance * (1 + factor ** 2 / target.present);
      errors += error ** 2 - noise - line - target.variance * x * x;
      lines += line;
      squares += (factor * x) ** 2 * (1 + 1 / target.present);
    }
    excess[i] = errors / targets.length;
    linear[i] = lines / targets.length;
    square[i] = squares / targets.length;
    forecasts[i] = targets.length;
  }
  return { excess, linear, square, forecasts };
}

interface Term {
  readonly value: number;
  readonly error: number;
}

const shrunk = ({ value, error }: Term, usual: number): number =>
  value > 0 ? (value * usual * usual) / (usual * usual + error * error) : 0;

const NO_TERM: Term = { value: 0, error: 0 };

/** Weighted least squares of the excess on both terms, neither below 0, with standard errors in sandwich form. */
function fitTerms(
  { excess, linear, square }: ForecastErrors,
  weights: Float64Array,
): { clustering: Term; burst: Term } {
  let [ll, ls, ss, ly, sy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < excess.length; i++) {
    const [w, l, s, y] = [weights[i], linear[i], square[i], excess[i]] as [
      number,
      number,
      number,
      number,
    ];
    ll += w * l * l;
    ls += w * l * s;
    ss += w * s * s;
    ly += w * l * y;
    sy += w * s * y;
  }
  if (!(ll > 0)) return { clustering: NO_TERM, burst: NO_TERM };
  const determinant = ll * ss - ls * ls;
  // Where all cells have one level, the terms cannot be told apart: the line takes both.
  const isOne = !(determinant > 1e-9 * ll * ss);
  let clustering = isOne ? ly / ll : (ss * ly - ls * sy) / determinant;
  let burst = isOne ? 0 : (ll * sy - ls * ly) / determinant;
  const isLine = isOne || burst < 0;
  const isSquare = !isLine && clustering < 0;
  if (isLine) [clustering, burst] = [ly / ll, 0];
  if (isSquare) [clustering, burst] = [0, sy / ss];
  let [varianceOfLine, varianceOfSquare] = [0, 0];
  for (let i = 0; i < excess.length; i++) {
    const [l, s] = [linear[i] as number, square[i] as number];
    const residual = (weights[i] as number) * ((excess[i] as number) - clustering * l - burst * s);
    if (isLine) varianceOfLine += ((l * residual) / ll) ** 2;
    else if (isSquare) varianceOfSquare += ((s * residual) / ss) ** 2;
    else {
      varianceOfLine += (((ss * l - ls * s) * residual) / determinant) ** 2;
      varianceOfSquare += (((ll * s - ls * l) * residual) / determinant) ** 2;
    }
  }
  return {
    clustering: { value: clustering, error: Math.sqrt(varianceOfLine) },
    burst: { value: burst, error: Math.sqrt(varianceOfSquare) },
  };
}

/**
 * Scatter of counts around forecasts `horizon` periods ahead. `level` is the expected count of each cell a period, before the shared course. Too
 * few periods to forecast one of them say nothing: none.
 */
export function countScatter(
  periods: Periods,
  level: Float64Array,
  noiseVariance: number,
  course: CommonCourse,
  horizon: number,
): CountScatter {
  const errors = forecastErrors(periods, level, noiseVariance, course, horizon);
  const weights = new Float64Array(level.length);
  let clustering = NO_TERM;
  let burst = NO_TERM;
  for (let refit = 0; refit < REFITS; refit++) {
    const [a, b] = [Math.max(0, clustering.value), Math.max(0, burst.value)];
    for (let i = 0; i < weights.length; i++) {
      const x = level[i] as number;
      const variance = noiseVariance + x * (1 + a + b * x);
      weights[i] = (errors.forecasts[i] as number) / variance ** 2;
    }
    ({ clustering, burst } = fitTerms(errors, weights));
  }
  return {
    clustering: shrunk(clustering, USUAL_CLUSTERING),
    burst: shrunk(burst, USUAL_BURST),
  };
}
