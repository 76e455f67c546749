import { ConcordatError } from '#libs/bytes';
import type { LevelVariance } from './budget.js';
import type { DiscreteGaussianEvent } from './privacy-event.js';

/**
 * How far one unit of privacy can move an answer. The only place that computes it, always from the contribution bounds that
 * were enforced on the raw rows, never from an earlier sensitivity: a bound claimed for groups says nothing once they
 * are merged (opendp #2949).
 */
export interface ContributionBounds {
  /** What neighbouring datasets differ in: all records of one person in an accounting year, or one incident. */
  readonly unit: 'person' | 'incident';
  /** c: records of one unit counted per release group (one category set in one period), at least 1. */
  readonly perGroup: number;
  /** M: records of one unit counted in the accounting year, at least c. */
  readonly perYear: number;
}

export interface QuerySensitivity {
  /** Largest total number of records of one unit in the answer's groups, in one level. */
  readonly l1: number;
  /** Delta2^2 of one level over all groups of the answer, in squared records. */
  readonly l2Squared: bigint;
}

/** Bounds of a dataset without person references: each incident stands for itself. */
export const INCIDENT_BOUNDS: ContributionBounds = Object.freeze({
  unit: 'incident',
  perGroup: 1,
  perYear: 1,
});

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

function check(bounds: ContributionBounds, groups: number, overlap = 1): void {
  const { unit, perGroup, perYear } = bounds;
  if (
    ![perGroup, perYear, groups, overlap].every(isCount) ||
    perGroup > perYear ||
    overlap > groups
  ) {
    throw new ConcordatError(
      'bad-contribution-bounds',
      'bounds are positive integers with perGroup <= perYear and overlap <= groups',
    );
  }
  if (unit === 'incident' && perYear !== 1) {
    throw new ConcordatError(
      'bad-contribution-bounds',
      'with the incident as unit both bounds are 1: one incident is one record',
    );
  }
}

/** The worst case of one unit: `full` groups with c records and one with `rest` (0 if none), all in one cell each. */
function worstCase({ perGroup, perYear }: ContributionBounds, groups: number, overlap: number) {
  const total = perYear * overlap;
  const full = Math.min(groups, Math.floor(total / perGroup));
  const rest = full < groups ? total - full * perGroup : 0;
  return { full, rest };
}

/**
 * Sensitivity of one level of a query that releases `groups` vectors (category sets x periods) in the accounting year:
 * Delta2^2 = max sum c_r^2 over c_r <= c, sum c_r <= M, at most `groups` of them = full c^2 + rest^2 (a convex function
 * is largest at a corner). `overlap` is the largest number of those groups one record can be counted in: 1 when they are
 * disjoint; for overlapping periods or category sets it multiplies M. Throws `bad-contribution-bounds`.
 */
export function querySensitivity(
  bounds: ContributionBounds,
  groups: number,
  overlap = 1,
): QuerySensitivity {
  check(bounds, groups, overlap);
  const { full, rest } = worstCase(bounds, groups, overlap);
  return {
    l1: full * bounds.perGroup + rest,
    l2Squared: BigInt(full) * BigInt(bounds.perGroup) ** 2n + BigInt(rest) ** 2n,
  };
}

/**
 * Squared L2 sensitivity of `levels` measured levels together: m records in one leaf move every ancestor by m, so it is
 * levels * Delta2^2 (m sqrt(L), never sqrt(m L): opendp #2924).
 */
export const treeL2SensitivitySquared = (sensitivity: QuerySensitivity, levels: number): bigint =>
  sensitivity.l2Squared * BigInt(levels);

/** The bounds of `groups` release groups added up into one count after bounding: one unit is in each with up to c records. */
export function mergedBounds(bounds: ContributionBounds, groups: number): ContributionBounds {
  check(bounds, groups);
  return { ...bounds, perGroup: Math.min(bounds.perYear, bounds.perGroup * groups) };
}

/** The mechanisms of one answer for the accountant: at each level the worst case of one unit. */
export function answerEvents(
  levels: readonly LevelVariance[],
  bounds: ContributionBounds,
  groups: number,
  overlap = 1,
): readonly DiscreteGaussianEvent[] {
  check(bounds, groups, overlap);
  const { full, rest } = worstCase(bounds, groups, overlap);
  const mechanism = 'discrete-gaussian';
  return levels.flatMap(({ sigma2 }) => [
    { mechanism, sigma2, sensitivity: bounds.perGroup, count: full },
    ...(rest > 0 ? [{ mechanism, sigma2, sensitivity: rest, count: 1 } as const] : []),
  ]);
}
