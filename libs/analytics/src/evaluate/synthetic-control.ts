/**
 * Synthetic control (Abadie, Diamond, Hainmueller 2010, JASA 105): the weighted mix of comparison areas that followed the
 * treated area before the intervention stands for what would have happened without it. Inference by placebo: every
 * comparison area takes the place of the treated one, and the treated area should stand out among them.
 *
 * Its interval (Firpo and Possebom 2018, Journal of Causal Inference 6:2): the effects, the same in every period, that the same
 * placebo test does not reject when they are taken off the treated area first.
 *
 * What the noise does: it makes every donor look unlike the treated area, which spreads the weights out (the noise acts as a
 * ridge of variance V per donor); the placebo ranks stay valid as long as treated and donors have the same noise.
 */
import { ConcordatError } from '#libs/bytes';

export interface SyntheticControl {
  /** Weight of each donor: from 0, summing to 1. */
  readonly weights: Float64Array;
  /** Mean difference per period after the start, observed less synthetic. */
  readonly effect: number;
  /** Root mean squared difference after over before. */
  readonly ratio: number;
  /** Mean squared difference before the start, and after it. */
  readonly before: number;
  readonly after: number;
}

export interface PlaceboTest extends Pick<SyntheticControl, 'weights' | 'effect' | 'ratio'> {
  /** Share of all areas, the treated one included, whose ratio is at least that of the treated area. */
  readonly p: number;
  /** Least and largest effect that is not rejected: infinite where too few donors could reject any, NaN where no steady effect is left. */
  readonly low: number;
  readonly high: number;
}

const ITERATIONS = 400;
/** A perfect fit before the start would make every ratio infinite. */
const LEAST_SQUARE = 1e-12;

/**
 * Simplex-constrained least squares by Frank and Wolfe 1956 with exact line search. With the inner products of all series
 * at hand, a step costs one pass over the donors whatever the number of periods.
 */
function fitWeights(target: Float64Array, donors: readonly Float64Array[], start: number) {
  const count = donors.length;
  const product = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let t = 0; t < start; t++) sum += (a[t] as number) * (b[t] as number);
    return sum;
  };
  const gram = donors.map((one) => Float64Array.from(donors, (other) => product(one, other)));
  const toTarget = Float64Array.from(donors, (donor) => product(donor, target));
  const weights = new Float64Array(count).fill(1 / count);
  // gradient[d] = donor d times (mix - target).
  const gradient = gram.map((row, d) => {
    return row.reduce((sum, value) => sum + value, 0) / count - (toTarget[d] as number);
  });
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    let best = 0;
    let mixTimesGap = 0;
    let mixTimesBest = 0;
    for (let d = 0; d < count; d++) {
      if ((gradient[d] as number) < (gradient[best] as number)) best = d;
      mixTimesGap += (weights[d] as number) * (gradient[d] as number);
    }
    const row = gram[best] as Float64Array;
    let mixSquared = 0;
    for (let d = 0; d < count; d++) {
      mixTimesBest += (weights[d] as number) * (row[d] as number);
      mixSquared += (weights[d] as number) * ((gradient[d] as number) + (toTarget[d] as number));
    }
    // Towards donor b: (b - mix) times (target - mix) over (b - mix) squared.
    const top = mixTimesGap - (gradient[best] as number);
    const bottom = (row[best] as number) - 2 * mixTimesBest + mixSquared;
    const step = bottom > 0 ? Math.min(1, Math.max(0, top / bottom)) : 0;
    if (step < 1e-9) break;
    for (let d = 0; d < count; d++) {
      weights[d] = (1 - step) * (weights[d] as number);
      gradient[d] =
        (1 - step) * (gradient[d] as number) +
        step * ((row[d] as number) - (toTarget[d] as number));
    }
    weights[best] = (weights[best] as number) + step;
  }
  return weights;
}

/**
 * Series of equal length without missing periods; the intervention starts with period `start`. Throws `too-few-donors`
 * (below two), `too-few-periods` (below two before or one after), `invalid-series`.
 */
export function syntheticControl(
  treated: Float64Array,
  donors: readonly Float64Array[],
  start: number,
): SyntheticControl {
  if (donors.length < 2)
    throw new ConcordatError('too-few-donors', 'give two comparison areas or more');
  if (!(start >= 2 && start < treated.length)) {
    throw new ConcordatError('too-few-periods', 'give two periods before the start and one after');
  }
  const valid = (series: Float64Array): boolean =>
    series.length === treated.length && series.every(Number.isFinite);
  if (![treated, ...donors].every(valid)) {
    throw new ConcordatError('invalid-series', 'all series have the same periods, none missing');
  }
  const weights = fitWeights(treated, donors, start);
  const gaps = treated.map(
    (value, t) =>
      value -
      donors.reduce((sum, donor, d) => sum + (weights[d] as number) * (donor[t] as number), 0),
  );
  const after = gaps.subarray(start);
  const meanSquare = (list: Float64Array): number =>
    list.reduce((sum, gap) => sum + gap * gap, 0) / list.length;
  const before = Math.max(meanSquare(gaps.subarray(0, start)), LEAST_SQUARE);
  return {
    weights,
    effect: after.reduce((sum, gap) => sum + gap, 0) / after.length,
    ratio: Math.sqrt(meanSquare(after) / before),
    before,
    after: meanSquare(after),
  };
}

/** Squared ratio of one area when `effect` is taken off the treated one: constant + linear effect + square effect^2. */
interface SquaredRatio {
  readonly constant: number;
  readonly linear: number;
  readonly square: number;
}

/** `share` is what the effect moves the gap of this area by: -1 of the treated area, its weight of one that has it as a donor. */
const squaredRatio = (
  { before, after, effect }: SyntheticControl,
  share: number,
): SquaredRatio => ({
  constant: after / before,
  linear: (2 * share * effect) / before,
  square: (share * share) / before,
});

const at = ({ constant, linear, square }: SquaredRatio, effect: number): number =>
  constant + effect * (linear + effect * square);

/** Where two squared ratios are equal, ascending. */
function crossings(a: SquaredRatio, b: SquaredRatio): number[] {
  const square = a.square - b.square;
  const linear = a.linear - b.linear;
  const constant = a.constant - b.constant;
  if (square === 0) return linear === 0 ? [] : [-constant / linear];
  const root = Math.sqrt(linear * linear - 4 * square * constant);
  if (Number.isNaN(root)) return [];
  // The larger root first: the other by their product, without cancellation.
  const q = -(linear + (linear < 0 ? -root : root)) / 2;
  return (q === 0 ? [0] : [q / square, constant / q]).sort((x, y) => x - y);
}

/**
 * Least and largest effect whose placebo rank is not among the `size` smallest. Each comparison of two ratios is one of two parabolas,
 * so ranks change at their crossings alone: an effect between two of them stands for all there.
 */
function effectsNotRejected(own: SquaredRatio, others: readonly SquaredRatio[], size: number) {
  const isKept = (effect: number): boolean => {
    const limit = at(own, effect);
    const reached = 1 + others.filter((other) => at(other, effect) >= limit).length;
    return reached / (others.length + 1) > size;
  };
  const ends = others.flatMap((other) => crossings(other, own)).sort((x, y) => x - y);
  const first = ends[0] ?? 0;
  const last = ends.at(-1) ?? 0;
  const beyond = 1 + last - first;
  const kept = ends.slice(1).flatMap((end, i) => {
    const start = ends[i] as number;
    return isKept((start + end) / 2) ? [start, end] : [];
  });
  return {
    low: isKept(first - beyond) ? Number.NEGATIVE_INFINITY : (kept[0] ?? Number.NaN),
    high: isKept(last + beyond) ? Number.POSITIVE_INFINITY : (kept.at(-1) ?? Number.NaN),
  };
}

/**
 * Synthetic control with its placebo p-value, the smallest possible being 1 / (donors + 1), and the effects whose p is above `size`: an
 * interval that holds in 1 - `size` of repetitions, or a little more where no p equals `size`.
 */
export function placeboTest(
  treated: Float64Array,
  donors: readonly Float64Array[],
  start: number,
  size = 0.05,
): PlaceboTest {
  const own = syntheticControl(treated, donors, start);
  const placebos = donors.map((placebo, d) => {
    // With the treated area among its donors every area is fitted by as many others: only so are the ranks exchangeable.
    const others = donors.map((donor, other) => (other === d ? treated : donor));
    return syntheticControl(placebo, others, start);
  });
  const reached = 1 + placebos.filter(({ ratio }) => ratio >= own.ratio).length;
  return {
    weights: own.weights,
    effect: own.effect,
    ratio: own.ratio,
    p: reached / (donors.length + 1),
    ...effectsNotRejected(
      squaredRatio(own, -1),
      placebos.map((placebo, d) => squaredRatio(placebo, placebo.weights[d] as number)),
      size,
    ),
  };
}
