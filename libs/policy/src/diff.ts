/**
 * What a new version of a policy allows beside the old one, dimension by dimension. Grants are compared by id; a grant
 * that appears or goes is weighed against each grant of the other version alone, for grants are never united.
 */
import { parseRho } from '#libs/dp';
import { type Change, COMPARED_DIMENSIONS, compareExtents } from './dimension.js';
import type { AgencyPolicy, DenyRule, Grant } from './policy.js';
import { atMost } from './request.js';

export interface DimensionChange {
  /** `grants.<id>`, `limits` or `deny.<id>`. */
  readonly at: string;
  /** The dimension's refusal code; `grant` or `rule` for one that appears or goes. */
  readonly dimension: string;
  readonly change: Change;
  readonly from: string;
  readonly to: string;
}

export interface PolicyDiff {
  /** WIDENS when the new version may allow a request the old one refused, in any dimension. */
  readonly verdict: Change;
  readonly dimensions: readonly DimensionChange[];
}

/** True when every request `inner` admits is admitted by `outer` on its own. */
const covers = (outer: Grant, inner: Grant): boolean =>
  COMPARED_DIMENSIONS.every(
    ({ extent }) => compareExtents(extent(outer), extent(inner)) !== 'WIDENS',
  );

function diffGrants(from: AgencyPolicy, to: AgencyPolicy): readonly DimensionChange[] {
  const changes: DimensionChange[] = [];
  for (const after of to.grants) {
    const before = from.grants.find(({ id }) => id === after.id);
    const at = `grants.${after.id}`;
    if (!before) {
      const known = from.grants.some((grant) => covers(grant, after));
      changes.push({
        at,
        dimension: 'grant',
        change: known ? 'EQUAL' : 'WIDENS',
        from: '',
        to: after.id,
      });
      continue;
    }
    for (const { code, extent, show } of COMPARED_DIMENSIONS) {
      const change = compareExtents(extent(before), extent(after));
      changes.push({ at, dimension: code, change, from: show(before), to: show(after) });
    }
  }
  for (const before of from.grants) {
    if (to.grants.some(({ id }) => id === before.id)) continue;
    const kept = to.grants.some((grant) => covers(grant, before));
    changes.push({
      at: `grants.${before.id}`,
      dimension: 'grant',
      change: kept ? 'EQUAL' : 'NARROWS',
      from: before.id,
      to: '',
    });
  }
  return changes;
}

const changeOfRho = (from: string, to: string): Change => {
  if (from === to) return 'EQUAL';
  return atMost(parseRho(to), parseRho(from)) ? 'NARROWS' : 'WIDENS';
};
const changeOfInt = (from: number, to: number): Change =>
  to === from ? 'EQUAL' : to < from ? 'NARROWS' : 'WIDENS';

function diffLimits(from: AgencyPolicy, to: AgencyPolicy): readonly DimensionChange[] {
  const changes: DimensionChange[] = [];
  const put = (dimension: string, change: Change, old: string, now: string): void => {
    changes.push({ at: 'limits', dimension, change, from: old, to: now });
  };
  const [before, after] = [from.limits, to.limits];
  const ids = new Set([...Object.keys(before.datasets), ...Object.keys(after.datasets)]);
  for (const id of [...ids].sort()) {
    const old = Object.hasOwn(before.datasets, id) ? before.datasets[id] : undefined;
    const now = Object.hasOwn(after.datasets, id) ? after.datasets[id] : undefined;
    if (!old || !now) {
      put(`datasets.${id}`, now ? 'WIDENS' : 'NARROWS', old ? id : '', now ? id : '');
      continue;
    }
    const name = `datasets.${id}`;
    put(
      `${name}.rhoPerYear`,
      changeOfRho(old.rhoPerYear, now.rhoPerYear),
      old.rhoPerYear,
      now.rhoPerYear,
    );
    for (const bound of ['maxPerRelease', 'maxPerYear'] as const) {
      const [a, b] = [old.privacyUnit[bound], now.privacyUnit[bound]];
      put(`${name}.privacyUnit.${bound}`, changeOfInt(a, b), String(a), String(b));
    }
  }
  const [old, now] = [before.analysts, after.analysts];
  put(
    'analysts.rhoPerYear',
    changeOfRho(old.rhoPerYear, now.rhoPerYear),
    old.rhoPerYear,
    now.rhoPerYear,
  );
  put(
    'analysts.queriesPerDay',
    changeOfInt(old.queriesPerDay, now.queriesPerDay),
    String(old.queriesPerDay),
    String(now.queriesPerDay),
  );
  return changes;
}

const RULE_DIMENSIONS = [
  'analysts',
  'roles',
  'purposes',
  'measures',
  'categories',
  'partners',
  'linkedRoles',
] as const;

/** True when `wide` refuses everything that `narrow` refuses. */
const refusesAll = (wide: DenyRule, narrow: DenyRule): boolean =>
  RULE_DIMENSIONS.every((dimension) => {
    const [outer, inner] = [wide[dimension] as readonly string[] | undefined, narrow[dimension]];
    return outer === undefined || inner?.every((item) => outer.includes(item)) === true;
  });

function diffRules(from: AgencyPolicy, to: AgencyPolicy): readonly DimensionChange[] {
  const ids = new Set([...from.deny, ...to.deny].map(({ id }) => id));
  return [...ids].sort().map((id): DimensionChange => {
    const old = from.deny.find((rule) => rule.id === id);
    const now = to.deny.find((rule) => rule.id === id);
    const lost = old !== undefined && !to.deny.some((rule) => refusesAll(rule, old));
    const gained = now !== undefined && !from.deny.some((rule) => refusesAll(rule, now));
    const change = lost ? 'WIDENS' : gained ? 'NARROWS' : 'EQUAL';
    return { at: `deny.${id}`, dimension: 'rule', change, from: old ? id : '', to: now ? id : '' };
  });
}

/** Compares two versions of an agency's policy, `from` the old and `to` the new one. */
export function diffPolicies(from: AgencyPolicy, to: AgencyPolicy): PolicyDiff {
  const dimensions = [...diffGrants(from, to), ...diffLimits(from, to), ...diffRules(from, to)];
  const has = (change: Change): boolean => dimensions.some((item) => item.change === change);
  const verdict = has('WIDENS') ? 'WIDENS' : has('NARROWS') ? 'NARROWS' : 'EQUAL';
  return { verdict, dimensions };
}
