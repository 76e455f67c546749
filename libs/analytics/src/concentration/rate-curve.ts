/**
 * Rates of any Gini that have the shape of given ones: powers of them, x_i proportional to q_i^power, which are even at power 0 and the
 * more uneven the greater it is. Cells of nearly the same rate are taken together: a curve is of the classes, whatever they stand for, so
 * that a Gini and what is worked out for it belong together.
 */
import type { RateClass } from './difference-law.js';

/** Cells of one exposure that are more than so many are put into as many classes. */
const MOST_CLASSES = 1024;
/** How near a wanted Gini is met: far within the error of any count. */
const NEAR_GINI = 1e-7;
const MOST_TRIES = 60;
const MOST_POWER = 1e4;

export interface RateCurve {
  /** In ascending order of rate. */
  readonly classes: readonly RateClass[];
  /** Logarithms of the rates that the curve goes through, the greatest 0. */
  readonly logs: Float64Array;
  /** All cells. */
  readonly cells: number;
}

interface LogClass extends RateClass {
  readonly log: number;
}

/** One cell, or `cells` of which it was taken as a sample. */
export interface SampledRates {
  readonly rates: Float64Array;
  readonly terms: Float64Array;
  readonly cells: Float64Array;
}

/** Classes of single cells. */
const singles = (logs: Float64Array, { terms, cells }: SampledRates): LogClass[] =>
  Array.from(logs, (log, i) => ({ log, terms: terms[i] as number, cells: cells[i] as number }));

/** Classes of cells of one exposure whose logarithms, 0 down to `least`, share one of even steps: at their mean. */
function steps(logs: Float64Array, { terms, cells }: SampledRates, least: number): LogClass[] {
  const width = -least / MOST_CLASSES;
  const exposures = [...new Set(terms)];
  const rowOf = new Map(exposures.map((exposure, row) => [exposure, row * (MOST_CLASSES + 1)]));
  const counts = new Float64Array(exposures.length * (MOST_CLASSES + 1));
  const sums = new Float64Array(counts.length);
  let exposure = Number.NaN;
  let row = 0;
  for (let i = 0; i < logs.length; i++) {
    if (terms[i] !== exposure) {
      exposure = terms[i] as number;
      row = rowOf.get(exposure) as number;
    }
    const log = logs[i] as number;
    const weight = cells[i] as number;
    const at = row + Math.floor(-log / width);
    counts[at] = (counts[at] as number) + weight;
    sums[at] = (sums[at] as number) + weight * log;
  }
  const found: LogClass[] = [];
  counts.forEach((count, at) => {
    if (count === 0) return;
    const terms = exposures[Math.floor(at / (MOST_CLASSES + 1))] as number;
    found.push({ log: (sums[at] as number) / count, terms, cells: count });
  });
  return found;
}

/** The curve through rates, all above 0. */
export function curveThrough(sampled: SampledRates): RateCurve {
  const logs = sampled.rates.map(Math.log);
  const most = logs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const relative = logs.map((log) => log - most);
  const least = relative.reduce((a, b) => Math.min(a, b), 0);
  const isFew = logs.length <= MOST_CLASSES || least === 0;
  const classes = (isFew ? singles(relative, sampled) : steps(relative, sampled, least)).sort(
    (a, b) => a.log - b.log,
  );
  return {
    classes,
    logs: Float64Array.from(classes, ({ log }) => log),
    cells: classes.reduce((sum, one) => sum + one.cells, 0),
  };
}

/** Rates at this power, the mean over all cells `mean`: one a class. */
export function ratesAt({ classes, logs, cells }: RateCurve, power: number, mean: number) {
  const rates = logs.map((log) => Math.exp(power * log));
  const sum = rates.reduce((total, rate, i) => total + rate * (classes[i] as RateClass).cells, 0);
  return rates.map((rate) => (rate * mean * cells) / sum);
}

/** Gini at this power. */
function giniAt({ classes, logs, cells }: RateCurve, power: number): number {
  let before = 0;
  let weighted = 0;
  let sum = 0;
  for (let i = 0; i < logs.length; i++) {
    const here = (classes[i] as RateClass).cells;
    const part = here * Math.exp(power * (logs[i] as number));
    weighted += (2 * before + here - cells) * part;
    sum += part;
    before += here;
  }
  return weighted / (cells * sum);
}

/** Power of a Gini, 0 or more: false position, Illinois form (Dowell and Jarratt 1971, BIT 11). The greatest power where none has it. */
export function powerOf(curve: RateCurve, wanted: number): number {
  if (!(wanted > 0)) return 0;
  let [low, below] = [0, -wanted];
  let [high, above] = [1, giniAt(curve, 1) - wanted];
  while (above < 0 && high < MOST_POWER) {
    [low, below] = [high, above];
    high *= 2;
    above = giniAt(curve, high) - wanted;
  }
  if (above < 0) return high;
  for (let tried = 0; tried < MOST_TRIES; tried++) {
    const power = (low * above - high * below) / (above - below);
    const miss = giniAt(curve, power) - wanted;
    if (Math.abs(miss) < NEAR_GINI) return power;
    if (miss < 0) {
      [low, below] = [power, miss];
      above /= 2;
    } else {
      [high, above] = [power, miss];
      below /= 2;
    }
  }
  return high;
}

/** The cells with the highest rates that hold `share` of all, as a share of the cells: the last one in part. */
export function fractionHolding(curve: RateCurve, power: number, share: number): number {
  const { classes, cells } = curve;
  const rates = ratesAt(curve, power, 1);
  let left = share * cells;
  let held = 0;
  for (let i = rates.length - 1; i >= 0; i--) {
    const here = (classes[i] as RateClass).cells;
    const part = here * (rates[i] as number);
    if (left <= part) return (held + (here * left) / part) / cells;
    left -= part;
    held += here;
  }
  return 1;
}
