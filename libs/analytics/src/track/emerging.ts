/**
 * What is new, growing or fading? The seventeen classes of "Emerging Hot Spot Analysis" (Esri, ArcGIS Pro tool reference):
 * G_i* in every period, Mann-Kendall on its z-scores, and rules on when the cell was hot or cold.
 *
 * What the noise does: a class is a chain of yes/no decisions, each of which noise can turn over, and the cells that look hottest are
 * picked out by their noise. So worlds are drawn from what the release says of the true counts (`possible-counts.ts`), each gets a
 * fresh draw of the noise, and the class of a cell is the one it has most often. Its probability is that another release of the same true
 * counts gives this class (posterior predictive: Rubin 1984, Annals of Statistics 12): the share of the worlds that have it, less what
 * the cells with the largest shares owe to few worlds (`binomial-mixture.ts`). Show a class only from `LEAST_SHOWN` on.
 */
import { ConcordatError } from '#libs/bytes';
import type { NoiseSampler, RandomSource } from '#libs/dp';
import type { NeighbourLists } from '#libs/grid';
import { giStarOnGrid } from '../detect/getis-ord.js';
import type { NoiseLaw } from '../laws/pmf.js';
import { forecast, type Release } from '../predict/forecast.js';
import type { Periods } from '../rates/level.js';
import { expectedShares } from './binomial-mixture.js';
import { possibleCounts } from './possible-counts.js';
import { trends } from './trend.js';

/** Class 0, then eight hot ones, then the same eight cold. The number of a class is its position here. */
export const EMERGING_CLASSES = [
  'no-pattern',
  'new-hot',
  'consecutive-hot',
  'intensifying-hot',
  'persistent-hot',
  'diminishing-hot',
  'sporadic-hot',
  'oscillating-hot',
  'historical-hot',
  'new-cold',
  'consecutive-cold',
  'intensifying-cold',
  'persistent-cold',
  'diminishing-cold',
  'sporadic-cold',
  'oscillating-cold',
  'historical-cold',
] as const;
export type EmergingClass = (typeof EMERGING_CLASSES)[number];

/** A class is shown from this share of noisy worlds on. */
export const LEAST_SHOWN = 0.8;

/** Significant at 5 %, two-sided. */
const SIGNIFICANT = 1.959963984540054;
const NEARLY_ALL = 0.9;
/** Position of the first cold class less that of the first hot one. */
const COLD = 8;

/**
 * Class of one series of z-scores, oldest first, NaN where missing. `trend` is the Mann-Kendall z of the scores. A last
 * period that is missing leaves only the historical classes and no pattern.
 */
export function emergingClass(z: Float64Array, trend: number): number {
  const hot = classOfSide(z, trend, 1);
  return hot !== 0 ? hot : withOffset(classOfSide(z, -trend, -1));
}

const withOffset = (coldClass: number): number => (coldClass === 0 ? 0 : coldClass + COLD);

function classOfSide(z: Float64Array, trend: number, side: 1 | -1): number {
  let present = 0;
  let same = 0;
  let opposite = 0;
  let finalRun = 0;
  for (const value of z) {
    const score = side * value;
    if (Number.isNaN(score)) {
      finalRun = 0;
      continue;
    }
    present++;
    finalRun = score >= SIGNIFICANT ? finalRun + 1 : 0;
    if (score >= SIGNIFICANT) same++;
    if (score <= -SIGNIFICANT) opposite++;
  }
  if (present === 0) return 0;
  const most = same >= NEARLY_ALL * present;
  if (finalRun === 0) return most ? 8 : 0;
  if (most) return trend >= SIGNIFICANT ? 3 : trend <= -SIGNIFICANT ? 5 : 4;
  if (finalRun === same) return same === 1 ? 1 : 2;
  return opposite === 0 ? 6 : 7;
}

function checkPeriods(periods: Periods): void {
  if (periods.length >= 4) return;
  throw new ConcordatError('too-few-periods', 'emerging classes need at least four periods');
}

/** Class of every cell from released counts. `periods` as in `trends`. */
export function emergingClasses(periods: Periods, neighbours: NeighbourLists): Uint8Array {
  checkPeriods(periods);
  const scores = periods.map((period) => giStarOnGrid(period, neighbours));
  const { z } = trends(scores, { slopes: false });
  const series = new Float64Array(periods.length);
  const classes = new Uint8Array(z.length);
  for (let i = 0; i < classes.length; i++) {
    for (let t = 0; t < series.length; t++) {
      series[t] = (scores[t] as Float64Array)[i] as number;
    }
    classes[i] = emergingClass(series, z[i] as number);
  }
  return classes;
}

export interface Emerging {
  /** Most probable class of every cell. */
  readonly classes: Uint8Array;
  /** Its probability in another release of the same true counts. */
  readonly probability: Float64Array;
}

/**
 * Most probable classes and their probabilities, over `draws` worlds. `sampler` draws the noise of one period of all cells. Throws
 * `too-few-periods`, `too-few-draws`.
 */
export function emerging(
  release: Release & { readonly law: NoiseLaw },
  neighbours: NeighbourLists,
  { sampler, random, draws }: { sampler: NoiseSampler; random: RandomSource; draws: number },
): Emerging {
  if (!(draws >= 1)) throw new ConcordatError('too-few-draws', 'a class needs a draw or more');
  checkPeriods(release.periods);
  const cells = neighbours.degrees.length;
  const worldOf = possibleCounts(forecast(release, neighbours), release.law, random);
  const kinds = EMERGING_CLASSES.length;
  const found = new Uint32Array(kinds * cells);
  const noise = new Int32Array(cells);
  for (let draw = 0; draw < draws; draw++) {
    const world = worldOf().map((period) => {
      sampler.sampleInto(noise, random);
      return period.map((count, i) => count + (noise[i] as number));
    });
    emergingClasses(world, neighbours).forEach((kind, i) => {
      const at = kinds * i + kind;
      found[at] = (found[at] as number) + 1;
    });
  }
  const probability = new Float64Array(cells);
  const classes = new Uint8Array(cells);
  const counts = new Uint32Array(cells);
  // A pattern in a world is one of many that few cells have; no pattern is what most cells have: two laws of shares.
  const patterns = new Float64Array(draws + 1);
  const none = new Float64Array(draws + 1);
  for (let i = 0; i < cells; i++) {
    let best = 0;
    for (let kind = 0; kind < kinds; kind++) {
      const count = found[kinds * i + kind] as number;
      const cases = kind === 0 ? none : patterns;
      cases[count] = (cases[count] as number) + 1;
      if (count > (found[kinds * i + best] as number)) best = kind;
    }
    classes[i] = best;
    counts[i] = found[kinds * i + best] as number;
  }
  const [ofPattern, ofNone] = [expectedShares(patterns), expectedShares(none)];
  for (let i = 0; i < cells; i++) {
    probability[i] = (classes[i] === 0 ? ofNone : ofPattern)[counts[i] as number] as number;
  }
  return { classes, probability };
}
