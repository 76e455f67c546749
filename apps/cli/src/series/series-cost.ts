/** What a series costs: exact sums of rho by accounting year, and what is due. */
import { ConcordatError } from '#libs/bytes';
import {
  addRational,
  compareRational,
  formatRational,
  parseRho,
  type Rational,
  rhoOf,
  sumRationals,
  ZERO,
  zcdpEpsilon,
} from '#libs/dp';
import { monthsOf } from '#libs/query';
import type { Series, SeriesRun } from './series-file.js';

const DELTA = 1e-6;
const MONTHS_PER_YEAR = 12;

export interface DueQuery {
  readonly month: string;
  readonly query: number;
}

export interface SeriesCost {
  readonly rhoPerRun: string;
  /** Twelve runs. */
  readonly rhoOfYear: string;
  readonly rhoPerYear: string;
  /** Of twelve runs at delta 10^-6, by zCDP conversion, rounded up. */
  readonly epsilonOfYear: number;
  readonly fits: boolean;
}

const perRun = ({ queries }: Series): Rational =>
  sumRationals(queries.map(({ rho }) => parseRho(rho)));

/** Cost of a year of the series against what it may spend. */
export function costOf(series: Series): SeriesCost {
  const run = perRun(series);
  const year = sumRationals(Array.from({ length: MONTHS_PER_YEAR }, () => run));
  return {
    rhoPerRun: formatRational(run),
    rhoOfYear: formatRational(year),
    rhoPerYear: series.rhoPerYear,
    epsilonOfYear: zcdpEpsilon(rhoOf(year), DELTA),
    fits: compareRational(year, parseRho(series.rhoPerYear)) <= 0,
  };
}

/** A run that was refused by everybody spent nothing that the series knows of; one that has a release spent its rho. */
const hasSpent = ({ release }: SeriesRun): boolean => release !== null;

/** rho that the series has spent on an accounting year of the data. */
const spentOn = (series: Series, year: string): Rational =>
  series.runs
    .filter((run) => hasSpent(run) && run.month.startsWith(`${year}-`))
    .reduce<Rational>(
      (sum, { query }) => addRational(sum, parseRho(series.queries[query]?.rho ?? '')),
      ZERO,
    );

/** Throws `series-budget` when one more run of a query would spend more than the series may. */
export function checkBudget(series: Series, { month, query }: DueQuery): void {
  const cost = parseRho(series.queries[query]?.rho ?? '');
  const after = addRational(spentOn(series, month.slice(0, 4)), cost);
  if (compareRational(after, parseRho(series.rhoPerYear)) > 0) {
    throw new ConcordatError(
      'series-budget',
      `the series has spent what it may of ${month.slice(0, 4)}: plan it anew (concordat analyse plan)`,
    );
  }
}

/** Months from the first on that every agency has said it holds and that have no release yet, with their questions. */
export function dueQueries(series: Series, offered: readonly (readonly string[])[]): DueQuery[] {
  const [first, ...others] = offered;
  const held = (first ?? []).filter((month) => others.every((months) => months.includes(month)));
  return held
    .filter((month) => month >= series.firstMonth)
    .sort()
    .flatMap((month) =>
      series.queries.flatMap((_, query) => {
        const isDone = series.runs.some(
          (run) => run.month === month && run.query === query && run.release !== null,
        );
        return isDone ? [] : [{ month, query }];
      }),
    );
}

/** The accounting years of due questions, each with what is spent and what the due ones would add. */
export function yearsOf(series: Series, due: readonly DueQuery[]) {
  const months = due.map(({ month }) => month);
  const years = [...new Set(months.flatMap((month) => monthsOf(month)).map((m) => m.slice(0, 4)))];
  return years.sort().map((year) => ({
    year,
    rhoSpent: formatRational(spentOn(series, year)),
    rhoDue: formatRational(
      due
        .filter(({ month }) => month.startsWith(year))
        .reduce<Rational>(
          (sum, { query }) => addRational(sum, parseRho(series.queries[query]?.rho ?? '')),
          ZERO,
        ),
    ),
  }));
}
