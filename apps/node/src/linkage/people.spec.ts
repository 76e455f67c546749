import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { cellAt, cellToText, parentOf } from '#libs/grid';
import { canonicaliseQuery, type LinkedPeople, type Query } from '#libs/query';
import { askedAbout } from './linked-sets.js';
import { type People, parsePeople } from './people.js';

const dir = mkdtempSync(join(tmpdir(), 'concordat-people-'));
afterAll(() => rmSync(dir, { recursive: true }));

const COLUMNS =
  'person_id,category,month,role,local_authority,latitude,longitude,given_name,surname,date_of_birth,postcode';
const read = (...rows: string[]): People => {
  const file = join(dir, 'people.csv');
  writeFileSync(file, [COLUMNS, ...rows].join('\n'));
  return parsePeople(file, 'person_id');
};
const WHO = 'Ann,Lee,1980-02-01,BS1 4DJ';
const BRISTOL = cellAt(51.4545, -2.5879, 7);
const row = (id: string, month: string, authority: string, place: string, role = 'victim') =>
  `${id},asb,${month},${role},${authority},${place},${WHO}`;

describe('where people are known', () => {
  it('is kept as a cell of resolution 7, never as a place; a row may have none', () => {
    const { encounters } = read(
      row('1', '2024-01', 'E06000023', '51.4545,-2.5879'),
      row('2', '2024-01', '', ','),
    );
    expect(encounters.map(({ cell }) => cell)).toEqual([cellToText(BRISTOL), null]);
    expect(JSON.stringify(encounters)).not.toContain('51.4545');
  });

  it.each(['51.4545,', ',-2.5879', '0x33,1', '91,0', '51.4545,181', 'north,west', '1e1,2'])(
    'is refused without showing the value: %s',
    (place) => {
      let said = '';
      try {
        read(row('1', '2024-01', '', place));
      } catch (error) {
        expect(error).toMatchObject({ code: 'malformed-people' });
        said = String(error);
      }
      expect(said).toContain('row 2');
      for (const part of place.split(',').filter(({ length }) => length > 2)) {
        expect(said).not.toContain(part);
      }
    },
  );
});

describe('who is asked about', () => {
  const sides = { left: { agency: 'force' }, right: { agency: 'council' } };
  const query = (change: Partial<LinkedPeople>, resolution = 5): Query =>
    canonicaliseQuery({
      version: 1,
      measure: 'linked-people',
      categories: ['asb'],
      periods: ['2024-01/2024-06'],
      resolution,
      grid: 'ew-2026-1',
      gridHash: 'a'.repeat(64),
      agencies: ['council', 'force'],
      rho: '1',
      purpose: 'testing',
      linkage: { project: 'p', epoch: 'e', ...sides, area: 'E06000023', ...change },
    });
  const people = read(
    row('moved', '2024-01', 'E06000023', '51.4545,-2.5879'),
    row('moved', '2024-05', 'E06000022', '51.3811,-2.359'),
    row('stayed', '2024-06', 'E06000023', '51.4545,-2.5879'),
    row('came', '2024-04', 'E06000022', '51.3811,-2.359', 'suspect'),
    row('came', '2024-04', 'E06000023', '51.4545,-2.5879'),
    row('nowhere', '2024-02', '', ','),
    row('before', '2023-12', 'E06000023', '51.4545,-2.5879'),
  );
  const asked = (
    change: Partial<LinkedPeople>,
    resolution?: number,
    side: 'left' | 'right' = 'left',
  ) => {
    const wanted = query(change, resolution);
    return askedAbout(wanted, wanted.linkage as LinkedPeople, { side, people });
  };

  it('counts a person in the area of their latest encounter alone', () => {
    expect(asked({})).toEqual([1, 2]);
    expect(asked({ area: 'E06000022' })).toEqual([0]);
    expect(asked({ area: 'total' }, 4)).toEqual([0, 1, 2, 3]);
  });

  it('of those encounters that the question asks for', () => {
    const left = { agency: 'force', roles: ['suspect'] };
    expect(asked({ left })).toEqual([]);
    expect(asked({ left, area: 'E06000022' })).toEqual([2]);
  });

  it('in a cell of any resolution up to 7, and on the left side only', () => {
    for (const resolution of [4, 5, 6, 7] as const) {
      const area = cellToText(parentOf(BRISTOL, resolution));
      const inBoth =
        parentOf(cellAt(51.3811, -2.359, 7), resolution) === parentOf(BRISTOL, resolution);
      expect(asked({ area }, resolution)).toEqual(inBoth ? [0, 1, 2] : [1, 2]);
      expect(asked({ area }, resolution, 'right')).toEqual([0, 1, 2, 3]);
    }
  });
});
