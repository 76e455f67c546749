import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CATEGORIES } from '#libs/query';
import {
  type DecisionRequest,
  decide,
  decidePaid,
  type Grant,
  type PolicySet,
  parseDocument,
  parseFederation,
  parsePolicy,
  policyDigest,
  requestOf,
} from './index.js';

const root = new URL('../../../policies/', import.meta.url);
const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const texts = {
  federation: readText('federation.yaml'),
  agency: readText('agencies/avon-and-somerset-police.yaml'),
};
const policies: PolicySet = {
  federation: parseFederation(texts.federation),
  agency: parsePolicy(texts.agency),
};
const base = requestOf(policies.agency, {});
const query = base.query as Record<string, unknown>;
const decideWith = (change: Partial<DecisionRequest>, set = policies) =>
  decide({ policies: set, ...base, ...change });
const asked = (
  change: Record<string, unknown>,
  { policies: set = policies, ...rest }: Partial<DecisionRequest> = {},
) => decideWith({ ...rest, query: { ...query, ...change } }, set);
const permit = { decision: 'permit', grant: 'hotspot-policing' };
const refusal = (code: string) => expect.objectContaining({ decision: 'refuse', code });

/** The set with its first grant changed, as an author would have written it. */
const withGrant = (change: Partial<Grant>, set: PolicySet = policies): PolicySet => ({
  ...set,
  agency: {
    ...set.agency,
    grants: set.agency.grants.map((grant, i) => (i === 0 ? { ...grant, ...change } : grant)),
  },
});

describe('inputs that must be refused with a code', () => {
  it('permits the plain request that all of these are variations of', () => {
    expect(decideWith({})).toEqual(permit);
  });

  it.each([
    ['missing-field', { rho: undefined }],
    ['missing-field', { purpose: undefined }],
    ['bad-rho', { rho: null }],
    ['bad-rho', { rho: Number.NaN }],
    ['bad-rho', { rho: Number.POSITIVE_INFINITY }],
    ['bad-rho', { rho: 1e-320 }],
    ['bad-rho', { rho: -0 }],
    ['bad-rho', { rho: 0.125 }],
    ['bad-rho', { rho: ['1/8'] }],
    ['bad-rho', { rho: { num: 1, den: 8 } }],
    ['bad-rho', { rho: 2 ** 53 }],
    ['bad-rho', { rho: String(2n ** 53n) }],
    ['bad-rho', { rho: String(2n ** 63n) }],
    ['rho-not-positive', { rho: '-1/8' }],
    ['rho-not-positive', { rho: '0' }],
    ['bad-resolution', { resolution: 2 ** 53 }],
    ['bad-resolution', { resolution: 2 ** 63 }],
    ['bad-purpose', { purpose: 'hotspot-policing ' }],
    ['bad-purpose', { purpose: 'hotspot-poli\u0301cing' }],
    ['bad-purpose', { purpose: 'hotsp\u043et-policing' }],
    ['bad-purpose', { purpose: ['hotspot-policing'] }],
    ['bad-measure', { measure: ['incidents'] }],
    ['unknown-field', { cells: [] }],
    ['period-order', { periods: ['2024-06/2023-07'] }],
    ['bad-period', { periods: ['2024-02-29/2024-03-01'] }],
    ['duplicate-item', { categories: ['asb', 'asb'] }],
    ['duplicate-item', { periods: ['2024-01', '2024-01'] }],
    ['list-too-long', { categories: new Array(1_000_000).fill('asb') }],
    ['list-too-long', { agencies: new Array(1_000_000).fill('a') }],
    ['list-too-long', { periods: new Array(1_000_000).fill('2024-01') }],
    ['not-addressed', { agencies: ['gwent-police'] }],
    ['min-lag-days', { periods: ['2024-09'] }], // not over
    ['min-lag-days', { periods: ['2030-01'] }], // in the future
  ])('%s (%#)', (code, change) => {
    expect(asked(change as Record<string, unknown>)).toEqual(refusal(code));
  });

  it.each(['__proto__', 'constructor', 'prototype'])('a %s key', (key) => {
    const text = JSON.stringify(query).replace('{', `{"${key}":{"rho":"1/8"},`);
    expect(decideWith({ query: JSON.parse(text) })).toEqual(refusal('unknown-field'));
    expect(() => parseDocument(text)).toThrow(expect.objectContaining({ code: 'forbidden-key' }));
  });

  it('repeated JSON keys', () => {
    const text = JSON.stringify(query).replace('{', '{"rho":"1/16",');
    expect(() => parseDocument(text)).toThrow(expect.objectContaining({ code: 'duplicate-key' }));
  });

  it('a policy with lag 0', () => {
    const agency = texts.agency.replace('minLagDays: 7', 'minLagDays: 0');
    expect(() => parsePolicy(agency)).toThrow(expect.objectContaining({ code: 'bad-policy' }));
  });

  it('another agency and another grid', () => {
    expect(decideWith({ agency: { id: 'gwent-police', categories: CATEGORIES } })).toEqual(
      refusal('other-agency'),
    );
    const view = { id: policies.agency.agency, categories: CATEGORIES, gridHash: 'f'.repeat(64) };
    expect(decideWith({ agency: view })).toEqual(refusal('other-grid'));
  });

  it.each([
    ['bad-analyst', { analyst: null }],
    ['bad-analyst', { analyst: { id: 'a', roles: 'national-analyst' } }],
    ['roles', { analyst: { id: 'a', roles: [] } }],
    ['bad-ledger', { ledger: undefined }],
    ['bad-ledger', { ledger: { spent: { incidents: { 2024: 0.5 } } } }],
    ['bad-ledger', { ledger: { spent: { incidents: { 2024: '-1' } } } }],
    ['bad-ledger', { ledger: { spent: { incidents: { 2024: 'NaN' } } } }],
    ['bad-ledger', { ledger: { spent: { incidents: { 2024: '1/0' } } } }],
    ['bad-agency-view', { agency: { id: 'x' } }],
    ['bad-dataset', { dataset: 7 }],
    ['unknown-dataset', { dataset: 'stops' }],
    ['unknown-dataset', { dataset: 'constructor' }],
    ['bad-instant', { now: undefined }],
    ['bad-instant', { now: 0 }],
    ['bad-instant', { now: '2024-09-02' }],
    ['bad-instant', { now: '2024-02-30T00:00:00Z' }],
    ['query-not-object', { query: undefined }],
  ])('%s: %j', (code, change) => {
    expect(decideWith(change as Partial<DecisionRequest>)).toEqual(refusal(code));
  });

  it('never throws and never permits what it cannot read', () => {
    const member = fc.constantFrom('query', 'analyst', 'agency', 'ledger', 'now', 'dataset');
    fc.assert(
      fc.property(member, fc.jsonValue(), (name, value) => {
        const { decision } = decideWith({ [name]: value });
        // only a well-formed dataset name or an absent view can still be read
        if (name !== 'agency' && name !== 'dataset') expect(decision).toBe('refuse');
      }),
      { numRuns: 2_000 },
    );
    for (const nothing of [undefined, null, 0, 'x', [], {}]) {
      expect(decide(nothing as unknown as DecisionRequest)).toEqual(refusal('internal-fault'));
      expect(decide({ ...base, policies: nothing as unknown as PolicySet })).toEqual(
        refusal('internal-fault'),
      );
    }
  });
});

describe('an answer that is paid for', () => {
  const paid = (change: Partial<DecisionRequest>) => {
    const { ledger: _unasked, ...request } = { policies, ...base, ...change };
    return decidePaid(request);
  };
  const { id: analyst } = base.analyst as { id: string };
  const spent = { spent: { incidents: { 2024: '2' } } };
  const busy = { spent: {}, analysts: { [analyst]: { rhoThisYear: '1', queriesToday: 50 } } };

  it.each([spent, busy])('asks nothing of a ledger that would refuse a new one', (ledger) => {
    expect(decideWith({ ledger })).toMatchObject({ decision: 'refuse' });
    expect(paid({ ledger })).toEqual(permit);
  });

  it('is refused for whatever else a new one is refused for, by the same code', () => {
    const changes: readonly Partial<DecisionRequest>[] = [
      { analyst: { id: analyst, roles: ['tile-viewer'] } },
      { query: { ...query, purpose: 'staff-appraisal' } },
      { query: { ...query, rho: '2' } },
      { now: '2099-01-01T00:00:00Z' },
      { now: 'today' },
      { dataset: 'stops' },
      { policies: { ...policies, agency: { ...policies.agency, grants: [] } } },
    ];
    for (const change of changes) {
      expect(paid(change)).toEqual(decideWith(change));
      expect(paid(change)).toMatchObject({ decision: 'refuse' });
    }
    expect(decidePaid(undefined as never)).toEqual(refusal('internal-fault'));
  });
});

describe('edges of the calendar', () => {
  it('counts a leap day in a window', () => {
    expect(asked({ periods: ['2023-07/2024-06'] })).toEqual(permit); // 366 days
    const short = withGrant({ window: { minDays: 28, maxDays: 365, minLagDays: 7 } });
    expect(asked({ periods: ['2023-07/2024-06'] }, { policies: short })).toEqual(
      refusal('max-days'),
    );
    expect(asked({ periods: ['2022-07/2023-06'] }, { policies: short })).toEqual(permit); // 365
    const leap = withGrant({ window: { minDays: 29, maxDays: 366, minLagDays: 7 } });
    expect(asked({ periods: ['2024-02'] }, { policies: leap })).toEqual(permit);
    expect(asked({ periods: ['2023-02'] }, { policies: leap })).toEqual(refusal('min-days'));
  });

  it('measures the span over gaps between periods', () => {
    expect(asked({ periods: ['2023-07', '2024-06'] })).toEqual(permit);
    expect(asked({ periods: ['2023-06', '2024-06'] })).toEqual(refusal('max-days'));
  });

  it('changes the day at midnight in London, in summer and in winter', () => {
    const at = (now: string, periods: string) => asked({ periods: [periods] }, { now });
    expect(at('2024-07-06T22:59:59.999Z', '2024-06')).toEqual(refusal('min-lag-days'));
    expect(at('2024-07-06T23:00:00.000Z', '2024-06')).toEqual(permit);
    expect(at('2025-01-06T23:59:59.999Z', '2024-12')).toEqual(refusal('min-lag-days'));
    expect(at('2025-01-07T00:00:00.000Z', '2024-12')).toEqual(permit);
  });

  it('ends a grant with its last second in London', () => {
    const ending = (validUntil: string) => ({ policies: withGrant({ validUntil }) });
    const summer = ending('2025-06-30');
    expect(asked({}, { ...summer, now: '2025-06-30T22:59:59Z' })).toEqual(permit);
    expect(asked({}, { ...summer, now: '2025-06-30T23:00:00Z' })).toEqual(refusal('valid-until'));
    // the day the clocks go forward, 01:00 UTC on 30 March 2025
    const forward = ending('2025-03-30');
    expect(asked({}, { ...forward, now: '2025-03-30T22:59:59Z' })).toEqual(permit);
    expect(asked({}, { ...forward, now: '2025-03-30T23:00:00Z' })).toEqual(refusal('valid-until'));
    const eve = ending('2025-03-29');
    expect(asked({}, { ...eve, now: '2025-03-29T23:59:59Z' })).toEqual(permit);
    expect(asked({}, { ...eve, now: '2025-03-30T00:00:00Z' })).toEqual(refusal('valid-until'));
  });
});

describe('what grants and floor mean together', () => {
  const second: Partial<Grant> = {
    id: 'other',
    categories: ['drugs'],
    purposes: ['hotspot-policing'],
  };

  it('never unites two grants to cover one query', () => {
    const [first] = policies.agency.grants as readonly [Grant];
    const set: PolicySet = {
      ...policies,
      agency: {
        ...policies.agency,
        grants: [
          { ...first, categories: ['violence'] },
          { ...first, ...second },
        ],
      },
    };
    expect(asked({ categories: ['violence'] }, { policies: set })).toEqual(permit);
    expect(asked({ categories: ['drugs'] }, { policies: set })).toMatchObject({ grant: 'other' });
    expect(asked({ categories: ['drugs', 'violence'] }, { policies: set })).toEqual(
      refusal('categories'),
    );
  });

  it('holds the query to the floor even under a looser grant', () => {
    const set = withGrant({ rhoPerQuery: '2' });
    expect(asked({ rho: '1' }, { policies: set })).toEqual({
      decision: 'refuse',
      code: 'rho-per-query',
      constraint: 'federation.floor.rhoPerQuery',
    });
    const floor = { ...policies.federation.floor, approval: 'hold' as const };
    const strict = { ...policies, federation: { ...policies.federation, floor } };
    expect(asked({}, { policies: strict })).toEqual(refusal('approval'));
  });

  it('reads an unknown population as too small', () => {
    const set = withGrant({ minPopulation: 100 });
    expect(asked({}, { policies: set })).toEqual({
      decision: 'refuse',
      code: 'min-population',
      constraint: 'grants.hotspot-policing.minPopulation',
    });
    const known = (residents: number) => ({
      policies: set,
      agency: {
        id: policies.agency.agency,
        categories: CATEGORIES,
        smallestPopulation: { 9: residents },
      },
    });
    expect(asked({}, known(99))).toEqual(refusal('min-population'));
    expect(asked({}, known(100))).toEqual(permit);
  });

  it('refuses an open question where the grant or the floor demands sealed ones', () => {
    const set = withGrant({ sealed: true });
    expect(asked({}, { policies: set })).toEqual({
      decision: 'refuse',
      code: 'sealed',
      constraint: 'grants.hotspot-policing.sealed',
    });
    expect(asked({ sealed: true }, { policies: set })).toEqual(permit);
    expect(asked({ sealed: true }, { policies })).toEqual(permit);
    const floor = { ...policies.federation.floor, sealed: true as const };
    const strict = { ...policies, federation: { ...policies.federation, floor } };
    expect(asked({}, { policies: strict })).toEqual(refusal('sealed'));
    expect(asked({ sealed: true }, { policies: strict })).toEqual(permit);
  });

  it('prefers an automatic grant to one that holds', () => {
    const [first] = policies.agency.grants as readonly [Grant];
    const held: Grant = { ...first, id: 'held', approval: 'hold', holdHours: 24 };
    const set = { ...policies, agency: { ...policies.agency, grants: [held, first] } };
    expect(asked({}, { policies: set })).toEqual(permit);
    const only = { ...policies, agency: { ...policies.agency, grants: [held] } };
    expect(asked({}, { policies: only })).toEqual({
      decision: 'hold',
      grant: 'held',
      holdHours: 24,
      approvers: 1,
    });
    const none = { ...policies, agency: { ...policies.agency, grants: [] } };
    expect(asked({}, { policies: none })).toEqual(refusal('no-grant'));
  });

  it('spends the last of a budget exactly, and not a millionth more', () => {
    const spent = (amount: string) => ({ ledger: { spent: { incidents: { 2023: amount } } } });
    expect(asked({}, spent('15/8'))).toEqual(permit);
    expect(asked({}, spent('1875001/1000000'))).toEqual(refusal('rho-per-year'));
  });
});

describe('policy digest', () => {
  it('is of the meaning, not of the layout, and of every bound', () => {
    const digest = policyDigest(policies);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const spaced = texts.agency.replaceAll(': { ', ':   { ').replace(/^#.*$/gm, '# other words');
    expect(spaced).not.toBe(texts.agency);
    expect(policyDigest({ ...policies, agency: parsePolicy(spaced) })).toBe(digest);
    const changes: Partial<Grant>[] = [
      { rhoPerQuery: '1/16' },
      { validUntil: '2034-12-30' },
      { window: { minDays: 28, maxDays: 366, minLagDays: 8 } },
      { approvedBy: 'Someone Else' },
    ];
    const others = changes.map((change) => policyDigest(withGrant(change)));
    expect(new Set([digest, ...others]).size).toBe(changes.length + 1);
  });
});
