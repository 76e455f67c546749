/**
 * Worlds that a release may have come from: true counts x_t of every cell and period given its released ones. The rate of a cell is
 * drawn from its posterior given all its periods (`baseline.ts`); then, period by period and exactly,
 *
 *   P(x_t | rate, z_t) is proportional to P(x_t | rate) P(noise = z_t - x_t),
 *
 * counts being Poisson, or negative binomial where periods scatter more. Wide noise leaves x_t near the rate, narrow noise near z_t: what
 * the noise of this release did to a cell is taken out as far as anybody can tell, and no further.
 */
import type { RandomSource } from '#libs/dp';
import { noiseCumulants } from '../laws/edgeworth.js';
import { type NoiseLaw, noiseReach } from '../laws/pmf.js';
import { uniforms } from '../laws/random-variates.js';
import type { Forecast } from '../predict/forecast.js';
import { evidenceShares } from '../rates/cell-likelihood.js';
import { levelLaws } from './baseline.js';
import { commonChange } from './common-change.js';

/** Equally likely rates that stand for the posterior of a cell. */
const RATES_PER_CELL = 16;
/** Terms below this share of the largest are left out. */
const LEAST_TERM = 1e-7;
/** More scatter than this has no single most likely count. */
const MOST_BURST = 1;

/** P(noise = d - 1) / P(noise = d) for d = -reach..reach. */
function noiseSteps(law: NoiseLaw): { readonly steps: Float64Array; readonly reach: number } {
  const reach = noiseReach(law);
  const steps = Float64Array.from({ length: 2 * reach + 1 }, (_, at) => {
    const d = at - reach;
    if (law.mechanism === 'discrete-gaussian') return Math.exp((2 * d - 1) / (2 * law.sigma2));
    const slope = law.mechanism === 'discrete-laplace' ? law.epsilon : 0;
    return Math.exp(d > 0 ? slope : -slope);
  });
  return { steps, reach };
}

/** A function that draws x given z, the mean of x and its index, 1 / burst (infinite: Poisson). */
export function countDraw(law: NoiseLaw, uniform: () => number) {
  const { steps, reach } = noiseSteps(law);
  let terms = new Float64Array(256);
  return (z: number, mean: number, index: number): number => {
    const share = Number.isFinite(index) ? mean / (mean + index) : 0;
    /** P(x + 1) / P(x), both given z; it falls with x. */
    const rise = (x: number): number => {
      const count = share > 0 ? (share * (x + index)) / (x + 1) : mean / (x + 1);
      return count * (steps[Math.min(2 * reach, Math.max(0, z - x + reach))] as number);
    };
    // The most likely x lies between those of its two factors.
    let low = Math.max(0, Math.floor(Math.min(z, mean)) - 1);
    let high = Math.max(0, Math.ceil(Math.max(z, mean)));
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rise(middle) > 1) low = middle + 1;
      else high = middle;
    }
    const peak = low;
    let first = peak;
    let total = 1;
    let used = 0;
    let term = 1;
    const keep = (value: number): void => {
      if (used === terms.length) {
        const wider = new Float64Array(2 * used);
        wider.set(terms);
        terms = wider;
      }
      terms[used++] = value;
      total += value;
    };
    while (first > 0) {
      term /= rise(first - 1);
      if (term < LEAST_TERM) break;
      first--;
      keep(term);
    }
    const below = used;
    term = 1;
    for (let x = peak; ; x++) {
      term *= rise(x);
      if (term < LEAST_TERM) break;
      keep(term);
    }
    let left = uniform() * total - 1;
    if (left < 0) return peak;
    for (let at = 0; at < used; at++) {
      left -= terms[at] as number;
      if (left < 0) return at < below ? peak - 1 - at : peak + 1 + (at - below);
    }
    return peak;
  };
}

/** Equally likely rates of every cell, one after the other. */
function likelyRates(forecast: Forecast, cells: number): Float32Array {
  const lawOf = levelLaws(forecast);
  const rates = new Float32Array(RATES_PER_CELL * cells);
  for (let i = 0; i < cells; i++) {
    const { logRates, weights, count, step } = lawOf(i);
    let below = 0;
    let k = 0;
    for (let rank = 0; rank < RATES_PER_CELL; rank++) {
      const share = (rank + 0.5) / RATES_PER_CELL;
      while (k < count - 1 && below + (weights[k] as number) < share) {
        below += weights[k] as number;
        k++;
      }
      const weight = weights[k] as number;
      const x = weight > 0 ? Math.min(1, (share - below) / weight) : 0.5;
      rates[RATES_PER_CELL * i + rank] = Math.exp((logRates[k] as number) + (x - 0.5) * step);
    }
  }
  return rates;
}

export interface CountModel {
  /** Mean rate of each cell that has these levels, in a period of factor 1. */
  readonly rates: (levels: Float64Array) => Float64Array;
  /** What all rates are times in each period of the release. */
  readonly factors: readonly number[];
  /** True counts of all periods, given the rates. NaN where the release has NaN. */
  readonly draw: (rates: Float64Array) => Float64Array[];
}

/** How the counts of all periods come about in the release that `forecast` rests on; `law` is that of its noise. */
export function countModel(forecast: Forecast, law: NoiseLaw, uniform: () => number): CountModel {
  const { release, levels, exact } = forecast.basis;
  const { periods } = release;
  const { factors } = commonChange(
    periods,
    {
      mean: levels.level,
      rateVariance: levels.variance,
      shared: () => ({ factor: 1, variance: forecast.course.departure }),
    },
    noiseCumulants(law).second,
  );
  const { step, burst } = forecast.model;
  // The level of a cell is already that of the periods it was read from: only how they differ is left to the factors.
  const evidence = {
    periods,
    mean: exact?.mean ?? levels.level,
    model: forecast.model,
    noiseVariance: release.noiseVariance,
  };
  const shares = new Float64Array(periods.length);
  const usual = levels.level.map((_, i) => {
    evidenceShares(evidence, i, shares);
    return shares.reduce((sum, share, t) => sum + share * (factors[t] as number), 0);
  });
  const indices = periods.map((_, t) => {
    const scatter = Math.min(MOST_BURST, burst + step * (periods.length - 1 - t));
    return scatter > 0 ? 1 / scatter : Number.POSITIVE_INFINITY;
  });
  const draw = countDraw(law, uniform);
  return {
    rates: (level) => level.map((rate, i) => rate / (usual[i] as number)),
    factors,
    draw: (rates) =>
      periods.map((period, t) => {
        if (law.mechanism === 'none') return period;
        return period.map((z, i) =>
          Number.isNaN(z)
            ? z
            : draw(z, (rates[i] as number) * (factors[t] as number), indices[t] as number),
        );
      }),
  };
}

/**
 * A function that draws the true counts of all periods of the release that `forecast` rests on, `law` being that of its noise. NaN
 * where the release has NaN.
 */
export function possibleCounts(
  forecast: Forecast,
  law: NoiseLaw,
  random: RandomSource,
): () => Float64Array[] {
  const { level } = forecast.basis.levels;
  const likely = likelyRates(forecast, level.length);
  const uniform = uniforms(random);
  const { rates, draw } = countModel(forecast, law, uniform);
  return () => {
    const levels = level.map((_, i) => {
      const rank = Math.floor(RATES_PER_CELL * uniform());
      return likely[RATES_PER_CELL * i + rank] as number;
    });
    return draw(rates(levels));
  };
}

/** Levels of all cells in each of `worlds`, drawn from their posteriors: tails too, which a few likely rates leave out. */
export function drawnLevels(
  forecast: Forecast,
  worlds: number,
  uniform: () => number,
): Float64Array[] {
  const cells = forecast.basis.levels.level.length;
  const lawOf = levelLaws(forecast);
  const drawn = Array.from({ length: worlds }, () => new Float64Array(cells));
  for (let i = 0; i < cells; i++) {
    const { logRates, weights, count, step } = lawOf(i);
    for (const world of drawn) {
      let left = uniform();
      let k = 0;
      while (k < count - 1 && left > (weights[k] as number)) left -= weights[k++] as number;
      const weight = weights[k] as number;
      const x = weight > 0 ? Math.min(1, left / weight) : 0.5;
      world[i] = Math.exp((logRates[k] as number) + (x - 0.5) * step);
    }
  }
  return drawn;
}
