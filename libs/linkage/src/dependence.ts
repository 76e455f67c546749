/**
 * From people whose records agree on some fields to all people known to both. Write X_k for those who agree on the fields of k, f for a
 * forename that disagrees and likewise s, d, l. No key type sees who agrees on date alone, or on neither date nor all of
 * forename, surname and location; a product of what is seen stands in for them:
 *
 *   basic      N = X_FD X_SDL X_FSL / X_FSDL^2
 *
 * is exact when agreement on F and on D are independent of all else (Chapman-like capture, cf. Ding, Fienberg 2015). Errors come
 * together, though (a poor encounter spoils several fields), and then N is too low. The dependent form has two steps:
 *
 * 1. Who agrees on D. P(f | D) = P(f | SD) P(f | DL) / P(f | SDL): what surname and location each tell of a forename multiplies (log-linear,
 *    no three-way interaction: Bishop, Fienberg, Holland 1975, section 6.4). X_FD / (1 - P(f | D)).
 *    Forename is the field with fewest causes of its own: a marriage changes surname and address alone.
 * 2. Who does not. Dates are missing, which each list tells of itself, or wrong. The odds of a wrong date, known of those who agree
 *    on F, S and L, rise with each other field that disagrees by one factor: the odds ratio of f and l among those who agree on S and D. It
 *    holds what records of one person have in common, and neither swapped names nor marriages.
 */
import type { CountKey, OverlapCounts } from './overlap-counts.js';

/** People who agree on the fields of each key type. */
export type Values = Readonly<Record<CountKey, number>>;

export interface Dependence {
  /** P(f | D) over P(f | SDL). */
  readonly forenames: number;
  /** Factor of the odds of a wrong date for each other field that disagrees. */
  readonly dates: number;
}

/** Share of people of whom both lists hold a date: of the labels under FSL, those that are there under FSDL too. */
export function datesPresent({ counts }: OverlapCounts, least: number): number {
  const { FSL, FSDL } = counts;
  const share = (side: 'left' | 'right'): number => {
    const [all, dated] = [(FSL?.[side] ?? 0) + (FSL?.relatives?.[side] ?? 0), FSDL?.[side] ?? 0];
    return all > 0 && dated > 0 ? Math.min(1, dated / all) : 1;
  };
  return Math.max(least, share('left') * share('right'));
}

/** log N, basic form. */
export const basicForm = (x: Values): number => Math.log((x.FD * x.SDL * x.FSL) / x.FSDL ** 2);

/** A factor beyond these is noise of a few disagreements, not a common cause; below 1 % of disagreement there is hardly any evidence. */
const [LEAST_FACTOR, MOST_FACTOR] = [0.5, 3];
const LITTLE_SQUARED = 0.01 ** 2;

/** Drawn towards 1 by the noise of P(f | SDL), whose square in the denominator would else run away. */
const forenameFactor = (x: Values, noiseVariance: number): number => {
  const missed = 1 - x.FSDL / x.SDL;
  const doubt = LITTLE_SQUARED + (2 * noiseVariance) / x.SDL ** 2;
  const product = (1 - x.FSD / x.SD) * (1 - x.FDL / x.DL);
  const factor = (product + doubt) / (missed ** 2 + doubt);
  return Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, factor));
};

/** What is taken of the odds ratio before counting: none, give or take one, as a normal distribution. */
const PRIOR_FACTOR = 1;

/** The odds ratio, shrunk: where disagreements are few or noisy it says little. Linear in the noisy cell, so that noise adds no bias. */
const dateFactor = (x: Values, noiseVariance: number): number => {
  const both = x.SD - x.SDL - x.FSD + x.FSDL;
  const expected = ((x.SDL - x.FSDL) * (x.FSD - x.FSDL)) / x.FSDL;
  if (!(expected > 0)) return PRIOR_FACTOR;
  const variance = (PRIOR_FACTOR * expected + 4 * noiseVariance) / expected ** 2;
  const factor = (both / expected + variance * PRIOR_FACTOR) / (1 + variance);
  return Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, factor));
};

export const dependenceOf = (x: Values, noiseVariance: number): Dependence => ({
  forenames: forenameFactor(x, noiseVariance),
  dates: dateFactor(x, noiseVariance),
});

/** People who agree on D, of step 1. */
const agreeingOnDate = (x: Values, factor: number): number =>
  x.FD / (1 - factor * (1 - x.FSDL / x.SDL));

/** log N, dependent form. `present` is `datesPresent`. */
export function dependentForm(
  x: Values,
  { forenames, dates }: Dependence,
  present: number,
): number {
  const total = agreeingOnDate(x, forenames);
  const [one, two] = [
    x.SDL + x.FDL + x.FSD - 3 * x.FSDL,
    x.FD + x.SD + x.DL - 2 * (x.FSD + x.FDL + x.SDL) + 3 * x.FSDL,
  ];
  const three = total - x.FSDL - one - two;
  const odds = Math.max(0, (present * x.FSL) / x.FSDL - 1);
  const wrong = odds * (x.FSDL + dates * one + dates ** 2 * two + dates ** 3 * three);
  return Math.log((total + wrong) / present);
}

/** How far the factor for dates may be off, as a standard deviation of its logarithm: no key type tests it on dates themselves. */
const DATES_UNKNOWN = 0.2;

/**
 * Variance of log N for what the form takes for granted: the factor for dates, and that probabilities multiply in step 1. Odds might as
 * well (the usual log-linear model), which puts other people at the cell of date alone; half of that difference is one standard
 * deviation, and the whole correction for dependence is the most that is allowed.
 */
export function formVariance(x: Values, dependence: Dependence, present: number): number {
  const logN = dependentForm(x, dependence, present);
  const dates = dependentForm(
    x,
    { ...dependence, dates: dependence.dates * Math.exp(DATES_UNKNOWN) },
    present,
  );
  const [f, s, l] = [x.SDL - x.FSDL, x.FDL - x.FSDL, x.FSD - x.FSDL];
  const fl = x.SD - x.SDL - x.FSD + x.FSDL;
  const fs = x.DL - x.SDL - x.FDL + x.FSDL;
  const sl = x.FD - x.FSD - x.FDL + x.FSDL;
  const total = agreeingOnDate(x, dependence.forenames);
  const seen = x.FSDL + f + s + l + fl + fs + sl;
  const byOdds = seen + Math.max(0, (x.FSDL * fl * fs * sl) / (f * s * l));
  const most = Math.abs(Math.log(total / agreeingOnDate(x, 1)));
  const differ = Math.abs(Math.log(byOdds / total)) / 2;
  const forenames = Number.isFinite(differ) ? Math.min(differ, most) : most;
  return (dates - logN) ** 2 + forenames ** 2;
}
