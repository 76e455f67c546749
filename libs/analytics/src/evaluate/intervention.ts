/**
 * Evaluation of an intervention against comparison areas: difference-in-differences (Card and Krueger 1994; Angrist and
 * Pischke 2009, chapter 5) and what it takes to see an effect. Counts are Poisson around their means; each released count
 * adds the known variance of its noise, so the budget stands in every standard error.
 */
import { ConcordatError } from '#libs/bytes';
import { edgeworthTest, noiseCumulants, type TwoSidedTest } from '../laws/edgeworth.js';
import { normalQuantile, normalUpperTail } from '../laws/normal.js';
import type { NoiseLaw } from '../laws/pmf.js';

/** Released counts of one area over time and the variance of the noise in one of them. */
export interface AreaSeries {
  readonly counts: Float64Array;
  readonly noiseVariance: number;
  /** Its law, where known: p-values then allow for its long tails. */
  readonly law?: NoiseLaw;
}

/** The interval is of the effect on the expected incidents. */
export interface Effect extends TwoSidedTest {
  /** Incidents per period: negative is fewer. */
  readonly effect: number;
}

interface Side {
  readonly mean: number;
  /** Second, fourth and sixth cumulant of that mean. */
  readonly second: number;
  readonly fourth: number;
  readonly sixth: number;
}

/** Mean of the present counts; their Poisson variance is estimated by their sum. */
function sideOf({ counts, noiseVariance, law }: AreaSeries, from: number, to: number): Side {
  const present = counts.subarray(from, to).filter((count) => !Number.isNaN(count));
  if (present.length === 0) {
    throw new ConcordatError('too-few-periods', 'each area needs a period before and one after');
  }
  const sum = present.reduce((total, count) => total + count, 0);
  const n = present.length;
  const poisson = Math.max(0, sum);
  const noise = law ? noiseCumulants(law) : { fourth: 0, sixth: 0 };
  return {
    mean: sum / n,
    second: (poisson + n * noiseVariance) / n ** 2,
    fourth: (poisson + n * noise.fourth) / n ** 4,
    sixth: (poisson + n * noise.sixth) / n ** 6,
  };
}

/**
 * Change of the treated area less change of its comparison area, per period; the intervention starts with period `start`.
 * NaN periods are missing. The interval holds in 1 - `size` of repetitions. Throws `too-few-periods`.
 */
export function differenceInDifferences(
  treated: AreaSeries,
  control: AreaSeries,
  start: number,
  size = 0.05,
): Effect {
  const sides = [treated, control].map((series) => ({
    before: sideOf(series, 0, start),
    after: sideOf(series, start, series.counts.length),
  }));
  const [t, c] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const effect = t.after.mean - t.before.mean - (c.after.mean - c.before.mean);
  const total = (key: 'second' | 'fourth' | 'sixth'): number =>
    sides.reduce((sum, { before, after }) => sum + before[key] + after[key], 0);
  const cumulants = { second: total('second'), fourth: total('fourth'), sixth: total('sixth') };
  return { effect, ...edgeworthTest(effect, cumulants, size) };
}

export interface PowerQuestion {
  /** Expected incidents of the treated area over the whole time before, and the same of the comparison area. */
  readonly treated: number;
  readonly control: number;
  /** Relative change to be found: -0.3 is 30 % fewer. */
  readonly change: number;
  /** Summed variance of the noise in all counts that are added up. */
  readonly noiseVariance: number;
  /** Size of the two-sided test. */
  readonly size?: number;
}

/** Probability that `weightedDisplacement` finds the change, with equal times before and after and no displacement area. */
export function power({
  treated,
  control,
  change,
  noiseVariance,
  size = 0.05,
}: PowerQuestion): number {
  if (!(treated >= 0 && control >= 0 && change >= -1 && size > 0 && size < 1)) {
    throw new ConcordatError(
      'invalid-power',
      'counts are from 0, a change from -1, a size in 0..1',
    );
  }
  const se = Math.sqrt(treated * (2 + change) + 2 * control + noiseVariance);
  const shift = Math.abs(treated * change) / se;
  const limit = normalQuantile(1 - size / 2);
  return normalUpperTail(limit - shift) + normalUpperTail(limit + shift);
}

/** Smallest relative fall, 0..1, found with probability `wanted`; undefined when even a fall to zero is not. */
export function detectableFall(
  question: Omit<PowerQuestion, 'change'>,
  wanted = 0.8,
): number | undefined {
  const powerOf = (fall: number): number => power({ ...question, change: -fall });
  if (powerOf(1) < wanted) return undefined;
  let low = 0;
  let high = 1;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (powerOf(middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}
