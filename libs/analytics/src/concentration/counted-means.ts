/** Mean released counts of the cells that have one, and what is known of their noise. */

import type { NoiseLaw } from '../laws/pmf.js';
import { type Release, sumPeriods } from '../predict/forecast.js';

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
  const counted = exposure.reduce((count, terms) => count + (terms > 0 ? 1 : 0), 0);
  const cells = new Int32Array(counted);
  const means = new Float64Array(counted);
  const terms = new Float64Array(counted);
  let total = 0;
  let at = 0;
  for (let cell = 0; cell < exposure.length; cell++) {
    const periods = exposure[cell] as number;
    if (periods === 0) continue;
    const mean = (sums[cell] as number) / periods;
    cells[at] = cell;
    means[at] = mean;
    terms[at++] = periods;
    total += mean;
  }
  return { cells, means, exposure: terms, total: total / counted, noiseVariance, law: release.law };
}
