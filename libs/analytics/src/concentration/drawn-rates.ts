/**
 * Possible rates of the cells of an area, drawn from their posteriors: as uneven as the truth is thought to be, where their means are too
 * even. Of a large area the busiest cells are drawn and a sample of the others, which stands for them.
 */
import type { RandomSource } from '#libs/dp';
import { gammaDraw, uniforms } from '../laws/random-variates.js';
import { selectKth } from '../laws/selection.js';
import { type Forecast, sumPeriods } from '../predict/forecast.js';
import { exchangeable, posteriorQuantilesOf } from '../rates/exact-level.js';
import type { CountedMeans } from './counted-means.js';
import type { SampledRates } from './rate-curve.js';

/** Vectors of rates, and rates in all of them together. */
const LEAST_WORLDS = 40;
const MOST_WORLDS = 100;
const MOST_RATES = 5e5;
/** Cells drawn of a larger area, and how many of them are the busiest. */
const MOST_CELLS = 10_000;
const BUSIEST = 5000;
/** Rates of zero have no logarithm. */
const LEAST_RATE = 1e-9;

/** Positions of the cells drawn, and how many cells each stands for. */
interface Sample {
  readonly at: Int32Array;
  readonly cells: Float64Array;
}

/** The highest means, and every k-th of the others. */
function sampleOf(means: Float64Array): Sample {
  const all = new Int32Array(means.length).map((_, i) => i);
  if (means.length <= MOST_CELLS) return { at: all, cells: new Float64Array(means.length).fill(1) };
  const limit = selectKth(means.slice(), means.length - BUSIEST);
  const others = means.length - means.reduce((sum, mean) => sum + (mean > limit ? 1 : 0), 0);
  const stride = Math.ceil(others / (MOST_CELLS - BUSIEST));
  let other = 0;
  const at = all.filter((i) => (means[i] as number) > limit || other++ % stride === 0);
  const weight = others / Math.ceil(others / stride);
  return {
    at,
    cells: Float64Array.from(at, (i) => ((means[i] as number) > limit ? 1 : weight)),
  };
}

/** Vectors of possible rates of the cells counted. A cell without an exact posterior takes a gamma law of the mean and variance of its level. */
export function drawRates(
  { basis: { exact, levels, release } }: Forecast,
  { cells, means, exposure }: CountedMeans,
  random: RandomSource,
): SampledRates[] {
  const sample = sampleOf(means);
  const count = sample.at.length;
  const uniform = uniforms(random);
  const lawOf = exact && posteriorQuantilesOf(exchangeable(exact, sumPeriods(release)));
  const terms = Float64Array.from(sample.at, (at) => exposure[at] as number);
  const worlds = Math.floor(Math.max(LEAST_WORLDS, Math.min(MOST_WORLDS, MOST_RATES / count)));
  const drawn = Array.from({ length: worlds }, () => new Float64Array(count));
  sample.at.forEach((at, k) => {
    const cell = cells[at] as number;
    const exactRate = lawOf?.(cell);
    const mean = levels.level[cell] as number;
    const variance = levels.variance[cell] as number;
    const scale = variance / mean;
    for (const rates of drawn) {
      const rate = exactRate
        ? exactRate(uniform())
        : variance > 0
          ? gammaDraw(mean / scale, uniform) * scale
          : mean;
      rates[k] = Math.max(rate, LEAST_RATE);
    }
  });
  return drawn.map((rates) => ({ rates, terms, cells: sample.cells }));
}
