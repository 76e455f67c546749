/** P(released count | rate) for Poisson counts with noise of known law, as a table over a logarithmic grid of rates. */
import { type NoiseLaw, noisePmf } from './pmf.js';

/** Step of the grid in the logarithm of the rate. */
export const LOG_STEP = 0.15;
/** Rates and counts above these are in no table: noise hardly matters there. */
const LARGEST_RATE = 400;
export const LARGEST_COUNT = 700;
/** Grid points below the least rate, down to a four-hundredth of it. */
export const STEPS_BELOW = 40;
const LEAST_LOG = -60;

export interface LikelihoodTable {
  /** Logarithm of the rate of the first grid point. */
  readonly first: number;
  readonly rates: Float64Array;
  /** Counts below this have the likelihood of this one. */
  readonly lowest: number;
  readonly width: number;
  /**
   * log P(z | rate), in single precision, from z = lowest: one run of all rates after the other, as a cell reads all rates of few
   * counts. A run is there once `fill` was asked for it.
   */
  readonly logs: Float64Array;
  /** Works out the run of the count lowest + column, unless it is there. */
  readonly fill: (column: number) => void;
}

/** Terms of a Poisson law, as far as they matter. */
function poissonTerms(rate: number): Float64Array {
  const top = Math.ceil(rate + 8 * Math.sqrt(rate) + 10);
  const terms = new Float64Array(top + 1);
  let log = -rate;
  for (let k = 0; k <= top; k++) {
    terms[k] = Math.exp(log);
    log += Math.log(rate / (k + 1));
  }
  return terms;
}

/** Log-likelihood of a count, given as how far it lies above the least noise. */
function logLikelihood(poisson: Float64Array, noise: Float64Array, offset: number): number {
  const from = Math.max(0, offset - noise.length + 1);
  let sum = 0;
  for (let k = from; k < poisson.length && k <= offset; k++) {
    sum += (poisson[k] as number) * (noise[offset - k] as number);
  }
  return Math.fround(sum > 0 ? Math.max(LEAST_LOG, Math.log(sum)) : LEAST_LOG);
}

/** Rates from a four-hundredth of `least` to 400. */
export function likelihoodTable(law: NoiseLaw, least: number): LikelihoodTable {
  const noise = noisePmf(law);
  const first = Math.log(least) - STEPS_BELOW * LOG_STEP;
  const count = Math.ceil((Math.log(LARGEST_RATE) - first) / LOG_STEP);
  const rates = Float64Array.from({ length: Math.max(2, count) }, (_, a) =>
    Math.exp(first + a * LOG_STEP),
  );
  // Half of the noise table is beyond any use: its far ends have probabilities of 1e-40.
  const lowest = Math.ceil(noise.first / 2);
  const width = LARGEST_COUNT - lowest + 1;
  const logs = new Float64Array(rates.length * width);
  const poisson = Array.from(rates, poissonTerms);
  const isFilled = new Uint8Array(width);
  const fill = (column: number): void => {
    if (isFilled[column] === 1) return;
    isFilled[column] = 1;
    const offset = lowest + column - noise.first;
    for (let a = 0; a < rates.length; a++) {
      const terms = poisson[a] as Float64Array;
      logs[column * rates.length + a] = logLikelihood(terms, noise.weights, offset);
    }
  };
  return { first, rates, lowest, width, logs, fill };
}
