/**
 * Laws of the ratio rate / prior mean before any cell is seen, on a logarithmic grid: gamma laws of every spread, and mixtures of two
 * of them, as where few places have many times the rate of the others and nothing lies between. How far cells differ is itself
 * uncertain where noise is wide, and so is the total that all priors share: one estimate, taken as known, makes every interval too
 * narrow (Carlin and Louis 2000, section 3.5; Morris 1983, JASA 78).
 */
import { LOG_STEP, STEPS_BELOW } from '../laws/likelihood-table.js';

/** Ratios from a three-hundred-and-fiftieth to a thousand, in steps of the grid; ratio 1 has this index. The first stands for all below it, 0 too. */
export const RATIO_ONE = STEPS_BELOW - 1;
const STEPS_ABOVE = 46;
export const RATIOS = RATIO_ONE + STEPS_ABOVE + 1;
/** A narrower gamma start (squared coefficient of variation) falls between the points of the grid. */
const NARROWEST_SPREAD = 0.01;
/** Squared coefficients of variation: from cells all alike to all in a few. */
const SPREADS = [0.01, 0.05, 0.15, 0.3, 0.6, 1, 1.6, 2.5, 4, 7];
/** Of two levels: share of the cells on the higher, how many times the lower it is, spread around each. */
const HIGHER_SHARES = [0.03, 0.1, 0.3];
const HIGHER_TIMES = [4, 12];
const LEVEL_SPREADS = [0.05, 0.3];
/** A total with a smaller relative error is taken as known. */
const CLEAR_ERROR = 0.03;
/** With a larger one the total could be anything on the grid. */
const LARGEST_ERROR = 10;
/** Standard errors of the total by which the mean ratio may be off; more upwards, as errors of low estimates look smaller. */
const ERRORS_OFF = [-2, -1, 0, 1, 2, 3];
const LEAST_RATIO = 0.1;

const RATIO_VALUES = Float64Array.from({ length: RATIOS }, (_, j) =>
  Math.exp((j - RATIO_ONE) * LOG_STEP),
);

/** Gamma law of this mean and squared coefficient of variation `spread`, per even step of the logarithm. */
export function gammaRatios(spread: number, mean = 1): Float64Array {
  const shape = 1 / Math.max(NARROWEST_SPREAD, spread);
  const law = new Float64Array(RATIOS);
  for (let j = 0; j < RATIOS; j++) {
    const relative = (RATIO_VALUES[j] as number) / mean;
    law[j] = Math.exp(shape * (1 + Math.log(relative) - relative));
  }
  // Below the grid the density falls with the power `shape`: a geometric series.
  law[0] = (law[0] as number) / (1 - Math.exp(-shape * LOG_STEP));
  let total = 0;
  for (let j = 0; j < RATIOS; j++) total += law[j] as number;
  for (let j = 0; j < RATIOS; j++) law[j] = (law[j] as number) / total;
  return law;
}

function twoLevels(share: number, times: number, spread: number, mean: number): Float64Array {
  const low = mean / (1 - share + share * times);
  const law = gammaRatios(spread, low);
  const few = gammaRatios(spread, low * times);
  for (let j = 0; j < RATIOS; j++) {
    law[j] = (1 - share) * (law[j] as number) + share * (few[j] as number);
  }
  return law;
}

const lawsOfMean = (mean: number): Float64Array[] => [
  ...SPREADS.map((spread) => gammaRatios(spread, mean)),
  ...HIGHER_SHARES.flatMap((share) =>
    HIGHER_TIMES.flatMap((times) =>
      LEVEL_SPREADS.map((spread) => twoLevels(share, times, spread, mean)),
    ),
  ),
];

/** All laws to start from, where the total that the priors share has this relative standard error. */
export function startLaws(totalError: number): Float64Array[] {
  if (totalError < CLEAR_ERROR) return lawsOfMean(1);
  const error = Math.min(totalError, LARGEST_ERROR);
  return ERRORS_OFF.map((off) => 1 + off * error)
    .filter((mean) => mean > LEAST_RATIO)
    .flatMap(lawsOfMean);
}
