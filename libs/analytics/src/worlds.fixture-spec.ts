/**
 * Made-up worlds whose truth is known, on a grid of settings that was written down before any figure was looked at: four
 * epsilons, three densities, four laws of the rates. What is claimed of an interval is counted in all of them. As the methods
 * were revised on that grid, there are settings beside it on which nothing was ever revised.
 */
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { type NoiseLaw, noiseVariance } from './pmf.js';
import { gammaDraw, poissonDraws, uniforms } from './random-variates.js';

const EPSILONS = [0.1, 0.5, 1, 2];
/** Incidents a cell-month. */
const DENSITIES = { sparse: 0.5, medium: 3, dense: 20, thin: 1, thick: 8 };
type Density = keyof typeof DENSITIES;
/**
 * Laws of the rates around a smooth background, but for the first, which is flat: all alike; gamma of shape 1.5; log-normal
 * with sigma 1.2, whose top hundredth holds a tenth of all; gamma again, every rate rising by 3 % a month.
 */
export const FIELDS = ['homogeneous', 'gamma', 'heavy-tailed', 'trend'] as const;
/** Exponential; gamma of shape 0.5; one cell of ten at eleven times the rate of the others; gamma of shape 1.5, falling by 3 % a month. */
export const OTHER_FIELDS = ['exponential', 'skewed', 'two-levels', 'falling'] as const;

export interface Setting {
  readonly epsilon: number;
  readonly density: Density;
  readonly field: (typeof FIELDS)[number] | (typeof OTHER_FIELDS)[number];
}

const grid = (
  epsilons: readonly number[],
  densities: readonly Density[],
  fields: readonly Setting['field'][],
): readonly Setting[] =>
  epsilons.flatMap((epsilon) =>
    densities.flatMap((density) => fields.map((field) => ({ epsilon, density, field }))),
  );

export const SETTINGS = grid(EPSILONS, ['sparse', 'medium', 'dense'], FIELDS);
export const OTHER_SETTINGS = grid([0.3, 3], ['thin', 'thick'], OTHER_FIELDS);

/** 469 cells: a small city, where intervals that hold over a nation have failed. */
export const cells = disk(cellAt(51.5, -0.1, 9), 12);
export const neighbours = neighbourLists(cells);
export const MONTHS = 12;

const MONTHLY_CHANGE: Partial<Record<Setting['field'], number>> = { trend: 1.03, falling: 0.97 };
const GAMMA_SHAPE = 1.5;
const LOG_SIGMA = 1.2;

export interface World {
  readonly release: {
    readonly periods: readonly Float64Array[];
    readonly noiseVariance: number;
    readonly law: NoiseLaw;
  };
  /** Mean rates over the months released. */
  readonly rates: Float64Array;
  /** Rates and true counts of the month after the last. */
  readonly nextRates: Float64Array;
  readonly nextCounts: Float64Array;
}

function relativeRate(field: Setting['field'], uniform: () => number): number {
  if (field === 'homogeneous') return 1;
  if (field === 'exponential') return -Math.log(uniform());
  if (field === 'skewed') return gammaDraw(0.5, uniform) / 0.5;
  if (field === 'two-levels') return uniform() < 0.1 ? 5.5 : 0.5;
  if (field !== 'heavy-tailed') return gammaDraw(GAMMA_SHAPE, uniform) / GAMMA_SHAPE;
  const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return Math.exp(LOG_SIGMA * normal - LOG_SIGMA ** 2 / 2);
}

export function madeUpWorld({ epsilon, density, field }: Setting, seed: string | number): World {
  const random = seededRandom(`world ${epsilon} ${density} ${field} ${seed}`);
  const uniform = uniforms(random);
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const sampler = discreteLaplace({ scale: rational(10n, BigInt(10 * epsilon)) });
  const noise = new Int32Array(cells.length);
  const start = Float64Array.from(cells, (_, i) => {
    const background = field === 'homogeneous' ? 1 : 1 + 0.6 * Math.sin(i / 60);
    return DENSITIES[density] * background * relativeRate(field, uniform);
  });
  const rise = MONTHLY_CHANGE[field] ?? 1;
  const inMonth = (t: number): Float64Array => start.map((rate) => rate * rise ** t);
  const periods = Array.from({ length: MONTHS }, (_, t) => {
    sampler.sampleInto(noise, random);
    return poissonDraws(inMonth(t), random).map((count, i) => count + (noise[i] as number));
  });
  const nextRates = inMonth(MONTHS);
  const meanRise = Array.from({ length: MONTHS }, (_, t) => rise ** t).reduce((a, b) => a + b, 0);
  return {
    release: { periods, noiseVariance: noiseVariance(law), law },
    rates: start.map((rate) => (rate * meanRise) / MONTHS),
    nextRates,
    nextCounts: poissonDraws(nextRates, random),
  };
}
