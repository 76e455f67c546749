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
import type { CommonCourse } from '../rates/common-course.js';
import type { Levels, Periods } from '../rates/level.js';

export interface CountScatter {
  /** Variance beyond Poisson that grows like the mean, over the mean. */
  readonly clustering: number;
  /** Variance beyond Poisson that grows like the square of the mean, over that. */
  readonly burst: number;
}

/** What is usual before anything is seen: counts of twice the Poisson variance; periods that scatter by half. */
const USUAL_CLUSTERING = 1;
const USUAL_BURST = 0.25;
/** No period moves the level of its cell by more than this share of itself. */
const MOST_GAIN = 0.5;
/** Rounds of refitting with weights that know the scatter. */
const REFITS = 4;

/** Squared errors of forecasts, cell after cell, and what they are expected to be multiples of. */
interface ForecastErrors {
  /** Expected from noise and Poisson. */
  readonly known: Float64Array;
  /** Beyond that and the error of the shared course. */
  readonly excess: Float64Array;
  /** What `clustering` and `burst` multiply. */
  readonly linear: Float64Array;
  readonly square: Float64Array;
  /** Where the errors of each cell end. */
  readonly ends: readonly number[];
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

/** The later half of the periods is forecast, each from at least two. */
const firstTarget = (periods: number, horizon: number): number =>
  Math.max(horizon + 1, periods >> 1);

/** Periods to forecast of a cell with these periods present. */
function targetsOf(present: readonly boolean[], course: CommonCourse, horizon: number): Target[] {
  const targets: Target[] = [];
  for (let period = firstTarget(present.length, horizon); period < present.length; period++) {
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

/** Cells of less than this share of the average level say next to nothing about scatter. */
const LEAST_LEVEL_SHARE = 0.5;
/** More cells are not looked at, but as many, evenly spread: they say enough of two numbers. */
const MOST_CELLS = 50_000;

function tellingCells(level: Float64Array): number[] {
  const average = level.reduce((sum, x) => sum + x, 0) / Math.max(1, level.length);
  const cells = Array.from(level.keys()).filter(
    (i) => (level[i] as number) >= LEAST_LEVEL_SHARE * average,
  );
  const stride = Math.ceil(cells.length / MOST_CELLS);
  return stride > 1 ? cells.filter((_, k) => k % stride === 0) : cells;
}

function forecastErrors(
  periods: Periods,
  { level, variance }: Levels,
  noiseVariance: number,
  course: CommonCourse,
  horizon: number,
): ForecastErrors {
  const cells = tellingCells(level);
  const room = cells.length * Math.max(0, periods.length - firstTarget(periods.length, horizon));
  const known = new Float64Array(room);
  const excess = new Float64Array(room);
  const linear = new Float64Array(room);
  const square = new Float64Array(room);
  const ends: number[] = [];
  const present: boolean[] = new Array(periods.length).fill(false);
  let targets: Target[] = [];
  let count = 0;
  for (const i of cells) {
    let isSame = ends.length > 0;
    for (let t = 0; t < periods.length; t++) {
      const isPresent = !Number.isNaN((periods[t] as Float64Array)[i] as number);
      if (isPresent !== present[t]) isSame = false;
      present[t] = isPresent;
    }
    if (!isSame) targets = targetsOf(present, course, horizon);
    const whole = level[i] as number;
    const gain = Math.min(MOST_GAIN, (variance[i] as number) / (noiseVariance + whole));
    let sum = 0;
    let next = 0;
    for (const target of targets) {
      for (; next <= target.last; next++) {
        if (present[next]) sum += (periods[next] as Float64Array)[i] as number;
      }
      const { factor } = target;
      const observed = (periods[target.period] as Float64Array)[i] as number;
      const error = observed - (factor * sum) / target.present;
      // Without the period itself, as a burst in it raises the level too, and scatter would seem to grow with the level.
      const x = Math.max(0, (whole - gain * observed) / (1 - gain));
      // The mean that it is forecast from scatters too, by as much over the periods in it.
      linear[count] = factor * x * (1 + factor / target.present);
      square[count] = (factor * x) ** 2 * (1 + 1 / target.present);
      known[count] = noiseVariance * (1 + factor ** 2 / target.present) + (linear[count] as number);
      excess[count] = error ** 2 - (known[count] as number) - target.variance * x * x;
      count++;
    }
    ends.push(count);
  }
  const used = (values: Float64Array): Float64Array => values.subarray(0, count);
  return {
    known: used(known),
    excess: used(excess),
    linear: used(linear),
    square: used(square),
    ends,
  };
}

interface Term {
  readonly value: number;
  readonly error: number;
}

const shrunk = ({ value, error }: Term, usual: number): number =>
  value > 0 ? (value * usual * usual) / (usual * usual + error * error) : 0;

const NO_TERM: Term = { value: 0, error: 0 };

/** Weighted least squares of the excess on both terms, neither below 0, with standard errors in sandwich form over cells. */
function fitTerms(
  { excess, linear, square, ends }: ForecastErrors,
  weights: Float64Array,
): { clustering: Term; burst: Term } {
  let [ll, ls, ss, ly, sy] = [0, 0, 0, 0, 0];
  for (let k = 0; k < excess.length; k++) {
    const wl = (weights[k] as number) * (linear[k] as number);
    const ws = (weights[k] as number) * (square[k] as number);
    ll += wl * (linear[k] as number);
    ls += wl * (square[k] as number);
    ss += ws * (square[k] as number);
    ly += wl * (excess[k] as number);
    sy += ws * (excess[k] as number);
  }
  if (!(ll > 0)) return { clustering: NO_TERM, burst: NO_TERM };
  // Rows of the inverse of the normal equations; of one term where the other would be below 0, or where one level cannot tell them apart.
  const determinant = ll * ss - ls * ls;
  let inverse = { ll: ss / determinant, ls: -ls / determinant, ss: ll / determinant };
  const isOne = !(determinant > 1e-9 * ll * ss);
  if (isOne || ll * sy < ls * ly) inverse = { ll: 1 / ll, ls: 0, ss: 0 };
  else if (ss * ly < ls * sy) inverse = { ll: 0, ls: 0, ss: 1 / ss };
  const clustering = inverse.ll * ly + inverse.ls * sy;
  const burst = inverse.ls * ly + inverse.ss * sy;
  let [varianceOfLine, varianceOfSquare] = [0, 0];
  let k = 0;
  for (const end of ends) {
    let [line, squared] = [0, 0];
    for (; k < end; k++) {
      const [l, s] = [linear[k] as number, square[k] as number];
      const residual =
        (weights[k] as number) * ((excess[k] as number) - clustering * l - burst * s);
      line += l * residual;
      squared += s * residual;
    }
    varianceOfLine += (inverse.ll * line + inverse.ls * squared) ** 2;
    varianceOfSquare += (inverse.ls * line + inverse.ss * squared) ** 2;
  }
  return {
    clustering: { value: clustering, error: Math.sqrt(varianceOfLine) },
    burst: { value: burst, error: Math.sqrt(varianceOfSquare) },
  };
}

/**
 * Scatter of counts around forecasts `horizon` periods ahead. `levels` are the expected counts of each cell a period, before the shared course,
 * with their variances. Too few periods to forecast one of them say nothing: none.
 */
export function countScatter(
  periods: Periods,
  levels: Levels,
  noiseVariance: number,
  course: CommonCourse,
  horizon: number,
): CountScatter {
  const errors = forecastErrors(periods, levels, noiseVariance, course, horizon);
  const { known, linear, square } = errors;
  const weights = new Float64Array(known.length);
  let clustering = NO_TERM;
  let burst = NO_TERM;
  for (let refit = 0; refit < REFITS; refit++) {
    const [a, b] = [Math.max(0, clustering.value), Math.max(0, burst.value)];
    for (let k = 0; k < weights.length; k++) {
      const variance = (known[k] as number) + a * (linear[k] as number) + b * (square[k] as number);
      weights[k] = variance > 0 ? 1 / variance ** 2 : 0;
    }
    ({ clustering, burst } = fitTerms(errors, weights));
  }
  return {
    clustering: shrunk(clustering, USUAL_CLUSTERING),
    burst: shrunk(burst, USUAL_BURST),
  };
}
