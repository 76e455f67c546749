import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CATEGORIES } from '#libs/query';
import {
  type AgencyPolicy,
  type Change,
  decide,
  diffPolicies,
  type Grant,
  parseFederation,
  parsePolicy,
  requestOf,
} from './index.js';

const root = new URL('../../../policies/', import.meta.url);
const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const policy = parsePolicy(readText('agencies/city-of-london-police.yaml'));
const federation = parseFederation(readText('federation.yaml'));
const [first] = policy.grants as readonly [Grant];
const withGrant = (change: Partial<Grant>): AgencyPolicy => ({
  ...policy,
  grants: [{ ...first, ...change }],
});
const changesOf = (from: AgencyPolicy, to: AgencyPolicy) =>
  diffPolicies(from, to)
    .dimensions.filter(({ change }) => change !== 'EQUAL')
    .map(({ dimension, change }) => `${dimension} ${change}`);

describe('diff', () => {
  it('of a policy with itself is EQUAL in every dimension', () => {
    const diff = diffPolicies(policy, policy);
    expect(diff.verdict).toBe('EQUAL');
    expect(diff.dimensions.length).toBeGreaterThan(15);
    expect(changesOf(policy, policy)).toEqual([]);
  });

  const { window } = first;
  it.each<[string, Change, Partial<Grant>]>([
    ['roles', 'WIDENS', { roles: ['national-analyst', 'other'] }],
    ['roles', 'WIDENS', { roles: ['other'] }], // neither holds the other: something new is allowed
    ['purposes', 'NARROWS', { purposes: ['hotspot-policing'] }],
    ['categories', 'NARROWS', { categories: ['asb'] }],
    ['finest-resolution', 'NARROWS', { finestResolution: 8 }],
    ['min-days', 'NARROWS', { window: { ...window, minDays: 29 } }],
    ['max-days', 'WIDENS', { window: { ...window, maxDays: 367 } }],
    ['min-lag-days', 'WIDENS', { window: { ...window, minLagDays: 6 } }],
    ['min-population', 'NARROWS', { minPopulation: 1 }],
    ['sealed', 'NARROWS', { sealed: true }],
    ['rho-per-query', 'WIDENS', { rhoPerQuery: '125001/1000000' }],
    ['rho-per-query', 'NARROWS', { rhoPerQuery: '1/9' }],
    ['valid-from', 'NARROWS', { validFrom: '2024-01-02' }],
    ['valid-until', 'WIDENS', { validUntil: '2035-01-01' }],
  ])('%s %s', (dimension, change, members) => {
    expect(changesOf(policy, withGrant(members))).toEqual([`${dimension} ${change}`]);
    expect(diffPolicies(policy, withGrant(members)).verdict).toBe(change);
  });

  it('tells approval, limits and rules', () => {
    const held = withGrant({ approval: 'hold', holdHours: 24 });
    expect(changesOf(policy, held)).toEqual(['approval NARROWS', 'approvers NARROWS']);
    expect(changesOf(held, withGrant({ approval: 'hold', holdHours: 24, approvers: 2 }))).toEqual([
      'approvers NARROWS',
    ]);
    expect(changesOf(held, policy)).toEqual(['approval WIDENS', 'approvers WIDENS']);
    const analysts = { rhoPerYear: '17/8', queriesPerDay: 49 };
    const limits = { ...policy.limits, analysts };
    expect(changesOf(policy, { ...policy, limits })).toEqual([
      'analysts.rhoPerYear WIDENS',
      'analysts.queriesPerDay NARROWS',
    ]);
    const rule = { id: 'r', reason: 'because', purposes: ['hotspot-policing'] };
    expect(changesOf(policy, { ...policy, deny: [rule] })).toEqual(['rule NARROWS']);
    expect(changesOf({ ...policy, deny: [rule] }, policy)).toEqual(['rule WIDENS']);
  });

  it('weighs a new grant against each old one alone', () => {
    const twoHalves: AgencyPolicy = {
      ...policy,
      grants: [
        { ...first, id: 'a', categories: ['violence'] },
        { ...first, id: 'b', categories: ['drugs'] },
      ],
    };
    const union: Grant = { ...first, id: 'c', categories: ['drugs', 'violence'] };
    const within: Grant = { ...first, id: 'c', categories: ['drugs'], rhoPerQuery: '1/16' };
    const added = (grant: Grant): AgencyPolicy => ({
      ...twoHalves,
      grants: [...twoHalves.grants, grant],
    });
    expect(diffPolicies(twoHalves, added(union)).verdict).toBe('WIDENS');
    expect(diffPolicies(twoHalves, added(within)).verdict).toBe('EQUAL');
    expect(diffPolicies(added(union), twoHalves).verdict).toBe('NARROWS');
    expect(diffPolicies(added(within), twoHalves).verdict).toBe('EQUAL');
  });

  it('never calls a version narrower or equal that permits what the old one refused', () => {
    const change = fc.record(
      {
        purposes: fc.subarray(['hotspot-policing', 'intervention-evaluation'], { minLength: 1 }),
        categories: fc.subarray([...CATEGORIES], { minLength: 1 }),
        finestResolution: fc.integer({ min: 7, max: 9 }),
        rhoPerQuery: fc.constantFrom('1/16', '1/8', '1/4', '3/16'),
        validUntil: fc.constantFrom('2024-08-31', '2024-09-02', '2034-12-31'),
        window: fc.record({
          minDays: fc.integer({ min: 28, max: 32 }),
          maxDays: fc.constantFrom(31, 90, 366),
          minLagDays: fc.integer({ min: 60, max: 68 }),
        }),
      },
      { requiredKeys: [] },
    );
    const question = fc.record({
      purpose: fc.constantFrom('hotspot-policing', 'intervention-evaluation'),
      categories: fc.subarray(['violence', 'asb', 'drugs'], { minLength: 1 }),
      resolution: fc.integer({ min: 7, max: 9 }),
      rho: fc.constantFrom('1/16', '1/8', '1/4'),
      periods: fc.constantFrom(['2024-06'], ['2024-04/2024-06'], ['2023-07/2024-06']),
    });
    fc.assert(
      fc.property(change, change, fc.array(question, { maxLength: 8 }), (a, b, questions) => {
        const [from, to] = [withGrant(a as Partial<Grant>), withGrant(b as Partial<Grant>)];
        if (diffPolicies(from, to).verdict === 'WIDENS') return;
        for (const query of questions) {
          const permits = (agency: AgencyPolicy) =>
            decide({ policies: { federation, agency }, ...requestOf(policy, { query }) })
              .decision === 'permit';
          expect(permits(to) && !permits(from)).toBe(false);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
