import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalBytes, canonicalJson, utf8ToBytes } from '#libs/bytes';
import {
  CATEGORIES,
  canonicaliseQuery,
  describeQuery,
  fingerprint,
  groupsOf,
  Query,
  QueryError,
} from './index.js';

const valid = {
  version: 1,
  measure: 'incidents',
  categories: ['weapons', 'violence'],
  periods: ['2024-02', '2024-01'],
  resolution: 9,
  grid: 'ew-2026-1',
  gridHash: 'ab'.repeat(32),
  agencies: ['bristol-council', 'avon-and-somerset-police'],
  rho: '1/8',
  purpose: 'hotspot-policing',
};
const hostile = (text: string): unknown => JSON.parse(text);

const linkage = {
  project: 'harm',
  epoch: '2024-1',
  left: { agency: 'avon-and-somerset-police', roles: ['suspect', 'victim'] },
  right: { agency: 'bristol-council' },
  area: 'total',
};
/** What makes `valid` a question about linked people. */
const linked = { measure: 'linked-people', periods: ['2024-01/2024-06'], resolution: 4, linkage };

const faults: readonly [code: string, field: string, change: Record<string, unknown>][] = [
  ['missing-field', 'rho', { rho: undefined }],
  ['bad-rho', 'rho', { rho: null }],
  ['bad-rho', 'rho', { rho: Number.NaN }],
  ['bad-rho', 'rho', { rho: Number.POSITIVE_INFINITY }],
  ['bad-rho', 'rho', { rho: 1e-320 }],
  ['bad-rho', 'rho', { rho: -0 }],
  ['bad-rho', 'rho', { rho: 0.125 }],
  ['bad-rho', 'rho', { rho: ['1/8'] }],
  ['bad-rho', 'rho', { rho: { num: 1, den: 8 } }],
  ['bad-rho', 'rho', { rho: '-0' }],
  ['bad-rho', 'rho', { rho: 'NaN' }],
  ['bad-rho', 'rho', { rho: '0.125' }],
  ['bad-rho', 'rho', { rho: '2/16' }],
  ['bad-rho', 'rho', { rho: '1/8 ' }],
  ['bad-rho', 'rho', { rho: '\uff11/8' }],
  ['bad-rho', 'rho', { rho: `1/${'9'.repeat(1_000_000)}` }],
  ['bad-rho', 'rho', { rho: '9007199254740992' }],
  ['bad-rho', 'rho', { rho: '1/9223372036854775808' }],
  ['rho-not-positive', 'rho', { rho: '0' }],
  ['rho-not-positive', 'rho', { rho: '-1/8' }],
  ['bad-purpose', 'purpose', { purpose: 'hotspot-policing ' }],
  ['bad-purpose', 'purpose', { purpose: 'hotsp\u043et-policing' }], // Cyrillic o
  ['bad-purpose', 'purpose', { purpose: 'cafe\u0301' }], // NFD
  ['bad-purpose', 'purpose', { purpose: ['hotspot-policing'] }],
  ['bad-purpose', 'purpose', { purpose: '__proto__' }],
  ['bad-resolution', 'resolution', { resolution: 2 ** 53 }],
  ['bad-resolution', 'resolution', { resolution: 2 ** 63 }],
  ['bad-resolution', 'resolution', { resolution: 10 }],
  ['bad-resolution', 'resolution', { resolution: 3 }],
  ['bad-resolution', 'resolution', { resolution: 8.5 }],
  ['bad-resolution', 'resolution', { resolution: '9' }],
  ['bad-version', 'version', { version: 2 }],
  ['bad-linkage', 'linkage', { measure: 'linked-people' }],
  ['bad-linkage', 'linkage', { linkage }],
  ['bad-linkage', 'linkage', { ...linked, measure: 'people' }],
  ['bad-linkage', 'linkage', { ...linked, resolution: 5 }],
  ['bad-linkage', 'linkage', { ...linked, periods: ['2024-01', '2024-02'] }],
  ['bad-linkage', 'linkage', { ...linked, agencies: undefined }],
  ['bad-linkage', 'linkage', { ...linked, agencies: ['avon-and-somerset-police'] }],
  ['bad-linkage', 'linkage', { ...linked, agencies: ['bristol-council', 'gwent-police'] }],
  ['bad-linkage', 'linkage', { ...linked, linkage: null }],
  ['bad-linkage', 'linkage', { ...linked, linkage: { ...linkage, right: linkage.left } }],
  ['bad-linkage', 'linkage', { ...linked, linkage: { ...linkage, area: 'bristol' } }],
  [
    'bad-linkage',
    'linkage',
    {
      ...linked,
      linkage: { ...linkage, right: { agency: 'bristol-council', categories: ['asb'] } },
    },
  ],
  ['bad-linkage', 'linkage', { ...linked, linkage: { ...linkage, area: 'E06000023' } }],
  ['bad-linkage', 'linkage', { ...linked, linkage: { ...linkage, area: '871958392ffffff' } }],
  ...['881958392bfffff', '831958fffffffff', '871958392FFFFFF', '871958392fffff0'].map(
    (area): [string, string, Record<string, unknown>] => [
      'bad-linkage',
      'linkage',
      { ...linked, resolution: 7, linkage: { ...linkage, area } },
    ],
  ),
  ['bad-linkage', 'linkage', { ...linked, linkage: { ...linkage, person: 'x' } }],
  [
    'bad-linkage',
    'linkage',
    {
      ...linked,
      linkage: { ...linkage, left: { ...linkage.left, roles: ['victim', 'suspect'] } },
    },
  ],
  ['bad-measure', 'measure', { measure: 'persons' }],
  ['bad-measure', 'measure', { measure: ['people'] }],
  ['bad-grid', 'grid', { grid: 'ew-2026-2' }],
  ['bad-grid-hash', 'gridHash', { gridHash: 'AB'.repeat(32) }],
  ['bad-categories', 'categories', { categories: 'violence' }],
  ['bad-categories', 'categories', { categories: [] }],
  ['unknown-category', 'categories', { categories: ['Violence'] }],
  ['unknown-category', 'categories', { categories: ['constructor'] }],
  ['unknown-category', 'categories', { categories: [1] }],
  ['duplicate-item', 'categories', { categories: ['asb', 'asb'] }],
  ['list-too-long', 'categories', { categories: Array(1_000_000).fill('asb') }],
  ['list-too-long', 'periods', { periods: Array(1_000_000).fill('2024-01') }],
  ['list-too-long', 'agencies', { agencies: Array(1_000_000).fill('a') }],
  ['bad-periods', 'periods', { periods: [20240101] }],
  ['bad-period', 'periods', { periods: ['2024-13'] }],
  ['bad-period', 'periods', { periods: ['2024-1'] }],
  ['bad-period', 'periods', { periods: ['2021-W53'] }],
  ['mixed-periods', 'periods', { periods: ['2024-03', '2024-W02'] }],
  ['duplicate-item', 'periods', { periods: ['2024-W02', '2024-W02'] }],
  ['bad-linkage', 'linkage', { ...linked, periods: ['2024-W02'] }],
  ['bad-period', 'periods', { periods: ['2024-01-01'] }],
  ['period-order', 'periods', { periods: ['2024-02/2024-01'] }],
  ['period-overlap', 'periods', { periods: ['2024-01/2024-03', '2024-03'] }],
  ['period-overlap', 'periods', { periods: ['2023-01/2024-12', '2023-05', '2024-06'] }],
  ['duplicate-item', 'periods', { periods: ['2024-01', '2024-01/2024-01'] }],
  ['bad-agencies', 'agencies', { agencies: [] }],
  ['bad-agencies', 'agencies', { agencies: ['Bristol'] }],
  ['bad-agencies', 'agencies', { agencies: null }],
  ['unknown-field', '', { cells: ['89194ad32b7ffff'] }],
];

describe('canonical query', () => {
  it('sorts sets, normalises one-month windows and satisfies its own schema', () => {
    const query = canonicaliseQuery({ ...valid, periods: ['2024-02/2024-02', '2024-01'] });
    expect(query).toEqual({
      ...valid,
      categories: ['violence', 'weapons'],
      periods: ['2024-01', '2024-02'],
      agencies: ['avon-and-somerset-police', 'bristol-council'],
    });
    expect(Query.parse(query)).toEqual(query);
    expect(Query.safeParse(valid).success).toBe(false);
  });

  it.each(faults.map(([code, field, change], i) => ({ i, code, field, change })))(
    'refuses $code ($i)',
    ({ code, field, change }) => {
      const act = () => canonicaliseQuery({ ...valid, ...change });
      expect(act).toThrow(expect.objectContaining({ code, field }));
    },
  );

  it.each([
    ['query-not-object', null],
    ['query-not-object', [valid]],
    ['query-not-object', '{}'],
    ['query-not-object', 0],
    ['missing-field', {}],
    ['missing-field', Object.create(valid)],
    ['unknown-field', hostile('{"__proto__":{"version":1}}')],
    ['unknown-field', hostile('{"constructor":1}')],
    ['unknown-field', { [Symbol('version')]: 1 }],
  ])('refuses the document: %s', (code, input) => {
    expect(() => canonicaliseQuery(input)).toThrow(expect.objectContaining({ code }));
  });

  it('never repeats a value in a message', () => {
    const canary = 'canary-8f3a';
    for (const field of [...Object.keys(valid), canary]) {
      for (const value of [canary.toUpperCase(), [canary.toUpperCase()], { [canary]: 1 }]) {
        const act = () => canonicaliseQuery({ ...valid, [field]: value });
        expect(act).toThrow(QueryError);
        expect(act).not.toThrow(/canary/i);
      }
    }
  });

  it('has one fingerprint for every order of the same sets, another for any change', () => {
    const base = fingerprint(canonicaliseQuery(valid));
    fc.assert(
      fc.property(
        fc.shuffledSubarray(valid.categories, { minLength: 2 }),
        fc.shuffledSubarray(valid.periods, { minLength: 2 }),
        fc.shuffledSubarray(valid.agencies, { minLength: 2 }),
        (categories, periods, agencies) => {
          expect(fingerprint(canonicaliseQuery({ ...valid, categories, periods, agencies }))).toBe(
            base,
          );
        },
      ),
    );
    const { agencies: _, ...everyAgency } = valid;
    const others = [
      everyAgency,
      { ...valid, rho: '1/4' },
      { ...valid, periods: ['2024-01/2024-02'] },
      { ...valid, categories: ['violence'] },
      { ...valid, purpose: 'evaluation' },
      { ...valid, gridHash: 'ac'.repeat(32) },
      { ...valid, resolution: 8 },
      { ...valid, measure: 'people' },
    ].map((query) => fingerprint(canonicaliseQuery(query)));
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
    expect(base).toMatch(/^[0-9a-f]{64}$/);
  });

  it('never crashes on any JSON: a query or a QueryError', () => {
    const field = fc.constantFrom(...Object.keys(valid), '__proto__', 'constructor', 'x');
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), (change) => {
        for (const input of [change, { ...valid, ...change }]) {
          try {
            const query = canonicaliseQuery(input);
            expect(canonicaliseQuery(JSON.parse(canonicalJson(query)))).toEqual(query);
          } catch (error) {
            expect(error).toBeInstanceOf(QueryError);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('pins the fingerprint of version 1', () => {
    const query = canonicaliseQuery(valid);
    expect(canonicalBytes(query)).toEqual(
      utf8ToBytes(
        `{"agencies":["avon-and-somerset-police","bristol-council"],"categories":["violence","weapons"],"grid":"ew-2026-1","gridHash":"${'ab'.repeat(32)}","measure":"incidents","periods":["2024-01","2024-02"],"purpose":"hotspot-policing","resolution":9,"rho":"1/8","version":1}`,
      ),
    );
    expect(fingerprint(query)).toBe(
      '98593dd5a4c8956896a03b88786469ba4d963213ca6cd3940ecda9c0a58adf4f',
    );
  });

  it('takes a question about people known to two agencies, one number', () => {
    const query = canonicaliseQuery({ ...valid, ...linked });
    expect(canonicaliseQuery(JSON.parse(canonicalJson(query)))).toEqual(query);
    const local = { ...linked, resolution: 5, linkage: { ...linkage, area: 'E06000023' } };
    const cell = { ...linked, resolution: 7, linkage: { ...linkage, area: '871958392ffffff' } };
    const prints = [{}, linked, local, cell].map((change) =>
      fingerprint(canonicaliseQuery({ ...valid, ...change })),
    );
    expect(new Set(prints).size).toBe(4);
    expect(describeQuery(canonicaliseQuery({ ...valid, ...cell }))).toContain(
      'in the cell 871958392ffffff of about 5 square kilometres, and also to bristol-council',
    );
    expect(describeQuery(canonicaliseQuery({ ...valid, ...local }))).toBe(
      'How many different people are known to avon-and-somerset-police for violence and sexual offences and possession of weapons as suspect and victim, ' +
        'in the local authority E06000023, and also to bristol-council for violence and sexual offences and possession of weapons, ' +
        'over January 2024 to June 2024 as a whole, by labels of the linkage project "harm", epoch "2024-1", as one number, ' +
        'for the purpose "hotspot-policing", with random noise added at a privacy cost of rho 1/8 to each agency?',
    );
  });

  it('lists groups by category, then period', () => {
    expect(groupsOf(canonicaliseQuery(valid))).toEqual([
      { category: 'violence', period: '2024-01' },
      { category: 'violence', period: '2024-02' },
      { category: 'weapons', period: '2024-01' },
      { category: 'weapons', period: '2024-02' },
    ]);
    expect(groupsOf(canonicaliseQuery({ ...valid, categories: [...CATEGORIES] }))).toHaveLength(28);
  });
});

describe('the sentence', () => {
  const sentence = (change: Record<string, unknown>) =>
    describeQuery(canonicaliseQuery({ ...valid, ...change }));

  it('says what, who, when, where, why and the cost', () => {
    expect(sentence({})).toBe(
      'How many incidents of violence and sexual offences and possession of weapons were recorded by ' +
        'avon-and-somerset-police and bristol-council in each of the 2 months January 2024 to February 2024, in areas as ' +
        'small as about 11 hectares, for the purpose "hotspot-policing", with random noise added to every figure at a ' +
        'privacy cost of rho 1/8?',
    );
  });

  it.each([
    [['2024-01'], ' in January 2024,'],
    [['2023-07/2024-06'], ' over July 2023 to June 2024 as a whole,'],
    [['2024-01', '2024-03'], ' in each of January 2024 and March 2024,'],
    [['2023-12', '2024-01/2024-03'], ' in each of December 2023 and January 2024 to March 2024,'],
    [['2024-W07'], ' in the week from Monday 12 February 2024 to Sunday 18 February 2024,'],
    [
      ['2024-W07', '2024-W08'],
      ' in each of the 2 weeks from Monday 12 February 2024 to Sunday 25 February 2024,',
    ],
    [
      ['2024-W07', '2024-W09'],
      ' in each of the weeks that begin on 12 February 2024 and 26 February 2024,',
    ],
  ])('names the periods %j', (periods, part) => {
    expect(sentence({ periods })).toContain(part);
  });

  it('says how a person is counted', () => {
    expect(sentence({ measure: 'people', categories: ['drugs'] })).toContain(
      'How many different people are named in incidents of drugs recorded by avon-and-somerset-police and bristol-council ' +
        'in each of the 2 months January 2024 to February 2024, each person counted once a month and kind of incident, in ' +
        'one place, in areas as small as',
    );
  });

  it('asks every agency when none is named', () => {
    expect(sentence({ agencies: undefined })).toContain('recorded by every agency in');
  });
});
