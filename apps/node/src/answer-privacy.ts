import { isConcordatError } from '#libs/bytes';
import type { LevelVariance } from '#libs/dp';
import type { PolicySet } from '#libs/policy';
import {
  answerNoise,
  INCIDENT_UNIT,
  type PrivacyUnit,
  type Query,
  type QueryGroup,
} from '#libs/query';
import type { DatasetVersion } from '#libs/records';

/** Whom an answer protects and the noise of each level that does it, or why no noise would. */
export type AnswerPrivacy =
  | { readonly ok: true; readonly unit: PrivacyUnit; readonly levels: readonly LevelVariance[] }
  | { readonly ok: false; readonly code: string; readonly constraint: string };

const CONSTRAINTS: Readonly<Record<string, string>> = {
  'measure-not-held': 'measure',
  'unbounded-window': 'periods',
  'noise-too-wide': 'rho',
};

/**
 * The unit is the person where every file of the dataset names persons; its bounds are the signed policy's. Else it is the incident.
 * `logged` is the unit of an answer that is only repeated: its noise was drawn under the policy of its day.
 */
export function answerPrivacy(
  query: Query,
  groups: readonly QueryGroup[],
  held: DatasetVersion,
  { agency }: PolicySet,
  dataset: string,
  logged?: PrivacyUnit,
): AnswerPrivacy {
  const { datasets } = agency.limits;
  const bounds = Object.hasOwn(datasets, dataset) ? datasets[dataset]?.privacyUnit : undefined;
  if (!bounds) return { ok: false, code: 'unknown-dataset', constraint: 'limits.datasets' };
  const unit: PrivacyUnit =
    logged ?? (held.unit === 'person' ? { unit: 'person-year', ...bounds } : INCIDENT_UNIT);
  try {
    return { ok: true, unit, levels: answerNoise(query, groups, unit) };
  } catch (error) {
    const constraint = isConcordatError(error) && CONSTRAINTS[error.code];
    if (!constraint) throw error;
    return { ok: false, code: error.code, constraint };
  }
}
