/**
 * Did an intervention work, displacement included? The weighted displacement difference of Wheeler and Ratcliffe 2018
 * (Crime Science 7:11): WDD = dT - dCt + dD - dCd, where d is after minus before, T the treated area, Ct its comparison, D
 * the area crime may have moved to and Cd its comparison. Counts are Poisson, so each adds itself to the variance; a
 * released count adds the variance of its noise, and its long tails: with the law of the noise the p-value is that of the
 * Edgeworth series, without it the normal one, which at epsilon 0.1 rejects 1.4 % at a nominal 1 %.
 */
import { ConcordatError } from '#libs/bytes';
import {
  type EvenCumulants,
  edgeworthTest,
  noiseCumulants,
  type TwoSidedTest,
} from '../laws/edgeworth.js';
import type { NoiseLaw } from '../laws/pmf.js';

export interface DisplacementCounts {
  readonly treatedBefore: number;
  readonly treatedAfter: number;
  readonly controlBefore: number;
  readonly controlAfter: number;
  /** The four counts of displacement areas: 0 when there are none. */
  readonly displacementBefore: number;
  readonly displacementAfter: number;
  readonly displacementControlBefore: number;
  readonly displacementControlAfter: number;
}

/** The interval is of the difference of the expected incidents. */
export interface WeightedDisplacement extends TwoSidedTest {
  /** Change in incidents: negative is fewer. */
  readonly wdd: number;
}

/** Noise in the counts: its law and how many noise terms are added up in all of them, or its summed variance alone. */
export type SummedNoise = number | { readonly law: NoiseLaw; readonly terms: number };

/** Cumulants of the whole difference; a difference of Poisson counts has all even ones equal to their sum. */
function cumulantsOf(noise: SummedNoise, poisson: number): EvenCumulants {
  if (typeof noise === 'number') return { second: poisson + noise, fourth: 0, sixth: 0 };
  const { second, fourth, sixth } = noiseCumulants(noise.law);
  const { terms } = noise;
  return {
    second: poisson + terms * second,
    fourth: poisson + terms * fourth,
    sixth: poisson + terms * sixth,
  };
}

/** The interval holds in 1 - `size` of repetitions. Throws `invalid-count`, `invalid-variance`, `invalid-noise`. */
export function weightedDisplacement(
  counts: DisplacementCounts,
  noise: SummedNoise = 0,
  size = 0.05,
): WeightedDisplacement {
  const all = Object.values(counts) as number[];
  if (!all.every(Number.isFinite)) throw new ConcordatError('invalid-count', 'counts are finite');
  if (typeof noise === 'number' && !(noise >= 0)) {
    throw new ConcordatError('invalid-variance', 'a variance is a number from 0');
  }
  const wdd =
    counts.treatedAfter -
    counts.treatedBefore -
    (counts.controlAfter - counts.controlBefore) +
    (counts.displacementAfter - counts.displacementBefore) -
    (counts.displacementControlAfter - counts.displacementControlBefore);
  // A noisy count may be negative; the sum of all of them still estimates the sum of the Poisson variances.
  const sum = all.reduce((total, count) => total + count, 0);
  const cumulants = cumulantsOf(noise, Math.max(0, sum));
  return { wdd, ...edgeworthTest(wdd, cumulants, size) };
}
