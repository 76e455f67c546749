/**
 * Moran's I (Moran 1950) with the moments of Cliff and Ord 1981 (Spatial Processes, section 1.5), as in esda's `Moran`. Under the
 * randomisation null the released values, noise included, are dealt to the places at random: mean and variance of I are then exact at
 * every budget, the normal law only their limit; `moranPermutation` has the exact size at any number of places.
 */
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { normalTwoSided } from '../laws/normal.js';
import { uniforms } from '../laws/random-variates.js';
import type { SpatialWeights } from './spatial-weights.js';

export interface Moran {
  readonly i: number;
  /** -1 / (n - 1). */
  readonly expected: number;
  /** Variance of I when the values are a random permutation over the places. */
  readonly varRandomisation: number;
  /** Variance of I when the values are independent normal. */
  readonly varNormal: number;
  /** (I - expected) / sqrt(varRandomisation) and its two-sided p-value in the normal limit. */
  readonly z: number;
  readonly p: number;
  /** I with the variance of the noise taken out of its denominator: noise alone pulls I towards 0. */
  readonly iDenoised: number;
}

/** `noiseVariance`: mean known variance of the noise in a value. Throws `too-few-places`, `constant-values`, `no-weights`. */
export function moran(values: Float64Array, weights: SpatialWeights, noiseVariance = 0): Moran {
  const n = values.length;
  if (n < 4) throw new ConcordatError('too-few-places', "Moran's I needs at least four places");
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const deviations = values.map((value) => value - mean);
  const m2 = deviations.reduce((sum, d) => sum + d * d, 0) / n;
  const m4 = deviations.reduce((sum, d) => sum + d ** 4, 0) / n;
  // The mean of equal values may be off by a rounding.
  if (m2 === 0 || values.every((value) => value === values[0]))
    throw new ConcordatError('constant-values', 'all values are the same');

  let s0 = 0;
  let cross = 0;
  const rows = new Float64Array(n);
  const columns = new Float64Array(n);
  const lookUp = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    for (let at = weights.offsets[i] as number; at < (weights.offsets[i + 1] as number); at++) {
      const j = weights.targets[at] as number;
      const weight = weights.weights[at] as number;
      s0 += weight;
      cross += weight * (deviations[i] as number) * (deviations[j] as number);
      rows[i] = (rows[i] as number) + weight;
      columns[j] = (columns[j] as number) + weight;
      lookUp.set(i * n + j, weight);
    }
  }
  if (s0 === 0) throw new ConcordatError('no-weights', 'the weights sum to zero');
  // S1 = 1/2 sum over ordered pairs of (w_ij + w_ji)^2, including pairs where only w_ji is given.
  let s1 = 0;
  for (const [key, weight] of lookUp) {
    const i = Math.floor(key / n);
    const j = key % n;
    const back = lookUp.get(j * n + i);
    s1 += (back === undefined ? 2 : 1) * (weight + (back ?? 0)) ** 2;
  }
  s1 /= 2;
  let s2 = 0;
  for (let i = 0; i < n; i++) s2 += ((rows[i] as number) + (columns[i] as number)) ** 2;

  const expected = -1 / (n - 1);
  const varNormal = (n * n * s1 - n * s2 + 3 * s0 * s0) / (s0 * s0 * (n * n - 1)) - expected ** 2;
  const kurtosis = m4 / (m2 * m2);
  const a = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0 * s0);
  const b = kurtosis * ((n * n - n) * s1 - 2 * n * s2 + 6 * s0 * s0);
  const varRandomisation = (a - b) / ((n - 1) * (n - 2) * (n - 3) * s0 * s0) - expected * expected;
  const i = cross / (s0 * m2);
  // Every arrangement of the values gives the same I where the variance is nothing.
  const z = varRandomisation > 0 ? (i - expected) / Math.sqrt(varRandomisation) : 0;
  return {
    i,
    z,
    p: normalTwoSided(z),
    expected,
    varRandomisation,
    varNormal,
    iDenoised: m2 > noiseVariance ? cross / (s0 * (m2 - noiseVariance)) : Number.NaN,
  };
}

/**
 * Two-sided permutation p-value of I: share of the deals of the values, the observed one included, whose I lies at least as far from
 * its expectation (Dwass 1957). Its size is at most the nominal one, exactly, whatever the noise. Throws `invalid-draws` and as `moran`.
 */
export function moranPermutation(
  values: Float64Array,
  weights: SpatialWeights,
  { random, draws }: { readonly random: RandomSource; readonly draws: number },
): number {
  if (!(Number.isInteger(draws) && draws >= 1)) {
    throw new ConcordatError('invalid-draws', 'draws is a whole number from 1');
  }
  const { expected, i } = moran(values, weights);
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const dealt = values.map((value) => value - mean);
  const squares = dealt.reduce((sum, d) => sum + d * d, 0);
  const total = weights.weights.reduce((sum, weight) => sum + weight, 0);
  const uniform = uniforms(random);
  // Ties are met in other orders of summation.
  const observed = Math.abs(i - expected) * (1 - 1e-12);
  let reached = 1;
  for (let draw = 0; draw < draws; draw++) {
    for (let last = n - 1; last > 0; last--) {
      const at = Math.floor(uniform() * (last + 1));
      const held = dealt[at] as number;
      dealt[at] = dealt[last] as number;
      dealt[last] = held;
    }
    let cross = 0;
    for (let from = 0; from < n; from++) {
      let lag = 0;
      for (
        let at = weights.offsets[from] as number;
        at < (weights.offsets[from + 1] as number);
        at++
      )
        lag += (weights.weights[at] as number) * (dealt[weights.targets[at] as number] as number);
      cross += lag * (dealt[from] as number);
    }
    if (Math.abs((n * cross) / (total * squares) - expected) >= observed) reached++;
  }
  return reached / (draws + 1);
}
