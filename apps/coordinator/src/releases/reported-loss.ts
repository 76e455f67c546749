import { answerEvents, epsilonAtDelta, parseRho, zcdpEpsilon } from '#libs/dp';
import {
  answerBounds,
  answerNoise,
  type PrivacyUnit,
  type Query,
  type QueryGroup,
} from '#libs/query';

/** The delta at which epsilon is reported: well below one over the number of incidents of any agency and year. */
const DELTA = 1e-6;
const DECIMALS = 1e6;
const MAX_KEPT = 1_000;

const roundedUp = (epsilon: number): string => String(Math.ceil(epsilon * DECIMALS) / DECIMALS);

/** (epsilon, delta) of a budget as decimal texts, epsilon rounded up [CKS20, Proposition 12]. */
export const reportedLoss = (
  rho: string,
): { readonly epsilon: string; readonly delta: string } => ({
  epsilon: roundedUp(zcdpEpsilon(parseRho(rho), DELTA)),
  delta: '0.000001',
});

/** One contributor's answer: the groups it holds and whom its noise protects. */
interface Contributor {
  readonly groups: readonly QueryGroup[];
  readonly privacy: PrivacyUnit;
}

/** The figure depends on these alone, and accounting takes a while: months of one question share it. */
const known = new Map<string, number>();

function exactOf(query: Query, { groups: answered, privacy }: Contributor): number {
  const { bounds, groups } = answerBounds(query.measure, answered, privacy);
  const key = JSON.stringify([query.rho, query.resolution, bounds, groups]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const events = answerEvents(answerNoise(query, answered, privacy), bounds, groups);
  const epsilon = epsilonAtDelta(events, DELTA).upper;
  if (known.size === MAX_KEPT) known.clear();
  known.set(key, epsilon);
  return epsilon;
}

/**
 * Epsilon at the same delta by exact accounting of the discrete Gaussians that were drawn, the largest of any contributor, as decimal
 * text rounded up.
 */
export const exactEpsilon = (query: Query, contributors: readonly Contributor[]): string =>
  roundedUp(Math.max(...contributors.map((contributor) => exactOf(query, contributor))));
