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
import { accountingYears, isWeek } from '#libs/query';
import type { Series, SeriesRun } from './series-file.js';

const DELTA = 1e-6;
/** A calendar year of 366 days that begins on a Sunday is touched by 54 ISO weeks; those over New Year are charged to both years. */
const RUNS_PER_YEAR = { month: 12, week: 54 };

export interface DueQuery {
  /** A month, or an ISO week. */
  readonly period: string;
  readonly query: number;
}

export interface SeriesCost {
  readonly step: 'month' | 'week';
  /** Most periods that a year has. */
  readonly runsPerYear: number;
  readonly rhoPerRun: string;
  /** Of `runsPerYear` runs. */
  readonly rhoOfYear: string;
  readonly rhoPerYear: string;
  /** Of `runsPerYear` runs at delta 10^-6, by zCDP conversion, rounded up. */
  readonly epsilonOfYear: number;
  readonly fits: boolean;
}

const perRun = ({ queries }: Series): Rational =>
  sumRationals(queries.map(({ rho }) => parseRho(rho)));

/** Cost of a year of the series against what it may spend. */
export function costOf(series: Series): SeriesCost {
  const run = perRun(series);
  const step = isWeek(series.first) ? 'week' : 'month';
  const runsPerYear = RUNS_PER_YEAR[step];
  const year = sumRationals(Array.from({ length: runsPerYear }, () => run));
  return {
    step,
    runsPerYear,
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
    .filter((run) => hasSpent(run) && accountingYears([run.period]).includes(year))
    .reduce<Rational>(
      (sum, { query }) => addRational(sum, parseRho(series.queries[query]?.rho ?? '')),
      ZERO,
    );

/** Throws `series-budget` when one more run of a query would spend more than the series may. */
export function checkBudget(series: Series, { period, query }: DueQuery): void {
  const cost = parseRho(series.queries[query]?.rho ?? '');
  for (const year of accountingYears([period])) {
    const after = addRational(spentOn(series, year), cost);
    if (compareRational(after, parseRho(series.rhoPerYear)) > 0) {
      throw new ConcordatError(
        'series-budget',
        `the series has spent what it may of ${year}: plan it anew (concordat analyse plan)`,
      );
    }
  }
}

/** Periods from the first on that every agency has said it holds and that have no release yet, with their questions. */
export function dueQueries(series: Series, offered: readonly (readonly string[])[]): DueQuery[] {
  const [first, ...others] = offered;
  const held = (first ?? []).filter((period) => others.every((some) => some.includes(period)));
  return held
    .filter((period) => isWeek(period) === isWeek(series.first) && period >= series.first)
    .sort()
    .flatMap((period) =>
      series.queries.flatMap((_, query) => {
        const isDone = series.runs.some(
          (run) => run.period === period && run.query === query && run.release !== null,
        );
        return isDone ? [] : [{ period, query }];
      }),
    );
}

/** The accounting years of due questions, each with what is spent and what the due ones would add. */
export function yearsOf(series: Series, due: readonly DueQuery[]) {
  return accountingYears(due.map(({ period }) => period)).map((year) => ({
    year,
    rhoSpent: formatRational(spentOn(series, year)),
    rhoDue: formatRational(
      due
        .filter(({ period }) => accountingYears([period]).includes(year))
        .reduce<Rational>(
          (sum, { query }) => addRational(sum, parseRho(series.queries[query]?.rho ?? '')),
          ZERO,
        ),
    ),
  }));
}
