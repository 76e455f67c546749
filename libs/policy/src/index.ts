export { type CaseResult, requestOf, runCases, shownDecision } from './cases.js';
export {
  type Decision,
  type DecisionRequest,
  decide,
  decidePaid,
  type PaidRequest,
} from './decide.js';
export { type DimensionChange, diffPolicies, type PolicyDiff } from './diff.js';
export type { Change } from './dimension.js';
export { parseDocument } from './document.js';
export { explainGrant, explainPolicy, policyTable } from './explain.js';
export { type FloorFault, floorFaults } from './floor.js';
export { type LintFault, lintPolicy } from './lint.js';
export {
  AgencyPolicy,
  type Bounds,
  type DenyRule,
  FederationPolicy,
  type Grant,
  type Limits,
  type PolicyCase,
  type PolicySet,
  parseFederation,
  parsePolicy,
  policySchema,
} from './policy.js';
export { decodePolicySet, encodePolicySet, policyDigest } from './policy-set.js';
export { AgencyView, Analyst, LedgerView } from './request.js';
