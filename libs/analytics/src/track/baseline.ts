/**
 * What a cell usually counts, with all that is not known of it: the law of its rate, given what was released so far, as points
 * with weights; how far periods scatter around that; and what all cells may share.
 */

import type { Forecast } from '../predict/forecast.js';
import { type CommonFactor, STILL } from '../rates/common-course.js';
import { posteriors } from '../rates/exact-level.js';
import type { RatePosterior } from '../rates/rate-posterior.js';

export interface Baseline {
  /** Expected count of each cell in the first period to come. */
  readonly mean: Float64Array;
  /** Variance of the rate around `mean`. */
  readonly rateVariance: Float64Array;
  /** Law of the rate of a cell, mean as above. Each call overwrites the last result. */
  readonly lawOf: (cell: number) => Readonly<RatePosterior>;
  /** Variance of the change of a rate from one period to the next, over the squared rate. */
  readonly step: number;
  /** Variance of a period's count around its rate beyond Poisson, over the squared rate. */
  readonly burst: number;
  /** What all cells share in the period `ahead` (0..) after the first to come, beyond what `mean` has of it. */
  readonly shared: (ahead: number) => CommonFactor;
}

/** Rates that are known and do not change. */
export function knownBaseline(rates: Float64Array): Baseline {
  const law: RatePosterior = {
    logRates: new Float64Array(1),
    weights: Float64Array.of(1),
    count: 1,
    step: 0,
    floor: Number.NEGATIVE_INFINITY,
  };
  return {
    mean: rates,
    rateVariance: new Float64Array(rates.length),
    lawOf(cell) {
      law.logRates[0] = Math.log(rates[cell] as number);
      return law;
    },
    step: 0,
    burst: 0,
    shared: (ahead) => STILL.ahead(ahead + 1),
  };
}

/** Points of a gamma law on either side of its mean, and how many a standard deviation of the logarithm. */
const GAMMA_POINTS = 24;
const POINTS_PER_DEVIATION = 5;

function fillGamma(room: RatePosterior, mean: number, variance: number): void {
  const spread = Math.max(1e-12, variance / (mean * mean));
  const step = Math.sqrt(Math.log1p(spread)) / POINTS_PER_DEVIATION;
  let total = 0;
  for (let k = 0; k <= 2 * GAMMA_POINTS; k++) {
    const log = (k - GAMMA_POINTS) * step;
    // Density of the logarithm of a gamma variable of mean 1, over its value at 1.
    const weight = Math.exp((1 + log - Math.exp(log)) / spread - 1 / spread);
    room.logRates[k] = log;
    room.weights[k] = weight;
    total += weight;
  }
  room.count = 2 * GAMMA_POINTS + 1;
  room.step = step;
  let first = 0;
  for (let k = 0; k < room.count; k++) {
    const weight = (room.weights[k] as number) / total;
    room.weights[k] = weight;
    first += weight * Math.exp(room.logRates[k] as number);
  }
  const shift = Math.log(mean / first);
  for (let k = 0; k < room.count; k++) room.logRates[k] = (room.logRates[k] as number) + shift;
}

/** Law of the level of each cell after the last period of a release, before any growth. Each call overwrites the last result. */
export function levelLaws({ basis }: Forecast): (cell: number) => RatePosterior {
  const { levels, exact } = basis;
  const posteriorOf = exact && posteriors(exact);
  const gamma: RatePosterior = {
    logRates: new Float64Array(2 * GAMMA_POINTS + 1),
    weights: new Float64Array(2 * GAMMA_POINTS + 1),
    count: 0,
    step: 0,
    floor: Number.NEGATIVE_INFINITY,
  };
  return (cell) => {
    const posterior = posteriorOf?.(cell);
    if (posterior) return posterior;
    fillGamma(gamma, levels.level[cell] as number, levels.variance[cell] as number);
    return gamma;
  };
}

/** The usual rates that a forecast one period ahead rests on. */
export function usualBaseline(forecast: Forecast): Baseline {
  const { mean, rateVariance, model, course, basis } = forecast;
  const first = course.ahead(1).factor;
  const levelOf = levelLaws(forecast);
  return {
    mean,
    rateVariance,
    lawOf(cell) {
      const law = levelOf(cell);
      const shift = Math.log(basis.factor[cell] as number);
      for (let k = 0; k < law.count; k++) law.logRates[k] = (law.logRates[k] as number) + shift;
      return law;
    },
    step: model.step,
    burst: model.burst,
    shared(ahead) {
      const { factor, variance } = course.ahead(ahead + 1);
      return { factor: factor / first, variance: variance / (first * first) };
    },
  };
}
