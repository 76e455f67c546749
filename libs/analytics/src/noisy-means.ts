/**
 * Mean released counts of cells, and fresh draws of them for given rates: Poisson counts and noise summed over the periods that
 * each cell has. The noise of a sum is drawn from its exact law.
 */
import type { RandomSource } from '#libs/dp';
import { type NoiseLaw, noisePmf, noiseReach, type Pmf, sumOfCopies } from './pmf.js';
import { normalDraw, poissonDraw, uniforms } from './random-variates.js';

export interface NoisyMeans {
  /** Mean released count of each cell. */
  readonly means: Float64Array;
  /** Periods that each mean is over, from 1. */
  readonly exposure: Float64Array;
  readonly noiseVariance: number;
  readonly law: NoiseLaw | undefined;
}

/** A sum that reaches further is normal for every purpose here. */
const LONGEST_REACH = 20_000;

/** Draws from a table by inversion; the guide says where to start (Chen and Asau 1974). */
function tableDraw({ first, weights }: Pmf): (uniform: () => number) => number {
  const cumulative = new Float64Array(weights.length);
  let sum = 0;
  weights.forEach((weight, i) => {
    sum += weight;
    cumulative[i] = sum;
  });
  const guide = new Int32Array(weights.length + 1);
  let at = 0;
  for (let g = 0; g < guide.length; g++) {
    while (at < weights.length - 1 && (cumulative[at] as number) * weights.length < g * sum) at++;
    guide[g] = at;
  }
  return (uniform) => {
    const u = uniform() * sum;
    let i = guide[Math.floor((u / sum) * weights.length)] as number;
    while (i > 0 && (cumulative[i - 1] as number) > u) i--;
    while (i < weights.length - 1 && (cumulative[i] as number) < u) i++;
    return first + i;
  };
}

function sumDraw(law: NoiseLaw | undefined, variance: number, terms: number) {
  if (variance === 0) return () => 0;
  if (law && terms * noiseReach(law) <= LONGEST_REACH) {
    return tableDraw(sumOfCopies(noisePmf(law), terms));
  }
  const deviation = Math.sqrt(terms * variance);
  return (uniform: () => number) => Math.round(deviation * normalDraw(uniform));
}

/** A function that draws means as `like`, for other rates. */
export function meansDrawer(
  { exposure, noiseVariance, law }: Omit<NoisyMeans, 'means'>,
  random: RandomSource,
): (rates: Float64Array) => Float64Array {
  const uniform = uniforms(random);
  const draws = new Map<number, (uniform: () => number) => number>();
  for (const terms of exposure) {
    if (!draws.has(terms)) draws.set(terms, sumDraw(law, noiseVariance, terms));
  }
  return (rates) =>
    rates.map((rate, i) => {
      const terms = exposure[i] as number;
      const draw = draws.get(terms) as (uniform: () => number) => number;
      return (poissonDraw(terms * rate, uniform) + draw(uniform)) / terms;
    });
}
