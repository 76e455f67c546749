/** Every policy proves itself: its cases are requests with the decision its author expects. */
import { CATEGORIES } from '#libs/query';
import { type Decision, type DecisionRequest, decide } from './decide.js';
import type { AgencyPolicy, PolicyCase, PolicySet } from './policy.js';

export interface CaseResult {
  readonly name: string;
  readonly ok: boolean;
  readonly expected: string;
  readonly got: string;
}

/**
 * The request a case stands for: its members laid over the policy's baseline. Without either, an analyst has no role,
 * the agency holds every category, the ledger is empty and there is no time (which is refused).
 */
export function requestOf(
  policy: AgencyPolicy,
  item: Omit<PolicyCase, 'name' | 'expect'>,
): Omit<DecisionRequest, 'policies'> {
  const base = policy.baseline;
  return {
    query: { ...base?.query, ...item.query },
    analyst: { id: 'analyst', roles: [], ...base?.analyst, ...item.analyst },
    agency: { id: policy.agency, categories: CATEGORIES, ...base?.agency, ...item.agency },
    ledger: { spent: {}, ...base?.ledger, ...item.ledger },
    now: item.at ?? base?.at,
  };
}

const shownExpectation = ({ expect }: PolicyCase): string => {
  if ('allow' in expect) return `allow ${expect.allow}`;
  return 'hold' in expect ? `hold ${expect.hold}` : `deny ${expect.deny}`;
};

/** A decision in the words of a case: `allow <grant>`, `hold <grant>` or `deny <code>`. */
export function shownDecision(decision: Decision): string {
  if (decision.decision === 'refuse') return `deny ${decision.code}`;
  return `${decision.decision === 'permit' ? 'allow' : 'hold'} ${decision.grant}`;
}

/** Runs every case of the agency's document under the policy set. */
export const runCases = (set: PolicySet): readonly CaseResult[] =>
  set.agency.cases.map((item) => {
    const expected = shownExpectation(item);
    const got = shownDecision(decide({ policies: set, ...requestOf(set.agency, item) }));
    return { name: item.name, ok: got === expected, expected, got };
  });
