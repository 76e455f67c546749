/**
 * How good is a ranking of cells? Hit rate n/N of the best-ranked share of the area; PAI = (n/N) / (a/A) (Chainey,
 * Tompson, Uhlig 2008); PEI = PAI over the best PAI any ranking could have had (Hunt 2016).
 */
import { selectKth } from '../laws/selection.js';

export interface Accuracy {
  readonly hitRate: number;
  readonly pai: number;
  readonly pei: number;
}

/** Cells that a share of the domain allows: the nearest whole number, at least one. */
export const cellsOfShare = (cells: number, share: number): number =>
  Math.max(1, Math.round(cells * share));

/** Incidents in the k cells of highest score; equal scores at the limit share the places left, as in a fair draw. */
export function hitsInTop(scores: Float64Array, actual: Float64Array, k: number): number {
  const limit = selectKth(scores.slice(), scores.length - k);
  let above = 0;
  let hits = 0;
  let tied = 0;
  let tiedHits = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    if (score > limit) {
      above++;
      hits += actual[i] as number;
    } else if (score === limit) {
      tied++;
      tiedHits += actual[i] as number;
    }
  }
  return hits + ((k - above) * tiedHits) / tied;
}

/** Accuracy of `scores` on what happened, for `share` of all cells; undefined when nothing happened. */
export function accuracy(
  scores: Float64Array,
  actual: Float64Array,
  share: number,
): Accuracy | undefined {
  const total = actual.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const k = cellsOfShare(scores.length, share);
  const hitRate = hitsInTop(scores, actual, k) / total;
  const best = hitsInTop(actual, actual, k) / total;
  return { hitRate, pai: (hitRate * scores.length) / k, pei: hitRate / best };
}
