/**
 * The decision on one query at one agency: permit, hold for a person, or refuse with a code and the constraint that
 * failed. Pure: the ledger and the time are arguments. Everything not granted is refused, and so is everything that
 * cannot be read or computed.
 */
import type { z } from 'zod';
import { addRational, type Rational } from '#libs/dp';
import {
  accountingYears,
  CATEGORIES,
  canonicaliseQuery,
  parseInstant,
  type Query,
  QueryError,
} from '#libs/query';
import { BOUND_DIMENSIONS, GRANT_DIMENSIONS } from './dimension.js';
import type { DenyRule, FederationPolicy, Grant, Limits, PolicySet } from './policy.js';
import {
  AgencyView,
  Analyst,
  amountOf,
  atMost,
  DatasetName,
  type Facts,
  factsOf,
  LedgerView,
} from './request.js';

export type Decision =
  | { readonly decision: 'permit'; readonly grant: string }
  | {
      readonly decision: 'hold';
      readonly grant: string;
      readonly holdHours: number;
      readonly approvers: 1 | 2;
    }
  | { readonly decision: 'refuse'; readonly code: string; readonly constraint: string };

/** Everything but the policy set may come from outside: each member is read strictly and refused with a code. */
export interface DecisionRequest {
  readonly policies: PolicySet;
  readonly query: unknown;
  /** The dataset whose budget pays, whatever is measured in it; when left out `people` for linked people, else `incidents`. */
  readonly dataset?: unknown;
  readonly analyst: unknown;
  /** What the node knows of itself. Left out, every category asked must be granted, held or not. */
  readonly agency?: unknown;
  readonly ledger: unknown;
  /** ISO 8601 instant in UTC. */
  readonly now: unknown;
}

/** Names of the datasets in policies, and in cases, which do not name any. */
const DEFAULT_DATASET = 'incidents';
const PEOPLE_DATASET = 'people';

class Refusal {
  constructor(
    readonly code: string,
    readonly constraint: string,
  ) {}
}

const readAs = <T>(schema: z.ZodType<T>, value: unknown, code: string, constraint: string): T => {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Refusal(code, constraint);
  return parsed.data;
};

function readQuery(input: unknown): Query {
  try {
    return canonicaliseQuery(input);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    throw new Refusal(error.code, error.field ? `query.${error.field}` : 'query');
  }
}

function readNow(input: unknown): number {
  try {
    return parseInstant(input);
  } catch {
    throw new Refusal('bad-instant', 'now');
  }
}

const meets = (named: readonly string[] | undefined, asked: readonly string[]): boolean =>
  named === undefined || asked.some((item) => named.includes(item));

/** Whether a question about linked people is about a role that a rule names; one that names no roles is about all. */
const meetsRoles = (named: readonly string[] | undefined, asked: Facts['linkedRoles']): boolean =>
  named === undefined || asked === 'any' || meets(named, asked ?? []);

const ruleApplies = (rule: DenyRule, facts: Facts): boolean =>
  meets(rule.analysts, [facts.analyst]) &&
  meets(rule.roles, facts.roles) &&
  meets(rule.purposes, [facts.purpose]) &&
  meets(rule.measures, [facts.measure]) &&
  meets(rule.categories, facts.categories) &&
  meets(rule.partners, facts.partner === undefined ? [] : [facts.partner]) &&
  meetsRoles(rule.linkedRoles, facts.linkedRoles);

function checkFloor(federation: FederationPolicy, facts: Facts): void {
  const failed = BOUND_DIMENSIONS.find(({ admits }) => !admits(federation.floor, facts));
  if (failed) throw new Refusal(failed.code, `federation.floor.${failed.path}`);
}

/** The first automatic grant that admits the request, else the first that holds it, else the nearest miss is named. */
function findGrant(grants: readonly Grant[], facts: Facts): Grant {
  let held: Grant | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  let isMeasured = false;
  let miss = new Refusal('no-grant', 'grants');
  for (const grant of grants) {
    const failed = GRANT_DIMENSIONS.filter(({ admits }) => !admits(grant, facts));
    const [first] = failed;
    if (!first) {
      if (grant.approval === 'automatic') return grant;
      held ??= grant;
      continue;
    }
    // among equally near ones, a grant of the measure asked says more of why
    const measured = failed.every(({ code }) => code !== 'measures');
    if (failed.length < fewest || (failed.length === fewest && measured && !isMeasured)) {
      fewest = failed.length;
      isMeasured = measured;
      miss = new Refusal(first.code, `grants.${grant.id}.${first.path}`);
    }
  }
  if (held) return held;
  throw miss;
}

/** `ledger` is undefined where nothing would be spent: then the dataset has to be known, and no more. */
function checkLimits(
  limits: Limits,
  place: string,
  facts: Facts,
  dataset: string,
  years: readonly string[],
  ledger: LedgerView | undefined,
): void {
  const limit = Object.hasOwn(limits.datasets, dataset) ? limits.datasets[dataset] : undefined;
  const path = `${place}.datasets`;
  if (!limit) throw new Refusal('unknown-dataset', path);
  if (!ledger) return;
  const within = (already: Rational, bound: string): boolean =>
    atMost(addRational(already, facts.rho), amountOf(bound));
  const spent = Object.hasOwn(ledger.spent, dataset) ? ledger.spent[dataset] : undefined;
  for (const year of years) {
    if (!within(amountOf(spent?.[year]), limit.rhoPerYear)) {
      throw new Refusal('rho-per-year', `${path}.${dataset}.rhoPerYear`);
    }
  }
  const { analysts = {} } = ledger;
  const use = Object.hasOwn(analysts, facts.analyst) ? analysts[facts.analyst] : undefined;
  if (!within(amountOf(use?.rhoThisYear), limits.analysts.rhoPerYear)) {
    throw new Refusal('analyst-rho-per-year', `${place}.analysts.rhoPerYear`);
  }
  if ((use?.queriesToday ?? 0) >= limits.analysts.queriesPerDay) {
    throw new Refusal('queries-per-day', `${place}.analysts.queriesPerDay`);
  }
}

/** What a question whose answer is paid for is decided from: all but the ledger. */
export type PaidRequest = Omit<DecisionRequest, 'ledger'>;

function decideOrThrow(request: PaidRequest, readLedger: () => LedgerView | undefined): Decision {
  const { federation, agency: policy } = request.policies;
  const query = readQuery(request.query);
  const everything = { id: policy.agency, categories: CATEGORIES };
  const agency = readAs(AgencyView, request.agency ?? everything, 'bad-agency-view', 'agency');
  const paying = query.linkage ? PEOPLE_DATASET : DEFAULT_DATASET;
  const dataset = readAs(DatasetName, request.dataset ?? paying, 'bad-dataset', 'dataset');
  const analyst = readAs(Analyst, request.analyst, 'bad-analyst', 'analyst');
  const ledger = readLedger();
  const nowMs = readNow(request.now);
  if (policy.agency !== agency.id) throw new Refusal('other-agency', 'agency');
  if (query.agencies && !query.agencies.includes(agency.id)) {
    throw new Refusal('not-addressed', 'query.agencies');
  }
  if (agency.gridHash !== undefined && agency.gridHash !== query.gridHash) {
    throw new Refusal('other-grid', 'query.gridHash');
  }
  const facts = factsOf(query, analyst, agency, nowMs);
  if (facts.categories.length === 0) throw new Refusal('nothing-held', 'query.categories');

  for (const [place, rules] of [
    ['federation.deny', federation.deny],
    ['deny', policy.deny],
  ] as const) {
    const rule = rules.find((candidate) => ruleApplies(candidate, facts));
    if (rule) throw new Refusal('deny-rule', `${place}.${rule.id}`);
  }
  checkFloor(federation, facts);
  const grant = findGrant(policy.grants, facts);
  if (federation.floor.approval === 'hold' && grant.approval === 'automatic') {
    throw new Refusal('approval', 'federation.floor.approval');
  }
  const years = accountingYears(query.periods);
  checkLimits(policy.limits, 'limits', facts, dataset, years, ledger);
  checkLimits(federation.limits, 'federation.limits', facts, dataset, years, ledger);
  if (grant.approval === 'automatic') return { decision: 'permit', grant: grant.id };
  const { holdHours, approvers = 1 } = grant;
  if (holdHours === undefined) throw new Refusal('approval', `grants.${grant.id}.holdHours`);
  return { decision: 'hold', grant: grant.id, holdHours, approvers };
}

function decided(decide: () => Decision): Decision {
  try {
    return decide();
  } catch (error) {
    if (error instanceof Refusal) {
      return { decision: 'refuse', code: error.code, constraint: error.constraint };
    }
    return { decision: 'refuse', code: 'internal-fault', constraint: 'policy' };
  }
}

/**
 * Decides a request under its policy set. Never throws: a fault inside reads as a refusal (`internal-fault`), so that an error can never
 * allow. Grants are not united: one grant alone must admit the whole request.
 */
export function decide(request: DecisionRequest): Decision {
  return decided(() =>
    decideOrThrow(request, () => readAs(LedgerView, request.ledger, 'bad-ledger', 'ledger')),
  );
}

/**
 * Decides who may have an answer that is paid for already: by everything that `decide` asks but what is left of budgets and of questions
 * a day, for the same answer again costs nothing. Never throws.
 */
export function decidePaid(request: PaidRequest): Decision {
  return decided(() => decideOrThrow(request, () => undefined));
}
