/**
 * Differential oracle: random policies are written out as Cedar policies (https://www.cedarpolicy.com), whose evaluator
 * is formally modelled, and both decide the same random requests at and beside every bound. Cedar is not in the trust
 * path: it skips a forbid that errs, so here every answer must also be free of evaluation errors.
 */
import {
  type AuthorizationAnswer,
  preparsePolicySet,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AgencyPolicy, decide, type FederationPolicy, type Grant } from './index.js';
import { AgencyPolicy as AgencyPolicySchema } from './policy.js';

/** A question about linked people has a part of its own, which no dimension of a grant reads. */
const COUNTED = ['incidents', 'people'] as const;
const ROLES = ['national-analyst', 'force-analyst', 'auditor'];
const PURPOSES = ['hotspot-policing', 'intervention-evaluation', 'planning'];
const HELD = ['asb', 'drugs', 'robbery', 'violence', 'weapons'] as const;
const AGENCY = 'oracle-police';
const HASH = '0'.repeat(64);

const open: FederationPolicy = {
  version: 1,
  federation: 'open',
  floor: {
    roles: ROLES,
    purposes: PURPOSES,
    measures: COUNTED,
    categories: HELD,
    finestResolution: 9,
    window: { minDays: 1, maxDays: 3_660, minLagDays: 1 },
    minPopulation: 0,
    rhoPerQuery: '100',
    approval: 'automatic',
  },
  limits: {
    datasets: {
      incidents: { rhoPerYear: '1000', privacyUnit: { maxPerRelease: 1, maxPerYear: 1 } },
    },
    analysts: { rhoPerYear: '1000', queriesPerDay: 100_000 },
  },
  deny: [],
};

const subset = <T>(items: readonly T[]) => fc.subarray([...items], { minLength: 1 });
const rho = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(1, 7, 11, 13, 17))
  .map(([num, den]) => (den === 1 ? `${num}` : `${num}/${den}`));
/** About as much as a query or two of the largest cost. */
const limit = fc.constantFrom('2', '40/7', '80/13', '7', '13/2');
const grant = fc
  .record({
    roles: subset(ROLES),
    purposes: subset(PURPOSES),
    measures: subset(COUNTED),
    categories: subset(HELD),
    finestResolution: fc.integer({ min: 4, max: 9 }),
    minDays: fc.constantFrom(28, 29, 30, 31, 32, 60, 61),
    maxDays: fc.constantFrom(61, 90, 91, 92, 365, 366, 396),
    minLagDays: fc.integer({ min: 1, max: 7 }),
    minPopulation: fc.constantFrom(0, 0, 50),
    rhoPerQuery: rho,
    approval: fc.constantFrom('automatic', 'hold'),
    isSealed: fc.boolean(),
    validFrom: fc.constantFrom('2024-06-30', '2024-07-04', '2024-07-05'),
    validUntil: fc.constantFrom('2024-07-05', '2024-07-06', '2024-07-07'),
  })
  .map(({ minDays, maxDays, minLagDays, isSealed, ...rest }) => ({
    ...rest,
    window: { minDays, maxDays, minLagDays },
    ...(isSealed ? { sealed: true as const } : {}),
    ...(rest.approval === 'hold' ? { holdHours: 24 } : {}),
    legalBasis: 'test',
    approvedBy: 'test',
  }));
const policy = fc
  .record({
    grants: fc.array(grant, { minLength: 1, maxLength: 3 }),
    denied: fc.option(fc.record({ roles: subset(ROLES), purposes: subset(PURPOSES) })),
    rhoPerYear: limit,
    analystRho: limit,
    queriesPerDay: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ grants, denied, rhoPerYear, analystRho, queriesPerDay }) =>
    AgencyPolicySchema.parse({
      version: 1,
      agency: AGENCY,
      grants: grants.map((item, i) => ({ id: `g${i}`, ...item })),
      limits: {
        datasets: {
          incidents: { rhoPerYear, privacyUnit: { maxPerRelease: 1, maxPerYear: 1 } },
        },
        analysts: { rhoPerYear: analystRho, queriesPerDay },
      },
      deny: denied ? [{ id: 'd', reason: 'test', ...denied }] : [],
      cases: [],
    }),
  );

const request = fc.record({
  roles: fc.subarray(ROLES),
  purpose: fc.constantFrom(...PURPOSES),
  measure: fc.constantFrom(...COUNTED),
  categories: subset(HELD),
  resolution: fc.integer({ min: 4, max: 9 }),
  periods: fc.constantFrom(
    ['2024-06'],
    ['2024-02', '2024-03'],
    ['2024-04/2024-06'],
    ['2024-03', '2024-06'],
    ['2023-07/2024-06'],
    ['2022-07/2023-06'],
    ['2023-06/2024-06'],
    ['2024-05/2024-06'],
  ),
  rho,
  // beside midnight in London (23:00 UTC in summer) of every day that matters
  now: fc
    .tuple(fc.integer({ min: 28, max: 39 }), fc.constantFrom('22:59:59.999', '23:00:00.000'))
    .map(
      ([day, time]) => `${new Date(Date.UTC(2024, 5, day)).toISOString().slice(0, 10)}T${time}Z`,
    ),
  population: fc.constantFrom(undefined, 49, 50, 51),
  spent: rho,
  analystSpent: rho,
  queriesToday: fc.integer({ min: 0, max: 3 }),
  isSealed: fc.boolean(),
});
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

const parts = (text: string): readonly [number, number] => {
  const [num = '0', den = '1'] = text.split('/');
  return [Number(num), Number(den)];
};
/** Days since 1970 of a date, and of the London date of an instant: by other means than the code under test. */
const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 86_400_000;
const london = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London' });
const lastDayOf = (month: string): number => {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return Date.UTC(year, number, 0) / 86_400_000;
};

const strings = (items: readonly string[]): string => `[${items.map((i) => `"${i}"`).join(', ')}]`;
/** `a + b <= limit` for rationals, multiplied out: Cedar has 64-bit integers only. */
const sumWithin = (a: string, b: string, limit: string): string => {
  const [num, den] = parts(limit);
  return (
    `(context.${a}Num * context.${b}Den + context.${b}Num * context.${a}Den) * ${den}` +
    ` <= context.${a}Den * context.${b}Den * ${num}`
  );
};

function toCedar({ grants, limits, deny }: AgencyPolicy): string {
  const budget = limits.datasets.incidents?.rhoPerYear ?? '';
  const permits = grants.map((item: Grant) => {
    const [num, den] = parts(item.rhoPerQuery);
    const conditions = [
      `${strings(item.roles)}.containsAny(context.roles)`,
      `${strings(item.purposes)}.contains(context.purpose)`,
      `${strings(item.measures)}.contains(context.measure)`,
      `${strings(item.categories)}.containsAll(context.categories)`,
      `context.resolution <= ${item.finestResolution}`,
      `context.shortestDays >= ${item.window.minDays}`,
      `context.spanDays <= ${item.window.maxDays}`,
      `context.lagDays >= ${item.window.minLagDays}`,
      `context.rhoNum * ${den} <= context.rhoDen * ${num}`,
      `context.today >= ${dayOf(item.validFrom)}`,
      `context.today <= ${dayOf(item.validUntil)}`,
      ...(item.sealed ? ['context.isSealed'] : []),
      ...(item.minPopulation > 0
        ? [`context has population && context.population >= ${item.minPopulation}`]
        : []),
    ];
    return `permit(principal, action, resource) when { ${conditions.map((c) => `(${c})`).join(' && ')} };`;
  });
  const forbids = [
    ...deny.map(
      ({ roles = [], purposes = [] }) =>
        `forbid(principal, action, resource) when { ${strings(roles)}.containsAny(context.roles)` +
        ` && ${strings(purposes)}.contains(context.purpose) };`,
    ),
    `forbid(principal, action, resource) unless { ${sumWithin('spent', 'rho', budget)} };`,
    `forbid(principal, action, resource) unless { ${sumWithin('analystSpent', 'rho', limits.analysts.rhoPerYear)} };`,
    `forbid(principal, action, resource) unless { context.queriesToday < ${limits.analysts.queriesPerDay} };`,
  ];
  return [...permits, ...forbids].join('\n');
}

function contextOf(asked: Request) {
  const [rhoNum, rhoDen] = parts(asked.rho);
  const [spentNum, spentDen] = parts(asked.spent);
  const [analystSpentNum, analystSpentDen] = parts(asked.analystSpent);
  const spans = asked.periods.map((period) => {
    const [first = '', last = first] = period.split('/');
    return [dayOf(`${first}-01`), lastDayOf(last)] as const;
  });
  const lastDay = Math.max(...spans.map(([, last]) => last));
  const today = dayOf(london.format(Date.parse(asked.now)));
  return {
    roles: asked.roles,
    purpose: asked.purpose,
    measure: asked.measure,
    categories: asked.categories,
    resolution: asked.resolution,
    shortestDays: Math.min(...spans.map(([first, last]) => last - first + 1)),
    spanDays: lastDay - Math.min(...spans.map(([first]) => first)) + 1,
    lagDays: today - lastDay,
    today,
    queriesToday: asked.queriesToday,
    isSealed: asked.isSealed,
    ...{ rhoNum, rhoDen, spentNum, spentDen, analystSpentNum, analystSpentDen },
    ...(asked.population === undefined ? {} : { population: asked.population }),
  };
}

function cedarAllows(preparsedPolicySetId: string, asked: Request): boolean {
  const answer: AuthorizationAnswer = statefulIsAuthorized({
    principal: { type: 'Analyst', id: 'a' },
    action: { type: 'Action', id: 'count' },
    resource: { type: 'Agency', id: AGENCY },
    context: contextOf(asked),
    preparsedPolicySetId,
    entities: [],
  });
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
  if (answer.response.diagnostics.errors.length > 0)
    throw new Error('Cedar could not evaluate a policy');
  return answer.response.decision === 'allow';
}

const decideOurs = (agency: AgencyPolicy, asked: Request) =>
  decide({
    policies: { federation: open, agency },
    query: {
      version: 1,
      measure: asked.measure,
      categories: asked.categories,
      periods: asked.periods,
      resolution: asked.resolution,
      grid: 'ew-2026-1',
      gridHash: HASH,
      rho: asked.rho,
      purpose: asked.purpose,
      ...(asked.isSealed ? { sealed: true } : {}),
    },
    analyst: { id: 'a', roles: asked.roles },
    agency: {
      id: AGENCY,
      categories: HELD,
      ...(asked.population === undefined
        ? {}
        : { smallestPopulation: { [asked.resolution]: asked.population } }),
    },
    ledger: {
      spent: { incidents: { 2022: asked.spent, 2023: asked.spent, 2024: asked.spent } },
      analysts: { a: { rhoThisYear: asked.analystSpent, queriesToday: asked.queriesToday } },
    },
    now: asked.now,
  });

/** The request moved onto a grant, so that often a single bound decides. */
const near = (asked: Request, agency: AgencyPolicy, dims: readonly boolean[]): Request => {
  const [target] = agency.grants;
  if (!target) return asked;
  const take = <T>(i: number, theirs: T, own: T): T => (dims[i] ? theirs : own);
  return {
    ...asked,
    roles: take(0, [...target.roles], asked.roles),
    purpose: take(1, target.purposes[0] ?? '', asked.purpose),
    categories: take(2, [...target.categories] as Request['categories'], asked.categories),
    resolution: take(3, target.finestResolution, asked.resolution),
    rho: take(4, target.rhoPerQuery, asked.rho),
    spent: take(5, '1/13', asked.spent),
    analystSpent: take(6, '1/13', asked.analystSpent),
    queriesToday: take(7, 0, asked.queriesToday),
    periods: take(8, target.window.minDays > 32 ? ['2024-05/2024-06'] : ['2024-06'], asked.periods),
    now: take(9, `${target.validUntil}T12:00:00.000Z`, asked.now),
    population: take(10, 50, asked.population),
    isSealed: take(12, target.sealed === true, asked.isSealed),
    measure: take(11, (target.measures[0] ?? 'incidents') as Request['measure'], asked.measure),
  };
};

describe('Cedar as an oracle', () => {
  it('agrees on at least 10,000 random boundary requests', () => {
    const mostlyNear = fc.array(
      fc.oneof({ arbitrary: fc.constant(true), weight: 9 }, fc.constant(false)),
      {
        minLength: 13,
        maxLength: 13,
      },
    );
    const tally = { requests: 0, allowed: 0, codes: new Map<string, number>() };
    fc.assert(
      fc.property(
        policy,
        fc.array(fc.tuple(request, mostlyNear), { minLength: 50, maxLength: 50 }),
        (agency, requests) => {
          const parsed = preparsePolicySet('oracle', { staticPolicies: toCedar(agency) });
          expect(parsed).toEqual({ type: 'success' });
          for (const [raw, dims] of requests) {
            const asked = near(raw, agency, dims);
            const ours = decideOurs(agency, asked);
            const allowed = ours.decision !== 'refuse';
            if (allowed !== cedarAllows('oracle', asked)) {
              throw new Error(`they differ: ${JSON.stringify({ asked, ours })}`);
            }
            tally.requests += 1;
            if (allowed) tally.allowed += 1;
            else {
              const { code } = ours;
              tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1);
            }
          }
        },
      ),
      { numRuns: 201, seed: 20_260_401 },
    );
    expect(tally.requests).toBeGreaterThanOrEqual(10_000);
    // the requests must reach both sides of every bound, or agreement would mean little
    expect(tally.allowed).toBeGreaterThan(500);
    for (const code of [
      ...[
        'roles',
        'purposes',
        'measures',
        'categories',
        'finest-resolution',
        'min-days',
        'max-days',
      ],
      ...['min-lag-days', 'min-population', 'rho-per-query', 'sealed', 'valid-from', 'valid-until'],
      ...['deny-rule', 'rho-per-year', 'analyst-rho-per-year', 'queries-per-day'],
    ]) {
      const times = tally.codes.get(code) ?? 0;
      expect({ code, reached: times >= 10, times }).toEqual({ code, reached: true, times });
    }
  });
});
