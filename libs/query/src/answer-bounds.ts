/**
 * What one unit of privacy can contribute to one agency's answer: the bounds and the number of groups that `querySensitivity`
 * and `answerEvents` of the dp lib are given. Nodes compute their noise from it and the coordinator checks it by the same.
 */
import { ConcordatError } from '#libs/bytes';
import {
  type ContributionBounds,
  INCIDENT_BOUNDS,
  type LevelVariance,
  levelVariances,
  MAX_SIGMA2,
  parseRho,
  querySensitivity,
  type Resolution,
} from '#libs/dp';
import { isWeek, monthsOf } from './period.js';
import type { Query, QueryGroup } from './query.js';

/** Whom an answer protects, and the contribution bounds that were enforced on the raw rows; with the incident both are 1. */
export interface PrivacyUnit {
  readonly unit: 'incident' | 'person-year';
  /** c: records of one person that count in one month, over all categories. */
  readonly maxPerRelease: number;
  /** M: records of one person that count in one accounting year. */
  readonly maxPerYear: number;
}

/** The unit of a dataset without person references. */
export const INCIDENT_UNIT: PrivacyUnit = Object.freeze({
  unit: 'incident',
  maxPerRelease: 1,
  maxPerYear: 1,
});

export interface AnswerBounds {
  readonly bounds: ContributionBounds;
  /** R: groups of the fullest accounting year that hold records of one unit independently of each other. */
  readonly groups: number;
}

/**
 * Bounds of an answer with `groups` to a query of this `measure`. Neighbouring datasets differ in one accounting year of one person,
 * so the year with most groups is the worst case. With the incident, a record is in one group: c = M = R = 1.
 *
 * Incidents: ranks within a month run over all categories, so its groups, disjoint category sets, hold c_1 + c_2 + .. <= c records of
 * one person; (sum of c_k^2) <= c^2, and R counts months, not groups. People: every group (category and month) counts a person at most once, a year
 * at most M times in all: c = 1, and R counts groups.
 *
 * Throws `measure-not-held` (people of a dataset that names none), `unbounded-window` (ranks are per month: a person could count c times in
 * each month of a window, and c times in each part of a week that two months share), `wrong-bounds`.
 */
export function answerBounds(
  measure: Query['measure'],
  groups: readonly QueryGroup[],
  { unit, maxPerRelease, maxPerYear }: PrivacyUnit,
): AnswerBounds {
  if (measure === 'linked-people') {
    throw new ConcordatError('measure-not-held', 'linked people are counted without a tree');
  }
  if (unit === 'incident') {
    if (measure === 'people') {
      throw new ConcordatError(
        'measure-not-held',
        'the records name no persons: ask for the measure "incidents"',
      );
    }
    if (maxPerRelease !== 1 || maxPerYear !== 1) {
      throw new ConcordatError('wrong-bounds', 'with the incident as unit both bounds are 1');
    }
    return { bounds: INCIDENT_BOUNDS, groups: 1 };
  }
  if (groups.some(({ period }) => isWeek(period) || monthsOf(period).length > 1)) {
    throw new ConcordatError('unbounded-window', 'the unit is the person: ask month by month');
  }
  const people = measure === 'people';
  const independent = new Set(
    groups.map(({ category, period }) => (people ? `${period} ${category}` : period)),
  );
  const ofYear = new Map<string, number>();
  for (const group of independent) {
    const year = group.slice(0, 4);
    ofYear.set(year, (ofYear.get(year) ?? 0) + 1);
  }
  return {
    bounds: { unit: 'person', perGroup: people ? 1 : maxPerRelease, perYear: maxPerYear },
    groups: Math.max(...ofYear.values()),
  };
}

/**
 * The noise of every level of an answer, total first: what the query's rho buys at the sensitivity of the groups answered. Throws
 * what `answerBounds` throws, and `noise-too-wide` where a level would need more than the sampler gives.
 */
export function answerNoise(
  query: Pick<Query, 'measure' | 'rho' | 'resolution'>,
  answered: readonly QueryGroup[],
  unit: PrivacyUnit,
): readonly LevelVariance[] {
  const { bounds, groups } = answerBounds(query.measure, answered, unit);
  const levels = levelVariances({
    rho: parseRho(query.rho),
    finest: query.resolution as Resolution,
    l2SensitivitySquared: querySensitivity(bounds, groups).l2Squared,
  });
  if (levels.some(({ sigma2 }) => sigma2.num > MAX_SIGMA2 * sigma2.den)) {
    throw new ConcordatError(
      'noise-too-wide',
      'the contribution bounds are too wide for so small a rho: ask for fewer months or spend more',
    );
  }
  return levels;
}
