/**
 * Which cells to attend to: those of the highest forecast, or those of the highest released counts (the naive ranking)? A forecast leans
 * on priors, and in a small area, where one or two cells are chosen, a prior that misleads about one of them costs everything. So the
 * naive ranking stands unless the forecast is clearly better: its expected gain in incidents, over the cells in which the two choices
 * differ, is above two standard errors of that gain. Where it is not, the choice is the naive one, exactly. One thing comes before: where
 * many cells are chosen and the released counts of the area show nothing beyond their noise, a naive ranking is a draw of lots, and the
 * forecast's prior is all there is. (Where few are chosen, one cell may stand out though the area as a whole shows nothing.)
 *
 * The gain is the posterior mean of a difference of sums of rates, its variance that of the same sum with cells taken as independent
 * (Morris 1983, JASA 78, on decisions from empirical-Bayes posteriors). The course that all cells share multiplies both choices alike:
 * its error says nothing about which is better and is left out.
 */
import { noiseCumulants } from '../laws/edgeworth.js';
import { selectKth } from '../laws/selection.js';
import { type Forecast, type Release, releasedMeans, sumPeriods } from './forecast.js';
import { cellsOfShare } from './hit-rate.js';

/** Standard errors by which the expected gain, or what the counts show beyond noise, must exceed zero. */
const CLEAR = 2;
/** From this many chosen cells on, what the area as a whole shows is what the choice can have gone by. */
const MANY = 30;

export interface Ranking {
  /** Higher is more. */
  readonly scores: Float64Array;
  readonly by: 'forecast' | 'released-mean';
  /** Expected incidents a period that the forecast's choice holds beyond the naive one, with its standard error. */
  readonly gain: number;
  readonly standardError: number;
}

/** Membership in the k cells of highest score; equal scores at the limit share the places left. */
function memberships(scores: Float64Array, k: number): Float64Array {
  const limit = selectKth(scores.slice(), scores.length - k);
  let above = 0;
  let tied = 0;
  for (const score of scores) {
    if (score > limit) above++;
    else if (score === limit) tied++;
  }
  const shared = (k - above) / tied;
  return scores.map((score) => (score > limit ? 1 : score === limit ? shared : 0));
}

/**
 * True when the squared sums exceed what their noise explains: sum s^2 - e V has mean sum (true sum)^2 and, under noise alone, variance
 * sum 2 (e V)^2 + e k4 with the fourth cumulant of one noise term.
 */
function showsSignal(release: Release): boolean {
  const { sums, exposure, noiseVariance } = sumPeriods(release);
  const fourth = release.law ? noiseCumulants(release.law).fourth : 0;
  let signal = 0;
  let variance = 0;
  for (let i = 0; i < sums.length; i++) {
    const noise = (exposure[i] as number) * noiseVariance;
    signal += (sums[i] as number) ** 2 - noise;
    variance += 2 * noise * noise + (exposure[i] as number) * fourth;
  }
  return signal > CLEAR * Math.sqrt(Math.max(0, variance));
}

/** Scores of the cells for choosing the `share` of highest ones, from a release and its forecast. */
export function rankCells(
  release: Release,
  { mean, cellVariance }: Pick<Forecast, 'mean' | 'cellVariance'>,
  share: number,
): Ranking {
  const naive = releasedMeans(release);
  const k = cellsOfShare(mean.length, share);
  const chosen = memberships(mean, k);
  const naively = memberships(naive, k);
  let gain = 0;
  let variance = 0;
  for (let i = 0; i < mean.length; i++) {
    const difference = (chosen[i] as number) - (naively[i] as number);
    gain += difference * (mean[i] as number);
    variance += difference * difference * (cellVariance[i] as number);
  }
  const standardError = Math.sqrt(variance);
  const isClear = gain > CLEAR * standardError || (k >= MANY && !showsSignal(release));
  return {
    scores: isClear ? mean : naive,
    by: isClear ? 'forecast' : 'released-mean',
    gain,
    standardError,
  };
}
