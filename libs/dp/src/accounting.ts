import { ConcordatError } from '#libs/bytes';
import { UNIT_ROUNDOFF } from './convolution.js';
import { eventLattice, eventLoss } from './event-loss.js';
import {
  coarsen,
  composeLosses,
  deltaBounds,
  type LossDistribution,
  refine,
  selfCompose,
} from './loss-distribution.js';
import { mergeEvents, type PrivacyEvent, pureEpsilon } from './privacy-event.js';
import {
  divideRational,
  gcdRational,
  multiplyRational,
  type Rational,
  rational,
  sumRationals,
  ZERO,
} from './rational.js';
import { rationalToNumberUp } from './rounding.js';

/**
 * Exact privacy-loss accounting for compositions of discrete Gaussians and discrete Laplace mechanisms. The losses of each
 * lie on a lattice of rational step; when the common lattice of all events has a workable size the composition is computed
 * on it (no discretisation error), otherwise on a grid of second-order error. Figures are rounded outward.
 */
export interface LossBound {
  /** Never below the exact figure. */
  readonly upper: number;
  /**
   * On the common lattice a proven lower bound: the exact figure is in [lower, upper]. On a grid an estimate of the same
   * (three times the observed effect of halving the step).
   */
  readonly lower: number;
  readonly lattice: 'exact' | 'grid';
}

/** Points of the composed distribution above which the grid takes over from the exact lattice. */
const MAX_LATTICE_POINTS = 1 << 17;
/** Half-width, in standard deviations, by which the points of a composition are estimated: exp(-10^2 / 2) = 2e-22. */
const HALF_WIDTH = 10;
/** Share of delta that may be lost at the top, per event and doubling. */
const TOP_SHARE = 1e-11;

/** Cumulant generating function of the composed loss and its standard deviation under the tilt; steers, never decides. */
function cumulant(
  events: readonly PrivacyEvent[],
  tilt: number,
): { log: number; variance: number } {
  let log = 0;
  let variance = 0;
  for (const event of events) {
    if (event.mechanism === 'discrete-gaussian') {
      const spread = (event.count * event.sensitivity ** 2) / rationalToNumberUp(event.sigma2);
      log += (spread / 2) * tilt * (1 + tilt);
      variance += spread;
    } else {
      const d = eventLoss(eventLattice(event), tilt, 1e-300);
      let mean = 0;
      let square = 0;
      d.tilted.forEach((mass, i) => {
        const loss = d.origin + (d.low + i) * d.step;
        mean += mass * loss;
        square += mass * loss * loss;
      });
      log += event.count * d.logScale;
      variance += event.count * Math.max(0, square - mean * mean);
    }
  }
  return { log, variance };
}

/** Beyond exp(30) from one point of the coarsest lattice to the next a tilt gains nothing. */
const largestTilt = (events: readonly PrivacyEvent[]): number =>
  30 / Math.max(...events.map((event) => rationalToNumberUp(eventLattice(event).step)));

/** Golden-section minimum of a unimodal function over [from, to]. */
function minimise(f: (x: number) => number, from: number, to: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [from, to];
  for (let i = 0; i < 60; i++) {
    const x = b - ratio * (b - a);
    const y = a + ratio * (b - a);
    if (f(x) <= f(y)) b = y;
    else a = x;
  }
  return (a + b) / 2;
}

interface Composition {
  readonly total: LossDistribution;
  readonly slack: number;
}

/** A part of a composition: `times` copies of `one`, which itself holds `count / times` events. */
interface Part {
  readonly one: LossDistribution;
  readonly times: number;
  readonly count: number;
}

/** Composes parts on one lattice, shortest first, so that long vectors are convolved seldom. */
function composeParts(parts: readonly Part[], allowed: number): LossDistribution {
  const queue = parts.map(({ one, times, count }) => ({
    count,
    d: selfCompose(one, times, (allowed * count) / times),
  }));
  for (;;) {
    queue.sort((x, y) => y.d.tilted.length - x.d.tilted.length);
    const a = queue.pop();
    if (!a) throw new ConcordatError('bad-event', 'account for at least one event');
    const b = queue.pop();
    if (!b) return a.d;
    const count = a.count + b.count;
    queue.push({ count, d: composeLosses(a.d, b.d, allowed * count) });
  }
}

/** Bounds the rounding of losses and, through the tilt, of masses: `steps` roundings of values up to the largest loss. */
function withSlack(total: LossDistribution, steps: number): Composition {
  const largest = Math.abs(total.origin) + (Math.abs(total.low) + total.tilted.length) * total.step;
  const slack = steps * UNIT_ROUNDOFF * largest;
  return { total: { ...total, relativeError: total.relativeError + total.tilt * slack }, slack };
}

/**
 * Composes all events near the saddle point `tilt` for figures around `delta`; on a grid, also with the step doubled
 * (`wider`), which shows what the grid costs.
 */
function compose(
  events: readonly PrivacyEvent[],
  tilt: number,
  delta: number,
): { readonly fine: Composition; readonly wider: Composition | null } {
  const lattices = events.map(eventLattice);
  const common = lattices.map(({ step }) => step).reduce(gcdRational, ZERO);
  const commonStep = rationalToNumberUp(common);
  const copies = events.reduce((sum, { count }) => sum + count, 0);
  const allowed = (TOP_SHARE * delta) / copies;
  const ones = lattices.map((lattice) => eventLoss(lattice, tilt, allowed));
  // A single event may reach further than the spread of the sum says (two distant atoms, one of them rare).
  const range = Math.max(
    2 * HALF_WIDTH * Math.sqrt(cumulant(events, tilt).variance),
    ...ones.map((one) => one.step * (one.tilted.length - 1)),
  );

  if (range / commonStep <= MAX_LATTICE_POINTS) {
    const parts = lattices.map((lattice, i): Part => {
      const { count } = lattice.event;
      const one = selfCompose(ones[i] as LossDistribution, count, allowed);
      const factor = Number(divideRational(lattice.step, common).num);
      return { one: refine(one, factor, commonStep), times: 1, count };
    });
    const origin = sumRationals(
      lattices.map((l) => multiplyRational(l.origin, rational(BigInt(l.event.count)))),
    );
    // Origins were added up in doubles while composing; the exact one replaces their sum.
    const total = { ...composeParts(parts, allowed), origin: rationalToNumberUp(origin) };
    const { slack } = withSlack(total, 8);
    return { fine: { ...withSlack(total, copies + 8), slack }, wider: null };
  }

  // A grid step h raises epsilon by about copies * h^2 / (24 variance), relatively; 10^-5 is aimed at.
  const points = Math.min(2 ** 19, Math.max(2 ** 13, 1300 * Math.sqrt(copies)));
  const gridStep = range / points;
  const parts = lattices.map((lattice, i): Part => {
    const { count } = lattice.event;
    const one = ones[i] as LossDistribution;
    return range / one.step < points
      ? { one: coarsen(selfCompose(one, count, allowed), gridStep), times: 1, count }
      : { one: coarsen(one, gridStep), times: count, count };
  });
  const steps = 8 + 8 * copies;
  const doubled = parts.map((part) => ({ ...part, one: coarsen(part.one, 2 * gridStep) }));
  return {
    fine: withSlack(composeParts(parts, allowed), steps),
    wider: withSlack(composeParts(doubled, allowed), steps),
  };
}

const checkDelta = (delta: number): void => {
  if (!(delta > 1e-200 && delta < 1)) {
    throw new ConcordatError('bad-delta', 'delta is a number above 1e-200 and below 1');
  }
};

/** Smallest epsilon >= 0 at which `delta` holds: bisection on a decreasing function, the upper end is returned. */
function solveEpsilon(holds: (epsilon: number) => boolean, guess: number): number {
  if (holds(0)) return 0;
  let low = 0;
  let high = Math.max(guess, 1e-12);
  while (!holds(high)) {
    low = high;
    high *= 2;
    if (!(high <= 1e9)) return Number.POSITIVE_INFINITY;
  }
  while (high - low > 2 * UNIT_ROUNDOFF * high) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

const pureBound = (events: readonly PrivacyEvent[]): number => {
  const pure = events.filter((event) => event.mechanism === 'discrete-laplace');
  return pure.length === events.length
    ? rationalToNumberUp(sumRationals(pure.map(pureEpsilon)))
    : Number.POSITIVE_INFINITY;
};

/**
 * epsilon such that the composition of `events` is (epsilon, delta)-differentially private. Throws `bad-delta`,
 * `bad-event`, `too-many-events`.
 */
export function epsilonAtDelta(events: readonly PrivacyEvent[], delta: number): LossBound {
  checkDelta(delta);
  const merged = mergeEvents(events);
  if (merged.length === 0) return { upper: 0, lower: 0, lattice: 'exact' };
  const chernoff = (tilt: number) => (cumulant(merged, tilt).log - Math.log(delta)) / tilt;
  const cap = Math.log(largestTilt(merged));
  const wanted = Math.log(Math.sqrt((-2 * Math.log(delta)) / cumulant(merged, 0).variance));
  const to = Math.min(wanted + 2, cap);
  const tilt = Math.exp(minimise((x) => chernoff(Math.exp(x)), Math.min(wanted - 4, to - 6), to));
  const guess = chernoff(tilt);
  const { fine, wider } = compose(merged, tilt, delta);
  const solve = ({ total, slack }: Composition): number =>
    solveEpsilon((epsilon) => deltaBounds(total, epsilon, slack).upper <= delta, guess);
  const upper = Math.min(solve(fine), pureBound(merged));
  if (wider)
    return {
      upper,
      lower: Math.max(0, Math.min(upper, 2 * upper - solve(wider))),
      lattice: 'grid',
    };
  // The exact epsilon is above every point where even the lower bound exceeds delta.
  let gap = 2 ** -48 * upper;
  while (gap < upper && deltaBounds(fine.total, upper - gap, fine.slack).lower <= delta) gap *= 2;
  return { upper, lower: Math.max(0, upper - gap), lattice: 'exact' };
}

/** delta such that the composition of `events` is (epsilon, delta)-differentially private. Throws `bad-epsilon`, `bad-event`. */
export function deltaAtEpsilon(events: readonly PrivacyEvent[], epsilon: number): LossBound {
  if (!(epsilon >= 0 && epsilon < 1e6)) {
    throw new ConcordatError('bad-epsilon', 'epsilon is a number from 0 to 10^6');
  }
  const merged = mergeEvents(events);
  if (merged.length === 0 || epsilon >= pureBound(merged)) {
    return { upper: 0, lower: 0, lattice: 'exact' };
  }
  const { variance } = cumulant(merged, 0);
  const bound = (tilt: number) => cumulant(merged, tilt).log - tilt * epsilon;
  const tilt = minimise(
    bound,
    0,
    Math.min(10 * (1 + epsilon / variance), 40 / Math.sqrt(variance), largestTilt(merged)),
  );
  // (40 standard deviations: beyond, delta is below 10^-300 and any tilt will do.)
  // Within a factor that is polynomial in the figure; a smaller one only keeps more of the tail.
  const expected = Math.max(1e-290, Math.exp(Math.min(0, bound(tilt))) * 1e-4);
  const { fine, wider } = compose(merged, tilt, expected);
  const at = ({ total, slack }: Composition) => deltaBounds(total, epsilon, slack);
  const bounds = at(fine);
  const upper = Math.min(1, bounds.upper);
  return wider
    ? { upper, lower: Math.max(0, Math.min(upper, 2 * upper - at(wider).upper)), lattice: 'grid' }
    : { upper, lower: bounds.lower, lattice: 'exact' };
}

const GRID = 1024n;

/**
 * The smallest sigma^2 = k / 1024 for which one discrete Gaussian measurement of this sensitivity is (epsilon, delta)-DP by
 * `deltaAtEpsilon`: k meets it and k - 1 does not. Throws `bad-epsilon`, `bad-delta`, `bad-event`.
 */
export function calibrateGaussian(target: {
  readonly epsilon: number;
  readonly delta: number;
  readonly sensitivity: number;
}): Rational {
  checkDelta(target.delta);
  if (!(target.epsilon >= 1e-4)) {
    throw new ConcordatError('bad-epsilon', 'calibrate for an epsilon of at least 0.0001');
  }
  const meets = (k: bigint): boolean =>
    deltaAtEpsilon(
      [
        {
          mechanism: 'discrete-gaussian',
          sigma2: rational(k, GRID),
          sensitivity: target.sensitivity,
          count: 1,
        },
      ],
      target.epsilon,
    ).upper <= target.delta;
  let low = 0n;
  let high = 1n;
  while (!meets(high)) {
    low = high;
    high *= 2n;
  }
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (meets(middle)) high = middle;
    else low = middle;
  }
  return rational(high, GRID);
}
