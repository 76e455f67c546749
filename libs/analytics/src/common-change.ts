/**
 * How much each watched period has more or less than expected in all cells alike: growth, seasons, holidays. One factor a period by
 * weighted least squares of the released counts on the expected ones; its error is the larger of what noise and Poisson explain and
 * what cells really do (sandwich form: Huber 1967), so that one street that boils over is not taken for the whole town. The factor
 * is then shrunk towards the common growth seen before, by that error and by how far months usually leave their line.
 */
import type { Baseline } from './baseline.js';
import type { Periods } from './level.js';

export interface CommonChange {
  /** Count over the expected one, of each period. */
  readonly factors: readonly number[];
  /** Variance of each factor. */
  readonly variances: readonly number[];
}

/** Standard deviation of the relative departure of a period from its line before anything is seen. */
const USUAL_DEPARTURE = 0.1;

/** Factors of the periods that follow those of the baseline. */
export function commonChange(
  periods: Periods,
  { mean, rateVariance, growth }: Pick<Baseline, 'mean' | 'rateVariance' | 'growth'>,
  noiseVariance: number,
): CommonChange {
  const factors: number[] = [];
  const variances: number[] = [];
  periods.forEach((period, t) => {
    let products = 0;
    let squares = 0;
    let known = 0;
    period.forEach((z, i) => {
      if (Number.isNaN(z)) return;
      const m = mean[i] as number;
      const variance = noiseVariance + m + (rateVariance[i] as number);
      if (!(variance > 0)) return;
      products += (m / variance) * z;
      squares += (m * m) / variance;
      known += (m * m) / variance;
    });
    const grown = 1 + growth.perPeriod * t;
    const prior = growth.variance * (t + 1) ** 2 + growth.excess + USUAL_DEPARTURE ** 2;
    if (!(squares > 0)) {
      factors.push(grown);
      variances.push(prior);
      return;
    }
    const found = products / squares;
    let residuals = 0;
    period.forEach((z, i) => {
      if (Number.isNaN(z)) return;
      const m = mean[i] as number;
      const variance = noiseVariance + m + (rateVariance[i] as number);
      if (variance > 0) residuals += ((m / variance) * (z - found * m)) ** 2;
    });
    const error = Math.max(known, residuals) / squares ** 2;
    const weight = prior / (prior + error);
    factors.push(Math.max(0.1, grown + weight * (found - grown)));
    variances.push(prior * (1 - weight));
  });
  return { factors, variances };
}
