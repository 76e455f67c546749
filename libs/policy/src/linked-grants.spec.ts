/** Grants and deny rules about linked people: which other agency, and in which roles, on both sides. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  type AgencyPolicy,
  decide,
  diffPolicies,
  explainGrant,
  type Grant,
  lintPolicy,
  type PolicySet,
  parseFederation,
  parsePolicy,
  policyTable,
  requestOf,
} from './index.js';

const root = new URL('../../../policies/', import.meta.url);
const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const federation = parseFederation(readText('federation.yaml'));
const bundled = parsePolicy(readText('agencies/avon-and-somerset-police.yaml'));
const ID = 'known-to-both';

/** The bundled policy with other bounds on linked people, or deny rules. */
const withBounds = (
  bounds: Pick<Grant, 'partners' | 'linkedRoles'>,
  deny: AgencyPolicy['deny'] = [],
): AgencyPolicy => ({
  ...bundled,
  deny,
  grants: bundled.grants.map((grant) => {
    if (grant.id !== ID) return grant;
    const { partners: _, linkedRoles: __, ...others } = grant;
    return { ...others, ...bounds };
  }),
});

const plain = bundled.cases.find(({ name }) => name === 'people known to both');
if (!plain) throw new Error('the bundled policy has a case about linked people');
const base = requestOf(bundled, plain);
const query = base.query as Record<string, unknown>;

function asked(
  agency: AgencyPolicy,
  {
    partner = 'bristol-council',
    ownRoles,
    theirRoles,
    isTurned = false,
  }: { partner?: string; ownRoles?: string[]; theirRoles?: string[]; isTurned?: boolean } = {},
) {
  const policies: PolicySet = { federation, agency };
  const own = { agency: bundled.agency, ...(ownRoles ? { roles: ownRoles } : {}) };
  const other = { agency: partner, ...(theirRoles ? { roles: theirRoles } : {}) };
  const linkage = {
    ...(query.linkage as object),
    left: isTurned ? other : own,
    right: isTurned ? own : other,
  };
  const agencies = [bundled.agency, partner].sort();
  return decide({ ...base, policies, query: { ...query, agencies, linkage } });
}
const permit = { decision: 'permit', grant: ID };
const refusal = (code: string, constraint: string) => ({ decision: 'refuse', code, constraint });

describe('grants of linked people', () => {
  it('bind the other agency, on whichever side it stands', () => {
    const policy = withBounds({ partners: ['bristol-council'] });
    for (const isTurned of [false, true]) {
      expect(asked(policy, { isTurned })).toEqual(permit);
      expect(asked(policy, { isTurned, partner: 'somerset-council' })).toEqual(
        refusal('partners', `grants.${ID}.partners`),
      );
    }
    expect(asked(withBounds({}), { partner: 'somerset-council' })).toEqual(permit);
  });

  it('bind the roles of both sides, and a question that names none is about all', () => {
    const policy = withBounds({ linkedRoles: ['suspect', 'victim'] });
    const refused = refusal('linked-roles', `grants.${ID}.linkedRoles`);
    expect(asked(policy, { ownRoles: ['victim'], theirRoles: ['suspect', 'victim'] })).toEqual(
      permit,
    );
    for (const roles of [
      {},
      { ownRoles: ['victim'] },
      { theirRoles: ['victim'] },
      { ownRoles: ['victim'], theirRoles: ['tenant'] },
      { ownRoles: ['tenant', 'victim'], theirRoles: ['victim'] },
    ]) {
      expect(asked(policy, roles)).toEqual(refused);
    }
  });

  it('do not bind questions about anything else', () => {
    const policy = withBounds({ partners: ['nobody'], linkedRoles: ['nobody'] });
    const other = requestOf(bundled, {});
    expect(decide({ ...other, policies: { federation, agency: policy } })).toMatchObject({
      decision: 'permit',
    });
  });

  it('are refused in a grant without the measure', () => {
    const text = readText('agencies/avon-and-somerset-police.yaml');
    for (const bound of ['partners: [bristol-council]', 'linkedRoles: [victim]']) {
      const broken = text.replace('approval: automatic', `approval: automatic\n    ${bound}`);
      expect(() => parsePolicy(broken)).toThrow(expect.objectContaining({ code: 'bad-policy' }));
    }
  });
});

describe('deny rules of linked people', () => {
  const rule = { id: 'never', reason: 'agreed with the board' };

  it('refuse a partner, and leave other partners and other questions alone', () => {
    const policy = withBounds({}, [{ ...rule, partners: ['somerset-council'] }]);
    expect(asked(policy)).toEqual(permit);
    expect(asked(policy, { partner: 'somerset-council' })).toEqual(
      refusal('deny-rule', 'deny.never'),
    );
    const other = requestOf(bundled, {});
    expect(decide({ ...other, policies: { federation, agency: policy } })).toMatchObject({
      decision: 'permit',
    });
  });

  it('refuse a role on either side, and a side that names none', () => {
    const policy = withBounds({}, [{ ...rule, linkedRoles: ['victim'] }]);
    const denied = refusal('deny-rule', 'deny.never');
    expect(asked(policy, { ownRoles: ['suspect'], theirRoles: ['tenant'] })).toEqual(permit);
    expect(asked(policy, { ownRoles: ['suspect'], theirRoles: ['victim'] })).toEqual(denied);
    expect(asked(policy, { ownRoles: ['suspect', 'victim'], theirRoles: ['tenant'] })).toEqual(
      denied,
    );
    expect(asked(policy, { ownRoles: ['suspect'] })).toEqual(denied);
  });
});

describe('an author is told', () => {
  const bound = withBounds({ partners: ['bristol-council'], linkedRoles: ['victim'] });

  it('of a bound that no case exercises', () => {
    const faults = lintPolicy(withBounds({ partners: ['bristol-council'] }));
    expect(faults.map(({ at }) => at)).not.toContain(`grants.${ID}.partners`);
    const alone = withBounds({ partners: ['bristol-council', 'somerset-council'] });
    expect(lintPolicy(alone).map(({ at }) => at)).toContain(`grants.${ID}.partners`);
    expect(lintPolicy(bound).map(({ at }) => at)).toContain(`grants.${ID}.linkedRoles`);
  });

  it('what a new version allows beside the old one', () => {
    const change = (from: AgencyPolicy, to: AgencyPolicy, dimension: string) =>
      diffPolicies(from, to).dimensions.find(
        (item) => item.at === `grants.${ID}` && item.dimension === dimension,
      )?.change;
    const wider = withBounds({ partners: ['bristol-council', 'somerset-council'] });
    const free = withBounds({});
    expect(change(bound, wider, 'partners')).toBe('WIDENS');
    expect(change(wider, bound, 'partners')).toBe('NARROWS');
    expect(change(free, bound, 'partners')).toBe('NARROWS');
    expect(change(bound, free, 'linked-roles')).toBe('WIDENS');
    expect(change(free, free, 'linked-roles')).toBe('EQUAL');
    const rule = { id: 'never', reason: 'agreed' };
    const narrow = withBounds({}, [{ ...rule, partners: ['a'] }]);
    const broad = withBounds({}, [{ ...rule, partners: ['a', 'b'] }]);
    expect(diffPolicies(broad, narrow).verdict).toBe('WIDENS');
    expect(diffPolicies(narrow, broad).verdict).toBe('NARROWS');
  });

  it('in words, and in the table', () => {
    const grant = bound.grants.find(({ id }) => id === ID) as Grant;
    expect(explainGrant(grant)).toContain(
      'linked people with bristol-council only, linked people only where they are victim on both sides',
    );
    const rows = policyTable(bound).filter(([name]) =>
      ['partners', 'linked-roles'].includes(name ?? ''),
    );
    expect(rows.map((row) => row.at(-1))).toEqual(['bristol-council', 'victim']);
  });
});
