/**
 * Made-up worlds whose truth is known, on a grid of settings that was written down before any figure was looked at: four
 * epsilons, three densities, four laws of the rates. What is claimed of an interval is counted in all of them. As the methods
 * were revised on that grid, a second set was written down; as they were revised on that too, a third one. The fourth, of what all cells
 * share, was written down before there was a season in the forecast, and nothing was revised on it.
 */
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, type NeighbourLists, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { type NoiseLaw, noiseVariance } from './laws/pmf.js';
import { gammaDraw, poissonDraws, uniforms } from './laws/random-variates.js';

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

/**
 * The fourth set: gamma rates of shape 1.5 that all follow one course. A calendar of 15 or 30 % up and down, alone or with 2 % growth a month, at four
 * phases: the month forecast is at the peak, on the way down, at the trough, on the way up; a calendar of 30 % with months that scatter by 8 %;
 * one month at one and a half times all others; a random walk of 5 % a month.
 */
export const FOURTH_FIELDS = [
  'calendar-15',
  'calendar-30',
  'growing-calendar-15',
  'growing-calendar-30',
  'scattered-calendar',
  'campaign',
  'walk',
] as const;
/** Phases of a calendar, one world after the other. */
export const PHASES = ['peak', 'down', 'trough', 'up'] as const;

export interface Setting {
  readonly epsilon: number;
  readonly density: Density;
  readonly field:
    | (typeof FIELDS)[number]
    | (typeof OTHER_FIELDS)[number]
    | (typeof THIRD_FIELDS)[number]
    | (typeof FOURTH_FIELDS)[number];
  /** 469 where it is not given. */
  readonly size?: number;
  /** Released months, 12 where it is not given. */
  readonly months?: number;
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

export const FOURTH_SETTINGS: readonly Setting[] = FOURTH_FIELDS.flatMap((field) => [
  { epsilon: 0.2, density: 'light', field, size: 2000 },
  { epsilon: 0.2, density: 'heavy', field, size: 150, months: 36 },
  { epsilon: 0.7, density: 'light', field, months: 36 },
  { epsilon: 0.7, density: 'heavy', field, size: 2000 },
  { epsilon: 1.5, density: 'heavy', field },
  { epsilon: 1.5, density: 'light', field, size: 150, months: 36 },
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
const MONTHS = 12;

const MONTHLY_CHANGE: Partial<Record<Setting['field'], number>> = { trend: 1.03, falling: 0.97 };
const GAMMA_SHAPE = 1.5;
const LOG_SIGMA = 1.2;

export interface World {
  readonly release: {
    readonly periods: readonly Float64Array[];
    readonly noiseVariance: number;
    readonly law: NoiseLaw;
    readonly periodsPerYear: number;
  };
  /** Mean rates over the months released. */
  readonly rates: Float64Array;
  /** Rates and true counts of the month after the last. */
  readonly nextRates: Float64Array;
  readonly nextCounts: Float64Array;
}

const normalOf = (uniform: () => number): number =>
  Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

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
  return Math.exp(LOG_SIGMA * normalOf(uniform) - LOG_SIGMA ** 2 / 2);
}

const YEAR = 12;
const CALENDARS: Partial<Record<Setting['field'], number>> = {
  'calendar-15': 0.15,
  'calendar-30': 0.3,
  'growing-calendar-15': 0.15,
  'growing-calendar-30': 0.3,
  'scattered-calendar': 0.3,
};

/** What all rates are times those of the start, in every month released and the one after. */
function courseOf(
  { field, months = MONTHS }: Setting,
  phase: number,
  uniform: () => number,
): number[] {
  const special = Math.floor(months * uniform());
  let walk = 0;
  return Array.from({ length: months + 1 }, (_, t) => {
    if (field === 'seasonal') return 1 + 0.4 * Math.sin((2 * Math.PI * t) / YEAR);
    if (field === 'campaign') return t === special ? 1.5 : 1;
    if (field === 'walk') {
      walk += 0.05 * normalOf(uniform);
      return Math.exp(walk);
    }
    const amplitude = CALENDARS[field];
    if (amplitude === undefined) return (MONTHLY_CHANGE[field] ?? 1) ** t;
    const angle = 2 * Math.PI * ((t - months) / YEAR + phase / PHASES.length);
    const growth = field.startsWith('growing') ? 1.02 ** t : 1;
    const scatter = field === 'scattered-calendar' ? Math.exp(0.08 * normalOf(uniform)) : 1;
    return (1 + amplitude * Math.cos(angle)) * growth * scatter;
  });
}

/** The world of this number: the number also decides the phase of a calendar. */
export function madeUpWorld(setting: Setting, world: number): World {
  const { epsilon, density, field, size = USUAL_SIZE, months = MONTHS } = setting;
  const random = seededRandom(`world ${epsilon} ${density} ${field} coverage ${world}`);
  const uniform = uniforms(random);
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const sampler = discreteLaplace({ scale: rational(10n, BigInt(10 * epsilon)) });
  const noise = new Int32Array(size);
  const start = Float64Array.from({ length: size }, (_, i) => {
    const background = field === 'homogeneous' ? 1 : 1 + 0.6 * Math.sin(i / 60);
    return DENSITIES[density] * background * relativeRate(field, uniform);
  });
  const course = courseOf(
    setting,
    world % PHASES.length,
    uniforms(seededRandom(`course ${field} ${world}`)),
  );
  const inMonth = (t: number): Float64Array => start.map((rate) => rate * (course[t] as number));
  const periods = Array.from({ length: months }, (_, t) => {
    sampler.sampleInto(noise, random);
    return poissonDraws(inMonth(t), random).map((count, i) => count + (noise[i] as number));
  });
  const nextRates = inMonth(months);
  const meanFactor = course.slice(0, months).reduce((a, b) => a + b, 0) / months;
  return {
    release: { periods, noiseVariance: noiseVariance(law), law, periodsPerYear: YEAR },
    rates: start.map((rate) => rate * meanFactor),
    nextRates,
    nextCounts: poissonDraws(nextRates, random),
  };
}
