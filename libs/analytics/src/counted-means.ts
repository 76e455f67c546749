/** Mean released counts of the cells that have one, and what is known of their noise. */
import { type Release, sumPeriods } from './forecast.js';
import type { NoiseLaw } from './pmf.js';

export interface CountedMeans {
  readonly cells: Int32Array;
  readonly means: Float64Array;
  /** Periods that each mean is over, from 1. */
  readonly exposure: Float64Array;
  /** Mean of all means. */
  readonly total: number;
  readonly noiseVariance: number;
  readonly law: NoiseLaw | undefined;
}

export function countedMeans(release: Release): CountedMeans {
  const { sums, exposure, noiseVariance } = sumPeriods(release);
  const cells = Int32Array.from(exposure.keys()).filter((i) => (exposure[i] as number) > 0);
  const means = Float64Array.from(cells, (i) => (sums[i] as number) / (exposure[i] as number));
  return {
    cells,
    means,
    exposure: Float64Array.from(cells, (i) => exposure[i] as number),
    total: means.reduce((sum, mean) => sum + mean, 0) / means.length,
    noiseVariance,
    law: release.law,
  };
}
