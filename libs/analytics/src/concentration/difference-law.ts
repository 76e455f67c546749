/**
 * Mean and variance of the mean absolute difference of noisy means over all pairs of cells (Gini's own statistic), for given rates.
 * The mean is exact: E|X - Y| = integral of F (1 - G) + G (1 - F), so that all pairs follow from the sum of the laws of the cells. The
 * variance is that of the Hajek projection (Hoeffding 1948, Annals of Mathematical Statistics 19, section 7), for cells that are
 * independent and not alike: what each adds is the mean distance of its mean from those of all cells.
 */
import type { NoiseLaw } from '../laws/pmf.js';
import { type SumLaws, sumLaws } from './sum-laws.js';

/** Cells of the same exposure and nearly the same rate. */
export interface RateClass {
  /** Periods that the mean of each cell is over. */
  readonly terms: number;
  readonly cells: number;
}

export interface DifferenceMoments {
  readonly mean: number;
  /** Of the statistic with the error of the total taken out: of D - slope (mean of all cells - its expectation). */
  readonly variance: number;
  /** How D goes with the total, where all rates go with it alike. */
  readonly slope: number;
}

/** Laws of one exposure on the axis of means that all share. */
interface Exposure {
  readonly terms: number;
  readonly laws: SumLaws;
  /** Where each edge of the laws lies on the axis. */
  readonly places: Int32Array;
  /** Cells around each row, by cubic weights. */
  readonly cells: Float64Array;
  /** Expected cells at most so high, a value a run. */
  readonly below: Float64Array;
  /** Of each row: integral of F (1 - F), NaN until it is asked for; expectation of the value in hand, and its variance. */
  readonly diagonals: Float64Array;
  readonly means: Float64Array;
  readonly variances: Float64Array;
}

/** Cubic through four rows (Lagrange), `x` in units of rows from the first. */
function cubicWeights(x: number, out: Float64Array): void {
  out[0] = -((x - 1) * (x - 2) * (x - 3)) / 6;
  out[1] = (x * (x - 2) * (x - 3)) / 2;
  out[2] = -(x * (x - 1) * (x - 3)) / 2;
  out[3] = (x * (x - 1) * (x - 2)) / 6;
}

/** Derivatives of these. */
function cubicSlopes(x: number, out: Float64Array): void {
  out[0] = -(3 * x * x - 12 * x + 11) / 6;
  out[1] = (3 * x * x - 10 * x + 6) / 2;
  out[2] = -(3 * x * x - 8 * x + 3) / 2;
  out[3] = (3 * x * x - 6 * x + 2) / 6;
}

const through = (values: Float64Array, first: number, weights: Float64Array): number =>
  (weights[0] as number) * (values[first] as number) +
  (weights[1] as number) * (values[first + 1] as number) +
  (weights[2] as number) * (values[first + 2] as number) +
  (weights[3] as number) * (values[first + 3] as number);

/** All edges of all laws in units of one period, ascending, each once. */
function sharedAxis(laws: readonly (readonly [number, SumLaws])[]): Float64Array {
  const all = Float64Array.from(
    laws.flatMap(([terms, { edges }]) => Array.from(edges, (edge) => edge / terms)),
  ).sort();
  return all.filter((edge, i) => i === 0 || edge > (all[i - 1] as number));
}

function exposureOn(axis: Float64Array, terms: number, laws: SumLaws): Exposure {
  let at = 0;
  const places = Int32Array.from(laws.edges, (edge) => {
    while ((axis[at] as number) < edge / terms) at++;
    return at;
  });
  return {
    terms,
    laws,
    places,
    cells: new Float64Array(laws.count),
    below: new Float64Array(places.length),
    diagonals: new Float64Array(laws.count).fill(Number.NaN),
    means: new Float64Array(laws.count),
    variances: new Float64Array(laws.count),
  };
}

/** Integral of F (1 - F) over the means of one row. */
function diagonalOf({ laws: { edges, rowAt }, terms }: Exposure, row: number): number {
  const { start, below } = rowAt(row);
  let sum = 0;
  for (let j = 0; j < below.length; j++) {
    const f = below[j] as number;
    sum += f * (1 - f) * ((edges[start + j + 1] as number) - (edges[start + j] as number));
  }
  return sum / terms;
}

/** Sums the laws of all cells into `below`, and adds them to `all` on the axis. */
function addCells({ laws, places, cells, below }: Exposure, all: Float64Array): void {
  below.fill(0);
  const whole = new Float64Array(below.length);
  for (let row = 0; row < cells.length; row++) {
    const weight = cells[row] as number;
    if (weight === 0) continue;
    const { start, below: shares } = laws.rowAt(row);
    for (let j = 0; j < shares.length; j++) {
      below[start + j] = (below[start + j] as number) + weight * (shares[j] as number);
    }
    const end = start + shares.length;
    whole[end] = (whole[end] as number) + weight;
  }
  let past = 0;
  for (let run = 0; run < below.length; run++) {
    past += whole[run] as number;
    const sum = (below[run] as number) + past;
    const end = run + 1 < places.length ? (places[run + 1] as number) : all.length;
    for (let at = places[run] as number; at < end; at++) all[at] = (all[at] as number) + sum;
  }
}

/** Expectation and variance, for every row that has cells, of what is given on the axis less `slope` times the mean. */
function fillMoments(
  { laws, terms, places, cells, means, variances }: Exposure,
  given: Float64Array,
  slope: number,
): void {
  const valueAt = (run: number): number =>
    (given[places[run] as number] as number) - (slope / terms) * (laws.edges[run] as number);
  for (let row = 0; row < cells.length; row++) {
    if (cells[row] === 0) continue;
    const { start, below } = laws.rowAt(row);
    const centre = valueAt(start + (below.length >> 1));
    let before = 0;
    let sum = 0;
    let squares = 0;
    for (let j = 0; j <= below.length; j++) {
      const here = j < below.length ? (below[j] as number) : 1;
      const distance = valueAt(start + j) - centre;
      sum += (here - before) * distance;
      squares += (here - before) * distance * distance;
      before = here;
    }
    means[row] = centre + sum;
    variances[row] = Math.max(0, squares - sum * sum);
  }
}

/**
 * Moments of the statistic for cells of these classes, as a function of their rates (per period, none above `mostRate`). Tables are
 * filled as rates need them. `law` and `noiseVariance` are of one period.
 */
export function differenceMoments(
  classes: readonly RateClass[],
  { law, noiseVariance }: { readonly law: NoiseLaw | undefined; readonly noiseVariance: number },
  mostRate: number,
): (rates: Float64Array) => DifferenceMoments {
  const laws = [...new Set(classes.map(({ terms }) => terms))].map(
    (terms) => [terms, sumLaws(law, noiseVariance, terms, terms * mostRate)] as const,
  );
  const axis = sharedAxis(laws);
  const exposures = laws.map(([terms, known]) => exposureOn(axis, terms, known));
  const exposureOf = new Map(exposures.map((exposure) => [exposure.terms, exposure]));
  const owners = classes.map(({ terms }) => exposureOf.get(terms) as Exposure);
  const n = classes.reduce((sum, { cells }) => sum + cells, 0);
  const firsts = new Int32Array(classes.length);
  const all = new Float64Array(axis.length);
  const distances = new Float64Array(axis.length);
  const weights = new Float64Array(4);
  const slopes = new Float64Array(4);
  const widthAt = (at: number): number => (axis[at + 1] as number) - (axis[at] as number);

  /** Shares the cells of every class among four rows. */
  const place = (rates: Float64Array): void => {
    for (const { cells } of exposures) cells.fill(0);
    classes.forEach((one, i) => {
      const { laws: known, terms, cells } = owners[i] as Exposure;
      const at = known.placeOf(terms * (rates[i] as number));
      const first = Math.max(0, Math.min(known.count - 4, Math.floor(at) - 1));
      firsts[i] = first;
      cubicWeights(at - first, weights);
      for (let k = 0; k < 4; k++) {
        cells[first + k] = (cells[first + k] as number) + one.cells * (weights[k] as number);
      }
    });
  };
  /** Fills `distances`: mean distance of each point of the axis from the means of all cells. */
  const measure = (): number => {
    let pairs = 0;
    let start = 0;
    for (let at = 0; at + 1 < axis.length; at++) {
      const below = all[at] as number;
      pairs += below * (n - below) * widthAt(at);
      start += (1 - below / n) * widthAt(at);
    }
    distances[0] = start;
    for (let at = 0; at + 1 < axis.length; at++) {
      distances[at + 1] =
        (distances[at] as number) + ((2 * (all[at] as number)) / n - 1) * widthAt(at);
    }
    return pairs;
  };

  return (rates) => {
    place(rates);
    all.fill(0);
    for (const exposure of exposures) addCells(exposure, all);
    const pairs = measure();
    for (const exposure of exposures) {
      fillMoments(exposure, distances, 0);
      exposure.cells.forEach((cells, row) => {
        if (cells !== 0 && Number.isNaN(exposure.diagonals[row])) {
          exposure.diagonals[row] = diagonalOf(exposure, row);
        }
      });
    }
    const total = classes.reduce((sum, { cells }, i) => sum + cells * (rates[i] as number), 0);
    let own = 0;
    let growth = 0;
    classes.forEach(({ cells, terms }, i) => {
      const { laws: known, diagonals, means } = owners[i] as Exposure;
      const mean = terms * (rates[i] as number);
      const first = firsts[i] as number;
      const x = known.placeOf(mean) - first;
      cubicWeights(x, weights);
      cubicSlopes(x, slopes);
      own += cells * through(diagonals, first, weights);
      const change = n * through(means, first, slopes) - through(diagonals, first, slopes);
      growth += cells * mean * known.slopeAt(mean) * change;
    });
    const count = n * (n - 1);
    const slope = ((2 / count) * growth) / (total / n);
    // What one cell adds: its distance from the others, less its part in the total.
    for (let at = 0; at < axis.length; at++) {
      distances[at] = ((2 * n) / (n - 1)) * (distances[at] as number);
    }
    let variance = 0;
    for (const exposure of exposures) fillMoments(exposure, distances, slope);
    classes.forEach(({ cells, terms }, i) => {
      const { laws: known, variances } = owners[i] as Exposure;
      const first = firsts[i] as number;
      cubicWeights(known.placeOf(terms * (rates[i] as number)) - first, weights);
      variance += cells * through(variances, first, weights);
    });
    return {
      mean: (2 * (pairs - own)) / count,
      variance: Math.max(0, variance) / (n * n),
      slope,
    };
  };
}
