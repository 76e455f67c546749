import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseMapping } from './mapping.js';
import { formatMonth, parseMonth } from './month.js';
import { REJECTIONS } from './rejection.js';
import { compileMapping, declaredCategories } from './row.js';
import { parseTaxonomy } from './taxonomy.js';

const taxonomy = parseTaxonomy(`
taxonomy: small
categories:
  - { id: violence, title: Violence, labels: [Violence and sexual offences, Violent crime] }
  - { id: asb, title: Anti-social behaviour, labels: [Anti-social behaviour] }
`);
const mapping = parseMapping(`
mapping: test
title: Test
format: { delimiter: comma }
id: Ref
person: Person
category: { column: Type }
time: { column: When, formats: [YYYY-MM, DD/MM/YYYY, 'YYYY-MM-DDTHH:mm:ss', 'D.M.YYYY H:mm'] }
location: { longitude: Lon, latitude: Lat }
`);
const header = [' REF', 'when', 'Lon', 'Lat ', 'Type', 'Person', 'Free text'];
const nowMs = Date.UTC(2024, 4, 15, 12);
const map = compileMapping(mapping, taxonomy, { header, nowMs });
const row = (changes: Partial<Record<'ref' | 'when' | 'lon' | 'lat' | 'type', string>> = {}) => [
  changes.ref ?? 'R1',
  changes.when ?? '2024-01',
  changes.lon ?? '-2.59',
  changes.lat ?? '51.45',
  changes.type ?? 'Violent crime',
  'P1',
  '',
];

describe('a mapped row', () => {
  it('comes out in common terms', () => {
    expect(map(row())).toEqual({
      rejected: undefined,
      category: 0,
      month: parseMonth('2024-01'),
      day: 0,
      located: true,
      latitude: 51.45,
      longitude: -2.59,
      id: 'R1',
      person: 'P1',
    });
  });

  it.each([
    'anti-social-behaviour',
    ' ANTI-SOCIAL  BEHAVIOUR ',
    'Anti\u2013social_behaviour',
    'asb',
  ])('knows the label %p', (type) => {
    expect(map(row({ type }))).toMatchObject({ category: 1 });
  });

  it('keeps rows without a place and tells them apart from bad ones', () => {
    expect(map(row({ lon: ' ', lat: '' }))).toMatchObject({ rejected: undefined, located: false });
  });

  it.each([
    ['2024-05', '2024-05'],
    ['29/02/2024', '2024-02'],
    ['2023-12-31T23:59:59', '2023-12'],
    ['1.2.2024 9:05', '2024-02'],
    ['28.11.2023 19:05', '2023-11'],
    ['15/05/2024', '2024-05'],
  ])('reads %s as %s', (when, month) => {
    expect(map(row({ when }))).toMatchObject({ month: parseMonth(month) });
    expect(formatMonth(parseMonth(month))).toBe(month);
  });

  it('knows a day only where the mapping promises that it is one', () => {
    expect(map(row({ when: '29/02/2024' }))).toMatchObject({ day: 0 });
    const dated = { ...mapping, time: { ...mapping.time, precision: 'day' as const } };
    const read = compileMapping(dated, taxonomy, { header, nowMs });
    expect(read(row({ when: '29/02/2024' }))).toMatchObject({ day: 29 });
    expect(read(row({ when: '2024-05' }))).toMatchObject({ day: 0 });
  });

  it.each([
    ['missing-date', { when: '  ' }],
    ['bad-date', { when: '2024-13' }],
    ['bad-date', { when: '2024-00' }],
    ['bad-date', { when: '30/02/2024' }],
    ['bad-date', { when: '29/02/2023' }],
    ['bad-date', { when: '2024-1' }],
    ['bad-date', { when: 'Jan 2024' }],
    ['bad-date', { when: '2.13.2023 9:05' }],
    ['bad-date', { when: '30.2.2024 9:05' }],
    ['bad-date', { when: '1.2.2024 24:05' }],
    ['bad-date', { when: '1899-12' }],
    ['bad-date', { when: '2024-01-31T24:00:00' }],
    ['future-date', { when: '2024-06' }],
    ['future-date', { when: '17/05/2024' }],
    ['missing-category', { type: '' }],
    ['unknown-category', { type: 'Jaywalking' }],
    ['unknown-category', { type: '__proto__' }],
    ['bad-coordinates', { lon: '' }],
    ['bad-coordinates', { lat: '' }],
    ['bad-coordinates', { lat: 'north' }],
    ['bad-coordinates', { lat: '51,45' }],
    ['bad-coordinates', { lat: '0x33' }],
    ['bad-coordinates', { lat: '5e1' }],
    ['bad-coordinates', { lat: 'NaN' }],
    ['bad-coordinates', { lat: '91' }],
    ['bad-coordinates', { lon: '-180.1' }],
    ['zero-coordinates', { lon: '0', lat: '0.000' }],
    ['swapped-coordinates', { lon: '51.45', lat: '-2.59' }],
  ] as const)('is refused as %s: %j', (reason, changes) => {
    expect(map(row(changes))).toEqual({ rejected: reason });
    expect(REJECTIONS).toContain(reason);
  });

  it('has exactly as many fields as the header', () => {
    expect(map(row().slice(1))).toEqual({ rejected: 'too-few-fields' });
    expect(map([...row(), ''])).toEqual({ rejected: 'too-many-fields' });
  });

  it('takes Greenwich for a place and New York for one elsewhere', () => {
    expect(map(row({ lon: '0', lat: '51.47' }))).toMatchObject({ located: true });
    expect(map(row({ lon: '-74', lat: '40.7' }))).toMatchObject({ located: true });
  });

  it('is an answer whatever the fields hold', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' }), { minLength: 0, maxLength: 9 }),
        (fields) => {
          const result = map(fields);
          if (result.rejected !== undefined) expect(REJECTIONS).toContain(result.rejected);
          else expect(Number.isInteger(result.month)).toBe(true);
        },
      ),
    );
  });
});

describe('a header', () => {
  const code = (columns: string[]) => () =>
    compileMapping(mapping, taxonomy, { header: columns, nowMs });

  it('must have every mapped column, once', () => {
    expect(code(header.slice(1))).toThrow(expect.objectContaining({ code: 'missing-column' }));
    expect(code([...header, 'LAT'])).toThrow(expect.objectContaining({ code: 'duplicate-column' }));
    expect(code([...header, 'free TEXT'])).not.toThrow();
  });
});

describe('declared categories', () => {
  it('are those of the dataset, else of the mapping, else all', () => {
    expect(declaredCategories(mapping, taxonomy)).toEqual(['violence', 'asb']);
    expect(declaredCategories({ ...mapping, categories: ['asb'] }, taxonomy)).toEqual(['asb']);
    expect(declaredCategories(mapping, taxonomy, ['asb'])).toEqual(['asb']);
  });

  it('refuse a row and a declaration beyond them', () => {
    const narrow = compileMapping(mapping, taxonomy, { header, nowMs, categories: ['asb'] });
    expect(narrow(row())).toEqual({ rejected: 'undeclared-category' });
    expect(() => declaredCategories(mapping, taxonomy, ['drugs'])).toThrow(
      expect.objectContaining({ code: 'undeclared-category' }),
    );
    expect(() => declaredCategories({ ...mapping, categories: ['drugs'] }, taxonomy)).toThrow(
      expect.objectContaining({ code: 'unknown-category' }),
    );
  });
});
