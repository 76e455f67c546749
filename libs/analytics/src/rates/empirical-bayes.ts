/**
 * The expected count of every cell from noisy counts of known variance: empirical Bayes from coarse to fine.
 *
 * Model. Cell i has rate m_i per period; its released sum over e_i periods is s_i = Poisson(e_i x_i) + noise of variance
 * e_i V. Start from a prior mean (another release that says where crime is at all, or one constant) and correct it at ever
 * finer scales: K_h is h passes of the seven-cell average, the ratio K_h s / K_h (m e) is shrunk towards 1 with weight
 *
 *   c (K_h m e)^2 / (c (K_h m e)^2 + q_h (V e + K_h m e)),
 *
 * q_h = sum of the squared weights of K_h, and c, the squared coefficient of variation of the field around its prior at
 * that scale, found by moments: E[(K_h s - K_h m e)^2] less the known variance is c (K_h m e)^2. Half its standard error is
 * subtracted, so that a scale which shows nothing beyond noise corrects nothing. No parameter is set by hand or tuned.
 *
 * Sources: Efron and Morris 1973 (JASA 68) for shrinkage with known variances; Clayton and Kaldor 1987 (Biometrics 43) for
 * relative risks; Marshall 1991 (Applied Statistics 40) for moments. Limits: overlapping averages are treated as
 * independent in the standard error; at the edge of the domain q_h is that of an inner cell.
 */
import type { NeighbourLists } from '#libs/grid';

/** Passes of the seven-cell average, each scale half the one before, coarse to fine. The cell itself (0 passes) is last. */
const COARSE_SCALES: readonly number[] = [8, 4, 2, 1];

/** Means are kept above this share of the average mean: a prior of exactly zero could never be corrected. */
const LEAST_MEAN_SHARE = 0.02;
/** Rounds of refitting c with weights that know c. */
const REFITS = 3;

export interface NoisySums {
  /** Sum of the released counts of each cell over its present periods. */
  readonly sums: Float64Array;
  /** Present periods of each cell; 0 where nothing is known. */
  readonly exposure: Float64Array;
  /** Known variance of the noise in one released count. */
  readonly noiseVariance: number;
}

export interface CellPriors {
  /** Expected count per period. */
  readonly mean: Float64Array;
  /** No mean is below this. */
  readonly least: number;
  /** Squared coefficient of variation of the cells around `mean`, less half its standard error: what shrinkage uses. */
  readonly spread: number;
  /** The same without caution: what uncertainties use. */
  readonly fullSpread: number;
  /** How far `mean` follows the cell's own mean count, through the averages that hold it: 0..1. */
  readonly leverage: Float64Array;
}

/** Fills `averages` with one pass of the seven-cell average (fewer at the edge of the domain). */
function sevenCellAverage(
  values: Float64Array,
  { targets, degrees }: NeighbourLists,
  averages: Float64Array,
): void {
  for (let i = 0; i < values.length; i++) {
    const degree = degrees[i] as number;
    const first = 6 * i;
    const own = values[i] as number;
    if (degree === 6) {
      // Of nearly all cells, and faster than a loop of unknown end.
      averages[i] =
        (own +
          (values[targets[first] as number] as number) +
          (values[targets[first + 1] as number] as number) +
          (values[targets[first + 2] as number] as number) +
          (values[targets[first + 3] as number] as number) +
          (values[targets[first + 4] as number] as number) +
          (values[targets[first + 5] as number] as number)) /
        7;
      continue;
    }
    let sum = own;
    for (let at = first; at < first + degree; at++) sum += values[targets[at] as number] as number;
    averages[i] = sum / (1 + degree);
  }
}

const isConstant = (values: Float64Array): boolean => {
  const first = values[0] as number;
  for (let i = 1; i < values.length; i++) if (values[i] !== first) return false;
  return true;
};

/** `passes` seven-cell averages one after the other: a bell of variance proportional to `passes`. */
export function smooth(
  values: Float64Array,
  passes: number,
  neighbours: NeighbourLists,
): Float64Array {
  // Averages keep a constant field as it is.
  if (passes === 0 || isConstant(values)) return values;
  let smoothed = new Float64Array(values.length);
  let spare = passes > 1 ? new Float64Array(values.length) : smoothed;
  sevenCellAverage(values, neighbours, smoothed);
  for (let pass = 1; pass < passes; pass++) {
    sevenCellAverage(smoothed, neighbours, spare);
    [smoothed, spare] = [spare, smoothed];
  }
  return smoothed;
}

/** Weights of `passes` seven-cell averages on an endless grid, in axial coordinates; the cell itself is in the middle. */
function kernelWeights(passes: number): Float64Array {
  const size = 2 * passes + 3;
  let weights = new Float64Array(size * size);
  weights[(passes + 1) * size + passes + 1] = 1;
  for (let pass = 0; pass < passes; pass++) {
    const next = new Float64Array(size * size);
    for (let at = size + 1; at < size * (size - 1) - 1; at++) {
      let sum = weights[at] as number;
      for (const step of [1, -1, size, -size, size - 1, 1 - size]) {
        sum += weights[at + step] as number;
      }
      next[at] = sum / 7;
    }
    weights = next;
  }
  return weights;
}

/** Sum of the squared weights of `passes` seven-cell averages. */
export const kernelSquares = (passes: number): number =>
  kernelWeights(passes).reduce((sum, weight) => sum + weight * weight, 0);

const SCALES = [...COARSE_SCALES, 0];
const SQUARES = new Map(SCALES.map((passes) => [passes, kernelSquares(passes)]));
/** Weight of a cell in its own average. */
const OWN_WEIGHTS = new Map(
  SCALES.map((passes) => {
    const weights = kernelWeights(passes);
    return [passes, weights[weights.length >> 1] as number];
  }),
);

export interface Slope {
  readonly slope: number;
  /** Standard error in sandwich form. */
  readonly error: number;
}

/** Weighted least squares slope of y on x through the origin; `overlap` observations count as one in the error. */
export function momentSlope(x: Float64Array, y: Float64Array, w: Float64Array, overlap = 1): Slope {
  let xy = 0;
  let xx = 0;
  for (let i = 0; i < x.length; i++) {
    const wx = (w[i] as number) * (x[i] as number);
    xy += wx * (y[i] as number);
    xx += wx * (x[i] as number);
  }
  if (!(xx > 0)) return { slope: 0, error: 0 };
  const slope = xy / xx;
  return { slope, error: Math.sqrt(residualSquares(x, y, w, slope) * overlap) / xx };
}

function residualSquares(x: Float64Array, y: Float64Array, w: Float64Array, slope: number): number {
  let squares = 0;
  for (let i = 0; i < x.length; i++) {
    const residual = (y[i] as number) - slope * (x[i] as number);
    const term = (w[i] as number) * (x[i] as number) * residual;
    squares += term * term;
  }
  return squares;
}

/** A slope less `penalty` standard errors, not below 0. */
export const cautious = ({ slope, error }: Slope, penalty = 0.5): number =>
  Math.max(0, slope - penalty * error);

/** Prior scaled to the data: theta = sum w m e s / sum w (m e)^2, which the noise of empty cells hardly touches. */
function scaledPrior(prior: Float64Array, data: NoisySums): Float64Array {
  const { sums, exposure, noiseVariance } = data;
  let total = 0;
  let periods = 0;
  let priorTotal = 0;
  for (let i = 0; i < sums.length; i++) {
    total += sums[i] as number;
    periods += exposure[i] as number;
    priorTotal += (prior[i] as number) * (exposure[i] as number);
  }
  const rough = Math.max(total, 1) / Math.max(priorTotal, Number.MIN_VALUE);
  let ms = 0;
  let mm = 0;
  for (let i = 0; i < sums.length; i++) {
    const me = (prior[i] as number) * (exposure[i] as number);
    const w = 1 / ((exposure[i] as number) * noiseVariance + Math.max(0, me * rough) + 1e-12);
    ms += w * me * (sums[i] as number);
    mm += w * me * me;
  }
  const least = (LEAST_MEAN_SHARE * Math.max(total, 1)) / Math.max(periods, 1);
  const average = priorTotal / Math.max(periods, 1);
  const theta = Math.max(mm > 0 ? ms / mm : rough, least / Math.max(average, Number.MIN_VALUE));
  return scaledBy(prior, theta);
}

function scaledBy(values: Float64Array, factor: number): Float64Array {
  const scaled = new Float64Array(values.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = (values[i] as number) * factor;
  return scaled;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum;
}

function raiseTo(least: number, values: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.max(least, values[i] as number);
}

interface Scale {
  readonly observed: Float64Array;
  readonly expected: Float64Array;
  /** Known variance of `observed` around its own mean: noise and Poisson. */
  readonly known: Float64Array;
  readonly spread: number;
  readonly fullSpread: number;
}

/** The sums of a release after averages: what every prior of the same release is compared with. */
export interface AveragedSums {
  readonly data: NoisySums;
  /** Sums after this many averages. Each is made once. */
  readonly observed: (passes: number) => Float64Array;
  /** Exposures after as many. */
  readonly periods: (passes: number) => Float64Array;
}

export function averagedSums(data: NoisySums, neighbours: NeighbourLists): AveragedSums {
  const averagesOf = (values: Float64Array) => {
    const known = new Map<number, Float64Array>();
    return (passes: number): Float64Array => {
      const made = known.get(passes) ?? smooth(values, passes, neighbours);
      known.set(passes, made);
      return made;
    };
  };
  return { data, observed: averagesOf(data.sums), periods: averagesOf(data.exposure) };
}

// A loop a function, here and below: a long function of many loops is compiled anew after each of them when a thread is young.

function productsOf(a: Float64Array, b: Float64Array): Float64Array {
  const products = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) products[i] = (a[i] as number) * (b[i] as number);
  return products;
}

/** Variance of averages of noisy Poisson counts, `q` being the sum of the squared weights. */
function knownVariances(
  expected: Float64Array,
  periods: Float64Array,
  noiseVariance: number,
  q: number,
): Float64Array {
  const known = new Float64Array(expected.length);
  for (let i = 0; i < known.length; i++) {
    known[i] = q * ((expected[i] as number) + (periods[i] as number) * noiseVariance);
  }
  return known;
}

/** Squared departures less their known variance. */
function excesses(
  observed: Float64Array,
  expected: Float64Array,
  known: Float64Array,
): Float64Array {
  const excess = new Float64Array(expected.length);
  for (let i = 0; i < excess.length; i++) {
    const departure = (observed[i] as number) - (expected[i] as number);
    excess[i] = departure * departure - (known[i] as number);
  }
  return excess;
}

/** Fills `w` with the weights of squared departures, whose variance goes with the square of that of the average. */
function fillWeights(w: Float64Array, known: Float64Array, x: Float64Array, spread: number): void {
  for (let i = 0; i < w.length; i++) {
    const variance = known[i] as number;
    const all = variance + spread * (x[i] as number);
    w[i] = variance > 0 ? 1 / (all * all) : 0;
  }
}

/** Compares the data with `mean` after `passes` averages and measures how far the field departs from it. */
function compareAtScale(
  mean: Float64Array,
  passes: number,
  { data, observed: observedAt, periods }: AveragedSums,
  neighbours: NeighbourLists,
): Scale {
  const q = SQUARES.get(passes) ?? kernelSquares(passes);
  const observed = observedAt(passes);
  const expected = smooth(productsOf(mean, data.exposure), passes, neighbours);
  const known = knownVariances(expected, periods(passes), data.noiseVariance, q);
  const x = productsOf(expected, expected);
  const y = excesses(observed, expected, known);
  const w = new Float64Array(mean.length);
  let spread = 0;
  let fullSpread = 0;
  for (let refit = 0; refit < REFITS; refit++) {
    fillWeights(w, known, x, spread);
    const fitted = momentSlope(x, y, w, 1 / q);
    spread = cautious(fitted);
    fullSpread = cautious(fitted, 0);
  }
  return { observed, expected, known, spread, fullSpread };
}

/** Moves `mean`, in place, towards what the data show at this scale; adds what the cell itself had in it to `leverage`. */
function correct(
  mean: Float64Array,
  least: number,
  scale: Scale,
  own?: { readonly leverage: Float64Array; readonly weight: number },
): void {
  const { observed, expected, known, spread } = scale;
  if (spread === 0) return;
  for (let i = 0; i < mean.length; i++) {
    const m = expected[i] as number;
    if (m <= 0) continue;
    const signal = spread * m * m;
    const weight = signal / (signal + (known[i] as number));
    const factor = 1 + (weight * ((observed[i] as number) - m)) / m;
    mean[i] = Math.max(least, (mean[i] as number) * factor);
    if (own) {
      own.leverage[i] = 1 - (1 - (own.leverage[i] as number)) * (1 - weight * own.weight);
    }
  }
}

/** Priors, and how the cells themselves depart from them. */
function priorsAndCells(
  averaged: AveragedSums,
  prior: Float64Array,
  neighbours: NeighbourLists,
): { readonly priors: CellPriors; readonly cells: Scale } {
  const mean = scaledPrior(prior, averaged.data);
  const average = sumOf(mean) / Math.max(1, mean.length);
  const least = Math.max(LEAST_MEAN_SHARE * average, 1e-9);
  raiseTo(least, mean);
  const leverage = new Float64Array(mean.length);
  for (const passes of COARSE_SCALES) {
    const weight = OWN_WEIGHTS.get(passes) ?? 0;
    const scale = compareAtScale(mean, passes, averaged, neighbours);
    correct(mean, least, scale, { leverage, weight });
  }
  const cells = compareAtScale(mean, 0, averaged, neighbours);
  const { spread, fullSpread } = cells;
  return { priors: { mean, least, spread, fullSpread, leverage }, cells };
}

/**
 * Prior of every cell from all scales but its own, and the spread of the cells around it. `prior` is any non-negative
 * field that the rates may be proportional to: it is scaled here, and raised to the least mean where it is below. Several priors of
 * the same data may share `averaged`.
 */
export const cellPriors = (
  data: NoisySums,
  prior: Float64Array,
  neighbours: NeighbourLists,
  averaged = averagedSums(data, neighbours),
): CellPriors => priorsAndCells(averaged, prior, neighbours).priors;

/** Expected count per period of every cell, all periods alike: the denoised map. */
export function estimateField(
  data: NoisySums,
  prior: Float64Array,
  neighbours: NeighbourLists,
): Float64Array {
  const { priors, cells } = priorsAndCells(averagedSums(data, neighbours), prior, neighbours);
  correct(priors.mean, priors.least, cells);
  return priors.mean;
}
