/**
 * A bound that no case exercises may be wrong without anyone noticing. For every bound the policy is loosened by one
 * step; if no case is then decided differently, the bound is named.
 */
import { CATEGORIES, dateToDay, dayToDate, MEASURES } from '#libs/query';
import { requestOf, shownDecision } from './cases.js';
import { decide } from './decide.js';
import { nextRho } from './dimension.js';
import type { AgencyPolicy, FederationPolicy, Grant, Limits } from './policy.js';

export interface LintFault {
  /** The bound, such as `grants.hotspot-policing.finestResolution`. */
  readonly at: string;
  readonly advice: string;
}

/** The longest month: windows are made of months, so that is their step. */
const MONTH = 31;
const WEEK = 7;
const DAYS_OF_SHORTEST_MONTH = 28;

/** A floor that forbids nothing: lint is about the agency's own bounds. */
const openFederation = (policy: AgencyPolicy): FederationPolicy => ({
  version: 1,
  federation: 'open',
  floor: {
    roles: policy.grants.flatMap(({ roles }) => roles).concat(named(policy, 'roles')),
    purposes: policy.grants.flatMap(({ purposes }) => purposes).concat(named(policy, 'purpose')),
    measures: MEASURES,
    categories: CATEGORIES,
    finestResolution: 9,
    window: { minDays: 0, maxDays: Number.MAX_SAFE_INTEGER, minLagDays: -Number.MAX_SAFE_INTEGER },
    minPopulation: 0,
    rhoPerQuery: '9999999999',
    approval: 'automatic',
  },
  limits: {
    datasets: Object.fromEntries(
      Object.entries(policy.limits.datasets).map(([id, limit]) => [
        id,
        { ...limit, rhoPerYear: '9999999999' },
      ]),
    ),
    analysts: { rhoPerYear: '9999999999', queriesPerDay: Number.MAX_SAFE_INTEGER },
  },
  deny: [],
});

/** Values of a dimension that appear in the policy's own requests: candidates to loosen a set with. */
function named(policy: AgencyPolicy, dimension: 'roles' | 'purpose'): readonly string[] {
  const found = [policy.baseline ?? {}, ...policy.cases].flatMap(({ query, analyst }) =>
    dimension === 'roles' ? analyst?.roles : query?.purpose,
  );
  return found.filter((item) => typeof item === 'string');
}

/** Agencies and roles that the policy's own requests about linked people name. */
function namedInLinkage(policy: AgencyPolicy, dimension: 'partners' | 'linkedRoles'): string[] {
  const sides = [policy.baseline ?? {}, ...policy.cases].flatMap(({ query }) => {
    const linkage = query?.linkage as Partial<Record<'left' | 'right', unknown>> | undefined;
    return [linkage?.left, linkage?.right] as ({ agency?: unknown; roles?: unknown } | undefined)[];
  });
  const found = sides.flatMap((side) => (dimension === 'partners' ? side?.agency : side?.roles));
  return found.filter((item) => typeof item === 'string');
}

interface Loosening {
  readonly at: string;
  readonly advice: string;
  /** One of these loosened policies must flip a case. */
  readonly variants: readonly AgencyPolicy[];
}

function grantLoosenings(policy: AgencyPolicy, grant: Grant): readonly Loosening[] {
  const found: Loosening[] = [];
  const put = (path: string, advice: string, ...changes: readonly Partial<Grant>[]): void => {
    const variants = changes.map((change) => ({
      ...policy,
      grants: policy.grants.map((item) => (item.id === grant.id ? { ...item, ...change } : item)),
    }));
    found.push({ at: `grants.${grant.id}.${path}`, advice, variants });
  };
  const without = <T>(candidates: readonly T[], set: readonly T[]): readonly T[] =>
    [...new Set(candidates)].filter((item) => !set.includes(item));

  put(
    'roles',
    'add a case of an analyst with another role',
    ...without(named(policy, 'roles'), grant.roles).map((role) => ({
      roles: [...grant.roles, role],
    })),
  );
  put(
    'purposes',
    'add a case with another purpose',
    ...without(named(policy, 'purpose'), grant.purposes).map((purpose) => ({
      purposes: [...grant.purposes, purpose],
    })),
  );
  const unmeasured = without(MEASURES, grant.measures);
  if (unmeasured.length > 0) {
    put('measures', 'add a case that asks for the other measure', { measures: MEASURES });
  }
  const missing = without(CATEGORIES, grant.categories);
  if (missing.length > 0) {
    put(
      'categories',
      'add a case that asks for one more category',
      ...missing.map((category) => ({ categories: [...grant.categories, category] })),
    );
  }
  if (grant.finestResolution < 9) {
    put('finestResolution', 'add a case one resolution finer', {
      finestResolution: grant.finestResolution + 1,
    });
  }
  const { window } = grant;
  if (window.minDays > DAYS_OF_SHORTEST_MONTH) {
    put('window.minDays', 'add a case with a period one month shorter', {
      window: { ...window, minDays: window.minDays - MONTH },
    });
  }
  // Linked people are counted over months alone.
  const mayBeWeekly = grant.measures.some((measure) => measure !== 'linked-people');
  if (mayBeWeekly && window.minDays > WEEK && window.minDays <= DAYS_OF_SHORTEST_MONTH) {
    put('window.minDays', 'add a case of one ISO week, which is too short', {
      window: { ...window, minDays: WEEK },
    });
  }
  put('window.maxDays', 'add a case one month longer', {
    window: { ...window, maxDays: window.maxDays + MONTH },
  });
  put('window.minLagDays', 'add a case asked one day too soon', {
    window: { ...window, minLagDays: window.minLagDays - 1 },
  });
  if (grant.minPopulation > 0) {
    put('minPopulation', 'add a case of an agency with one resident too few', {
      minPopulation: grant.minPopulation - 1,
    });
  }
  put('rhoPerQuery', 'add a case whose rho is one numerator higher', {
    rhoPerQuery: nextRho(grant.rhoPerQuery),
  });
  const { partners, linkedRoles } = grant;
  if (partners) {
    put(
      'partners',
      'add a case about linked people with another agency',
      ...without(namedInLinkage(policy, 'partners'), partners).map((partner) => ({
        partners: [...partners, partner],
      })),
    );
  }
  if (linkedRoles) {
    put(
      'linkedRoles',
      'add a case about linked people in another role, on either side',
      ...without(namedInLinkage(policy, 'linkedRoles'), linkedRoles).map((role) => ({
        linkedRoles: [...linkedRoles, role],
      })),
    );
  }
  if (grant.sealed) {
    put('sealed', 'add a case with a question that is not sealed', { sealed: undefined });
  }
  put('validFrom', 'add a case asked on the day before', {
    validFrom: dayToDate(dateToDay(grant.validFrom) - 1),
  });
  put('validUntil', 'add a case asked on the day after', {
    validUntil: dayToDate(dateToDay(grant.validUntil) + 1),
  });
  if (grant.approval === 'hold') {
    put('approval', 'add a case that is held', { approval: 'automatic' });
  }
  return found;
}

function limitLoosenings(policy: AgencyPolicy): readonly Loosening[] {
  if (policy.grants.length === 0) return []; // nothing is allowed that a limit could stop
  const { datasets, analysts } = policy.limits;
  const put = (path: string, advice: string, limits: Limits): Loosening => ({
    at: `limits.${path}`,
    advice,
    variants: [{ ...policy, limits }],
  });
  return [
    ...Object.entries(datasets).map(([id, limit]) =>
      put(`datasets.${id}.rhoPerYear`, 'add a case whose ledger leaves too little', {
        analysts,
        datasets: { ...datasets, [id]: { ...limit, rhoPerYear: nextRho(limit.rhoPerYear) } },
      }),
    ),
    put('analysts.rhoPerYear', 'add a case of an analyst with too little left', {
      datasets,
      analysts: { ...analysts, rhoPerYear: nextRho(analysts.rhoPerYear) },
    }),
    put('analysts.queriesPerDay', 'add a case of an analyst who asked all day', {
      datasets,
      analysts: { ...analysts, queriesPerDay: analysts.queriesPerDay + 1 },
    }),
  ];
}

const denyLoosenings = (policy: AgencyPolicy): readonly Loosening[] =>
  policy.deny.map((rule) => ({
    at: `deny.${rule.id}`,
    advice: 'add a case that only this rule denies',
    variants: [{ ...policy, deny: policy.deny.filter((other) => other !== rule) }],
  }));

/**
 * The bounds of an agency's document that none of its cases exercises, and the grants that no case is allowed or held
 * by. A bound at the end of what a query can ask (resolution 9, periods of one week, every category) is not named.
 */
export function lintPolicy(policy: AgencyPolicy): readonly LintFault[] {
  const federation = openFederation(policy);
  const requests = policy.cases.map((item) => requestOf(policy, item));
  const outcomes = (agency: AgencyPolicy): readonly string[] =>
    requests.map((request) =>
      shownDecision(decide({ policies: { federation, agency }, ...request })),
    );
  const before = outcomes(policy);
  const flips = (variant: AgencyPolicy): boolean =>
    outcomes(variant).some((outcome, i) => outcome !== before[i]);

  const unused = policy.grants
    .filter(({ id }) => !before.some((got) => got === `allow ${id}` || got === `hold ${id}`))
    .map(({ id }) => ({ at: `grants.${id}`, advice: 'add a case that this grant allows' }));
  const unexercised = [
    ...policy.grants.flatMap((grant) => grantLoosenings(policy, grant)),
    ...limitLoosenings(policy),
    ...denyLoosenings(policy),
  ]
    .filter(({ variants }) => !variants.some(flips))
    .map(({ at, advice }) => ({ at, advice }));
  return [...unused, ...unexercised];
}
