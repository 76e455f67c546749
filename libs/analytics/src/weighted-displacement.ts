/**
 * Did an intervention work, displacement included? The weighted displacement difference of Wheeler and Ratcliffe 2018
 * (Crime Science 7:11): WDD = dT - dCt + dD - dCd, where d is after minus before, T the treated area, Ct its comparison, D
 * the area crime may have moved to and Cd its comparison. Counts are Poisson, so each adds itself to the variance; a
 * released count adds the variance of its noise.
 */
import { ConcordatError } from '#libs/bytes';
import { normalTwoSided } from './normal.js';

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

export interface WeightedDisplacement {
  /** Change in incidents: negative is fewer. */
  readonly wdd: number;
  readonly se: number;
  /** 0/0, no incident and no noise at all, is 0. */
  readonly z: number;
  /** Two-sided. */
  readonly p: number;
}

/** `noiseVariance`: the sum of the known noise variances of all counts given. Throws `invalid-count`, `invalid-variance`. */
export function weightedDisplacement(
  counts: DisplacementCounts,
  noiseVariance = 0,
): WeightedDisplacement {
  const all = Object.values(counts) as number[];
  if (!all.every(Number.isFinite)) throw new ConcordatError('invalid-count', 'counts are finite');
  if (!(noiseVariance >= 0)) {
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
  const se = Math.sqrt(Math.max(0, sum) + noiseVariance);
  const z = se === 0 ? 0 : wdd / se;
  return { wdd, se, z, p: normalTwoSided(z) };
}
