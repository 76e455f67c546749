/**
 * Made-up worlds whose truth is known, on a grid of settings that was written down before any figure was looked at: four
 * epsilons, three densities, four laws of the rates. What is claimed of an interval is counted in all of them. As the methods
 * were revised on that grid, a second set was written down; as they were revised on that too, a third one, on which nothing was.
 */
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, type NeighbourLists, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { type NoiseLaw, noiseVariance } from './pmf.js';
import { gammaDraw, poissonDraws, uniforms } from './random-variates.js';

const EPSILONS = [0.1, 0.5, 1, 2];
/** Incidents a cell-month. */
const DENSITIES = { sparse: 0.5, medium: 3, dense: 20, thin: 1, thick: 8, light: 2, heavy: 10 };
type Density = keyof typeof DENSITIES;
/**
 * Laws of the rates around a smooth background, but for the first, which is flat: all alike; gamma of shape 1.5; log-normal
 * with sigma 1.2, whose top hundredth holds a tenth of all; gamma again, every rate rising by 3 % a month.
 */
export const FIELDS = ['homogeneous', 'gamma', 'heavy-tailed', 'trend'] as const;
/** Exponential; gamma of shape 0.5; one cell of ten at eleven times the rate of the others; gamma of shape 1.5, falling by 3 % a month. */
export const OTHER_FIELDS = ['exponential', 'skewed', 'two-levels', 'falling'] as const;

/**
 * The third set: Pareto of index 2; six, three and one cell of ten at 0.2, 1 and 5.8 times the mean; half of the cells without any incident
 * ever; four times a beta(0.8, 2.4) variable; gamma of shape 1.5, all rates following a calendar of 40 % up and down.
 */
export const THIRD_FIELDS = ['pareto', 'three-levels', 'half-empty', 'beta', 'seasonal'] as const;

export interface Setting {
  readonly epsilon: number;
  readonly density: Density;
  readonly field:
    | (typeof FIELDS)[number]
    | (typeof OTHER_FIELDS)[number]
    | (typeof THIRD_FIELDS)[number];
  /** 469 where it is not given. */
  readonly size?: number;
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

/** Each field in few and many cells, thin and thick, at each epsilon, but not in every combination. */
export const THIRD_SETTINGS: readonly Setting[] = THIRD_FIELDS.flatMap((field) => [
  { epsilon: 0.2, density: 'light', field, size: 2000 },
  { epsilon: 0.2, density: 'heavy', field, size: 150 },
  { epsilon: 0.7, density: 'light', field, size: 150 },
  { epsilon: 0.7, density: 'heavy', field, size: 2000 },
  { epsilon: 1.5, density: 'light', field, size: 2000 },
  { epsilon: 1.5, density: 'heavy', field, size: 150 },
]);

/** A small city, where intervals that hold over a nation have failed. */
const USUAL_SIZE = 469;
const LARGEST_DISK = disk(cellAt(51.5, -0.1, 9), 26);
const lists = new Map<number, NeighbourLists>();
/** Neighbour lists of as many cells around one. */
export function neighboursOf({ size = USUAL_SIZE }: Pick<Setting, 'size'>): NeighbourLists {
  const known = lists.get(size);
  if (known) return known;
  const made = neighbourLists(LARGEST_DISK.slice(0, size));
  lists.set(size, made);
  return made;
}
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
  if (field === 'pareto') return 0.5 / Math.sqrt(uniform());
  if (field === 'three-levels') {
    const u = uniform();
    return u < 0.6 ? 0.2 : u < 0.9 ? 1 : 5.8;
  }
  if (field === 'half-empty') return uniform() < 0.5 ? 0 : gammaDraw(2, uniform);
  if (field === 'beta') {
    const a = gammaDraw(0.8, uniform);
    return (4 * a) / (a + gammaDraw(2.4, uniform));
  }
  if (field !== 'heavy-tailed') return gammaDraw(GAMMA_SHAPE, uniform) / GAMMA_SHAPE;
  const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return Math.exp(LOG_SIGMA * normal - LOG_SIGMA ** 2 / 2);
}

/** What all rates of the month are times those of the start. */
const factorOf = (field: Setting['field'], month: number): number =>
  field === 'seasonal'
    ? 1 + 0.4 * Math.sin((2 * Math.PI * month) / 12)
    : (MONTHLY_CHANGE[field] ?? 1) ** month;

export function madeUpWorld(
  { epsilon, density, field, size = USUAL_SIZE }: Setting,
  seed: string | number,
): World {
  const random = seededRandom(`world ${epsilon} ${density} ${field} ${seed}`);
  const uniform = uniforms(random);
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const sampler = discreteLaplace({ scale: rational(10n, BigInt(10 * epsilon)) });
  const noise = new Int32Array(size);
  const start = Float64Array.from({ length: size }, (_, i) => {
    const background = field === 'homogeneous' ? 1 : 1 + 0.6 * Math.sin(i / 60);
    return DENSITIES[density] * background * relativeRate(field, uniform);
  });
  const inMonth = (t: number): Float64Array => start.map((rate) => rate * factorOf(field, t));
  const periods = Array.from({ length: MONTHS }, (_, t) => {
    sampler.sampleInto(noise, random);
    return poissonDraws(inMonth(t), random).map((count, i) => count + (noise[i] as number));
  });
  const nextRates = inMonth(MONTHS);
  const months = Array.from({ length: MONTHS }, (_, t) => factorOf(field, t));
  const meanFactor = months.reduce((a, b) => a + b, 0) / MONTHS;
  return {
    release: { periods, noiseVariance: noiseVariance(law), law },
    rates: start.map((rate) => rate * meanFactor),
    nextRates,
    nextCounts: poissonDraws(nextRates, random),
  };
}
