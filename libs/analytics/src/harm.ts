/**
 * Harm instead of counts: incidents weighted by how much harm they do, such as the Cambridge Crime Harm Index (Sherman,
 * Neyroud, Neyroud 2016). A weight multiplies the noise of a rare category as much as its signal, so every category is
 * denoised before it is weighted.
 */
import { ConcordatError } from '#libs/bytes';
import type { NeighbourLists } from '#libs/grid';
import { type Forecast, forecast, type Release } from './predict/forecast.js';

export interface WeightedRelease {
  /** Harm of one incident. */
  readonly weight: number;
  readonly release: Release;
}

export interface Harm {
  /** Expected harm per period. */
  readonly harm: Float64Array;
  /** Variance of the harm of the coming period: sum w^2 (variance of the rate + rate). */
  readonly variance: Float64Array;
}

/** Expected harm of each cell in the coming period. Throws `invalid-weight`, and as `forecast`. */
export function harm(
  categories: readonly WeightedRelease[],
  neighbours: NeighbourLists,
  allCrime?: Release,
): Harm {
  const cells = neighbours.degrees.length;
  const total = new Float64Array(cells);
  const variance = new Float64Array(cells);
  for (const { weight, release } of categories) {
    if (!(weight >= 0) || !Number.isFinite(weight)) {
      throw new ConcordatError('invalid-weight', 'a harm weight is a finite number from 0');
    }
    const { mean, rateVariance }: Forecast = forecast(
      release,
      neighbours,
      allCrime ? { allCrime } : {},
    );
    for (let i = 0; i < cells; i++) {
      const m = mean[i] as number;
      total[i] = (total[i] as number) + weight * m;
      variance[i] = (variance[i] as number) + weight * weight * ((rateVariance[i] as number) + m);
    }
  }
  return { harm: total, variance };
}
