/** The step-up procedure of Benjamini and Hochberg 1995 (J. R. Stat. Soc. B 57, 289-300). */
import { ConcordatError } from '#libs/bytes';

export interface Discoveries {
  /** p-values at or below this are discoveries; 0 when there are none. */
  readonly threshold: number;
  readonly count: number;
}

/**
 * Discoveries among all `p` of a public domain (NaN, a missing cell, is no test) at false discovery rate `rate`. Holds for
 * independent tests and for the positive dependence of overlapping neighbourhoods. Throws `invalid-rate`.
 */
export function benjaminiHochberg(p: Float64Array, rate: number): Discoveries {
  if (!(rate > 0 && rate < 1)) {
    throw new ConcordatError('invalid-rate', 'a false discovery rate lies between 0 and 1');
  }
  const tests = p.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0);
  // A discovery is at most `rate`: only those need sorting.
  const small = p.filter((value) => value <= rate).sort();
  for (let rank = small.length; rank > 0; rank--) {
    const threshold = small[rank - 1] as number;
    if (threshold <= (rate * rank) / tests) return { threshold, count: rank };
  }
  return { threshold: 0, count: 0 };
}
