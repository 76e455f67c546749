import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { componentOf } from './component.js';
import { DEFAULT_KEYS, HOUSEHOLD_SAFE_KEYS } from './default-keys.js';
import { type LabelledPeople, learnKeys } from './learn.js';
import { linkRows } from './link.js';
import { type MatchKey, matchKey, readsField } from './match-key.js';
import { PERSON_FIELDS, standardise } from './standardise.js';

/** Febrl 1 (Christen 2008): 500 people with an original and a duplicate each. */
const rows = parse(readFileSync(new URL('../vectors/febrl-dataset1.csv', import.meta.url)), {
  columns: true,
  trim: true,
}) as Record<string, string>[];
const file: LabelledPeople = {
  people: rows.map((row) =>
    standardise({
      forename: row.given_name ?? '',
      surname: row.surname ?? '',
      dateOfBirth: row.date_of_birth ?? '',
      houseNumber: row.street_number ?? '',
      street: row.address_1 ?? '',
      locality: row.address_2 ?? '',
      town: row.suburb ?? '',
      region: row.state ?? '',
      postcode: row.postcode ?? '',
      idNumber: row.soc_sec_id ?? '',
    }),
  ),
  entities: rows.map((row) => (row.rec_id ?? '').split('-')[1] ?? ''),
};
const part = (wanted: (row: number) => boolean): LabelledPeople => ({
  people: file.people.filter((_, row) => wanted(row)),
  entities: file.entities.filter((_, row) => wanted(row)),
});
const isOriginal = (row: number) => (rows[row]?.rec_id ?? '').endsWith('-org');

const link = (keys: readonly MatchKey[], left: LabelledPeople, right: LabelledPeople) => {
  const labels = ({ people }: LabelledPeople) =>
    keys.map((key) =>
      people.map((person) => {
        const parts = key.components.map((name) => componentOf(name, person));
        return parts.includes('') ? null : parts.join('|');
      }),
    );
  const pairs = linkRows(keys, labels(left), labels(right));
  const right1 = pairs.filter(
    (pair) => left.entities[pair.left] === right.entities[pair.right],
  ).length;
  return { precision: right1 / pairs.length, recall: right1 / right.entities.length };
};
const originals = part(isOriginal);
const duplicates = part((row) => !isOriginal(row));

describe('learning keys', () => {
  it('finds people it was not trained on: learned on half of Febrl 1, tested on the other half', () => {
    const half = (odd: number) => (row: number) => Number(file.entities[row]) % 2 === odd;
    const learned = learnKeys([part(half(0))], { maxKeys: 20, without: ['idNumber'] });
    expect(learned.length).toBeLessThanOrEqual(20);
    for (const { key, bits } of learned) {
      expect(bits).toBeGreaterThanOrEqual(28);
      expect(readsField(key, ['idNumber'])).toBe(false);
    }
    const test = (odd: number) =>
      link(
        learned.map(({ key }) => key),
        part((row) => half(odd)(row) && isOriginal(row)),
        part((row) => half(odd)(row) && !isOriginal(row)),
      );
    expect(test(1)).toEqual({ precision: 1, recall: expect.any(Number) });
    expect(test(1).recall).toBeGreaterThan(0.97);
  });

  it('keeps households apart when asked to, and reads a field when told to', () => {
    const safe = learnKeys([file], {
      maxKeys: 6,
      householdSafe: true,
      without: ['locality', 'region', 'idNumber'],
    });
    const personal = ['forename', 'dateOfBirth'] as const;
    for (const { key } of safe) expect(readsField(key, personal)).toBe(true);
    const withId = learnKeys([file], {
      maxKeys: 2,
      reading: 'idNumber',
      without: ['locality', 'street', 'houseNumber'],
    });
    for (const { key } of withId) expect(readsField(key, ['idNumber'])).toBe(true);
  });

  it('refuses files without a person in two records, and foolish numbers of keys', () => {
    expect(() => learnKeys([originals], { maxKeys: 5 })).toThrow(
      expect.objectContaining({ code: 'no-labelled-pairs' }),
    );
    const regionAlone = PERSON_FIELDS.filter((field) => field !== 'region');
    expect(() => learnKeys([file], { maxKeys: 5, without: regionAlone })).toThrow(
      expect.objectContaining({ code: 'no-keys' }),
    );
    for (const maxKeys of [0, 65, 1.5, Number.NaN]) {
      expect(() => learnKeys([file], { maxKeys })).toThrow(
        expect.objectContaining({ code: 'bad-max-keys' }),
      );
    }
  });
});

describe('the sets that ship', () => {
  it('link Febrl 1, on which they were learned among others', () => {
    const without = DEFAULT_KEYS.filter((key) => !readsField(key, ['idNumber']));
    expect(without).toHaveLength(20);
    expect(link(without, originals, duplicates)).toEqual({
      precision: 1,
      recall: expect.closeTo(0.998, 2),
    });
    expect(link(DEFAULT_KEYS, originals, duplicates)).toEqual({ precision: 1, recall: 1 });
  });

  it('have household-safe keys that each read forename, date of birth or identity number', () => {
    for (const key of HOUSEHOLD_SAFE_KEYS) {
      expect(readsField(key, ['forename', 'dateOfBirth', 'idNumber'])).toBe(true);
    }
  });
});

/** Keys of the tests of linking: three that read a personal field, and a household's. */
const [NAMES, DATE, HOUSEHOLD, FORENAME] = [
  ['names-sorted'],
  ['date', 'postcode'],
  ['surname', 'postcode'],
  ['forename', 'postcode'],
].map(matchKey) as [MatchKey, MatchKey, MatchKey, MatchKey];

describe('linking one to one', () => {
  it('takes labels that are unique on both sides, more votes first, each row once', () => {
    const households = [HOUSEHOLD, matchKey(['surname', 'street'])];
    const left = [
      ['a', 'b', 'b', null],
      ['x', null, 'y', 'z'],
    ];
    const right = [
      ['a', 'b', 'c'],
      ['y', 'x', null],
    ];
    expect(linkRows(households, left, right)).toEqual([{ left: 0, right: 0, votes: 1 }]);
    const three = [...households, matchKey(['street', 'town'])];
    expect(linkRows(three, [...left, ['x', 'q', 'r', 's']], [...right, ['t', 'x', 'u']])).toEqual([
      { left: 0, right: 1, votes: 2 },
      { left: 2, right: 0, votes: 1 },
    ]);
    expect(linkRows([], [], [])).toEqual([]);
  });

  it('takes rows of one file that share two keys in three for one person, who is linked once', () => {
    // rows 0 and 1 are one person, row 2 shares a household's key with them; on the right each has one row
    const left = [
      ['n1', 'n1', 'n2'],
      ['d1', 'd1', 'd2'],
      ['h', 'h', 'h'],
      ['p1', null, 'p2'],
    ];
    const right = [
      ['n1', 'n2'],
      ['d1', 'd2'],
      ['h', 'h'],
      ['q1', 'p2'],
    ];
    const keys = [NAMES, DATE, HOUSEHOLD, FORENAME];
    expect(linkRows(keys, left, right)).toEqual([
      { left: 2, right: 1, votes: 3 },
      { left: 0, right: 0, votes: 2 },
    ]);
    expect(linkRows(keys, right, left)).toEqual([
      { left: 1, right: 2, votes: 3 },
      { left: 0, right: 0, votes: 2 },
    ]);
  });

  it('finds whoever has two records that too few keys join, and takes nobody of a household for another', () => {
    // two records of one person on the right share one key in three, each another with the person's record on the left
    const left = [['n'], ['d'], ['f']];
    const right = [
      ['n', 'n'],
      ['d', 'x'],
      ['y', 'z'],
    ];
    const found = linkRows([NAMES, DATE, FORENAME], left, right);
    expect(found).toEqual([{ left: 0, right: 0, votes: 2 }]);
    // a household's label that two people share proposes neither
    expect(linkRows([HOUSEHOLD], [['h']], [['h', 'h']])).toEqual([]);
    expect(linkRows([NAMES], [['n']], [['n', 'n']])).toEqual([{ left: 0, right: 0, votes: 1 }]);
  });

  it('finds as many with a key more, where people have up to six records (Febrl 1 with its duplicates among the originals)', () => {
    const without = DEFAULT_KEYS.filter((key) => !readsField(key, ['idNumber']));
    const [even, odd] = [part((row) => row % 2 === 0), part((row) => row % 2 === 1)];
    const [few, all] = [link(without, even, odd), link(DEFAULT_KEYS, even, odd)];
    expect([few.precision, all.precision]).toEqual([1, 1]);
    expect(all.recall).toBeGreaterThanOrEqual(few.recall);
  });
});
