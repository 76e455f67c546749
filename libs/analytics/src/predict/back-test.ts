/**
 * Back-test by rolling origin: for every month after the training window, each method ranks the cells from the released
 * counts of the window alone and is judged on the true counts of the month. The noise is drawn anew for every draw, once
 * per cell and month, as a node would; the same methods on the true counts are the non-private versions.
 */
import { ConcordatError } from '#libs/bytes';
import type { NoiseSampler, RandomSource } from '#libs/dp';
import type { NeighbourLists } from '#libs/grid';
import { type NoiseLaw, noiseVariance } from '../laws/pmf.js';
import { smooth } from '../rates/empirical-bayes.js';
import { forecast, type Release, releasedMeans } from './forecast.js';
import { type Accuracy, accuracy } from './hit-rate.js';
import { rankCells } from './ranking.js';

export interface BackTestInput {
  /** True counts of the category, one vector of cells per month, oldest first; undefined is a missing month. */
  readonly category: readonly (Int32Array | undefined)[];
  /** True counts of all incidents; left out when the category is all incidents. */
  readonly allCrime?: readonly (Int32Array | undefined)[];
  readonly neighbours: NeighbourLists;
  readonly sampler: NoiseSampler;
  readonly law: NoiseLaw;
  readonly random: RandomSource;
  readonly draws: number;
  readonly trainMonths: number;
  /** Share of the cells that can be attended to. */
  readonly top: number;
  /** Called after each month of each draw. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface MethodResult extends Accuracy {
  readonly method: string;
  /** Months judged and draws of noise: the figures are means over both. */
  readonly months: number;
  readonly draws: number;
}

interface Training {
  readonly release: Release;
  readonly allCrime?: Release;
}

/** Weight of the newest month in the exponentially weighted average: the textbook value. */
const EWMA_WEIGHT = 0.2;
/** Most draws, and most months of training: beyond it a back-test would not come back. */
const MOST_ROUNDS = 1000;
const MONTHS_PER_YEAR = 12;
/** Passes of the seven-cell average in the kernel method: a bell about five cells wide. */
const KERNEL_PASSES = 2;

/** Scores of cells from what was released: higher is more. */
const METHODS: Readonly<
  Record<string, (training: Training, neighbours: NeighbourLists, top: number) => Float64Array>
> = {
  naive12: ({ release }) => releasedMeans(release),
  ewma: ({ release }) => ewma(release),
  kernel: ({ release }, neighbours) => smooth(releasedMeans(release), KERNEL_PASSES, neighbours),
  concordat: ({ release, allCrime }, neighbours, top) =>
    rankCells(release, forecast(release, neighbours, allCrime ? { allCrime } : {}), top).scores,
};

function ewma({ periods }: Release): Float64Array {
  const first = periods[0] as Float64Array;
  const average = first.map((value) => (Number.isNaN(value) ? 0 : value));
  for (const period of periods.slice(1)) {
    for (let i = 0; i < average.length; i++) {
      const value = period[i] as number;
      if (Number.isNaN(value)) continue;
      average[i] = (1 - EWMA_WEIGHT) * (average[i] as number) + EWMA_WEIGHT * value;
    }
  }
  return average;
}

type Months = readonly (Float64Array | undefined)[];

const exactMonths = (months: readonly (Int32Array | undefined)[]): Months =>
  months.map((month) => month && Float64Array.from(month));

function noisyMonths(
  months: readonly (Int32Array | undefined)[],
  sampler: NoiseSampler,
  random: RandomSource,
): Months {
  return months.map((month) => {
    if (!month) return undefined;
    const noise = new Int32Array(month.length);
    sampler.sampleInto(noise, random);
    return Float64Array.from(month, (count, i) => count + (noise[i] as number));
  });
}

function window(months: Months, end: number, length: number, cells: number): Float64Array[] {
  return Array.from(
    { length },
    (_, t) => months[end - length + t] ?? new Float64Array(cells).fill(Number.NaN),
  );
}

/** Months with counts whose training window has at least one month with counts. */
function testMonths({ category, trainMonths }: BackTestInput): number[] {
  return category.flatMap((month, t) => {
    const trained = category.slice(Math.max(0, t - trainMonths), t).some((early) => early);
    return month && t >= trainMonths && trained ? [t] : [];
  });
}

function checkInput(input: BackTestInput): void {
  const whole = (value: number): boolean =>
    Number.isInteger(value) && value >= 1 && value <= MOST_ROUNDS;
  if (!whole(input.draws) || !whole(input.trainMonths) || !(input.top > 0 && input.top < 1)) {
    throw new ConcordatError(
      'invalid-back-test',
      `draws and training months are whole numbers from 1 to ${MOST_ROUNDS}, the top share lies between 0 and 1`,
    );
  }
  if (testMonths(input).length === 0) {
    throw new ConcordatError(
      'too-few-months',
      'no month follows a full training window: give more months or a shorter window',
    );
  }
}

/** Mean accuracy of every method, private and not. Throws `invalid-back-test`, `too-few-months`, `no-incidents`. */
export function backTest(input: BackTestInput): MethodResult[] {
  checkInput(input);
  const { neighbours, sampler, law, random, draws, trainMonths, top } = input;
  const cells = neighbours.degrees.length;
  const targets = testMonths(input);
  const total = targets.length * (draws + 1);
  let done = 0;

  const judge = (category: Months, allCrime: Months | undefined, noise: NoiseLaw) => {
    const variance = noiseVariance(noise);
    const seen = new Map<string, Accuracy[]>();
    for (const target of targets) {
      const release = (months: Months): Release => ({
        periods: window(months, target, trainMonths, cells),
        noiseVariance: variance,
        law: noise,
        periodsPerYear: MONTHS_PER_YEAR,
      });
      const training: Training = {
        release: release(category),
        ...(allCrime ? { allCrime: release(allCrime) } : {}),
      };
      const actual = Float64Array.from(input.category[target] as Int32Array);
      for (const [method, score] of Object.entries(METHODS)) {
        const result = accuracy(score(training, neighbours, top), actual, top);
        if (result) seen.set(method, [...(seen.get(method) ?? []), result]);
      }
      input.onProgress?.(++done, total);
    }
    return seen;
  };

  const results = new Map<string, Accuracy[]>();
  for (let draw = 0; draw < draws; draw++) {
    const category = noisyMonths(input.category, sampler, random);
    const allCrime = input.allCrime && noisyMonths(input.allCrime, sampler, random);
    for (const [method, list] of judge(category, allCrime, law)) {
      results.set(method, [...(results.get(method) ?? []), ...list]);
    }
  }
  const exact = judge(exactMonths(input.category), input.allCrime && exactMonths(input.allCrime), {
    mechanism: 'none',
  });
  for (const [method, list] of exact) results.set(`${method}-nonprivate`, list);
  if (results.size === 0) {
    throw new ConcordatError('no-incidents', 'no incident lies in the area in any tested month');
  }
  return [...results].map(([method, list]) => {
    const isPrivate = !method.endsWith('-nonprivate');
    return summary(method, list, isPrivate ? draws : 1);
  });
}

function summary(method: string, list: readonly Accuracy[], draws: number): MethodResult {
  const mean = (key: keyof Accuracy): number =>
    list.reduce((sum, one) => sum + one[key], 0) / list.length;
  return {
    method,
    hitRate: mean('hitRate'),
    pai: mean('pai'),
    pei: mean('pei'),
    months: list.length / draws,
    draws,
  };
}
