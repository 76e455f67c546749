import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { cellAt, domainFromCells, parentOf, sortedCells, widen } from '#libs/grid';
import type { Mapping } from '#libs/harmonise';
import { csv, here, row, StoreOfEachTest, street } from './record-store.fixture-spec.js';

const store = new StoreOfEachTest();
const { put, ingest, count } = store;

describe('counts', () => {
  it('equal a plain count of the sample files, at every resolution and in every window', async () => {
    const folder = 'samples/agencies/city-of-london-police';
    const files = readdirSync(folder)
      .filter((name) => name.endsWith('.gz'))
      .sort();
    const seen = new Set<string>();
    const kept = files.flatMap((name) =>
      (
        parse(gunzipSync(readFileSync(join(folder, name))), { columns: true }) as Record<
          string,
          string
        >[]
      ).filter((record) => {
        const key = record['Crime ID'] ? `${record.Month} ${record['Crime ID']}` : '';
        if (key !== '' && seen.has(key)) return false;
        seen.add(key);
        return record.Longitude !== '';
      }),
    );
    const cellOf = (record: Record<string, string>) =>
      cellAt(Number(record.Latitude), Number(record.Longitude), 9);
    const cells = sortedCells(kept.map(cellOf));
    // Half of the places, and cells where nothing ever happened.
    const half = domainFromCells(
      'half',
      widen(
        cells.filter((_, i) => i % 2 === 0),
        0,
      ),
    );
    const area = sortedCells([
      ...half.cells,
      ...widen(cells, 4).filter((cell) => !cells.includes(cell)),
    ]);
    const report = await ingest(
      files.map((name) => ({ path: join(folder, name) })),
      {
        domain: domainFromCells('area', area),
      },
    );
    const inside = new Set(area);
    expect(report.totals).toMatchObject({
      located: kept.length,
      outside: kept.filter((record) => !inside.has(cellOf(record))).length,
    });
    expect(report.totals.outside).toBeGreaterThan(100);

    const groups = [
      { category: 'asb', period: '2024-01/2024-12', label: 'Anti-social behaviour' },
      { category: 'shoplifting', period: '2024-05', label: 'Shoplifting' },
      { category: 'shoplifting', period: '2024-04/2024-06', label: 'Shoplifting' },
      { category: 'weapons', period: '2019-01', label: 'none' },
    ];
    for (const resolution of [9, 7] as const) {
      const leaves = sortedCells([...area].map((cell) => parentOf(cell, resolution)));
      const expected = groups.flatMap(({ period, label }) => {
        const [from = '', to = from] = period.split('/');
        const counts = new Map<bigint, number>();
        for (const record of kept) {
          const month = record.Month ?? '';
          if (record['Crime type'] !== label || month < from || month > to) continue;
          const cell = parentOf(cellOf(record), resolution);
          counts.set(cell, (counts.get(cell) ?? 0) + 1);
        }
        return Array.from(leaves, (cell) => counts.get(cell) ?? 0);
      });
      expect(await count({ groups, leaves, resolution })).toEqual(expected);
    }
  });

  it('refuse malformed periods and unsorted cells', async () => {
    await ingest([put('a.csv', csv(row('1')))]);
    const period = (text: string) => count({ groups: [{ category: 'drugs', period: text }] });
    await expect(period('2024')).rejects.toMatchObject({ code: 'malformed-month' });
    await expect(period('2024-03/2024-02')).rejects.toMatchObject({ code: 'malformed-period' });
    await expect(period('2024-01/2024-02/2024-03')).rejects.toMatchObject({
      code: 'malformed-period',
    });
    await expect(count({ leaves: BigUint64Array.of(here, here) })).rejects.toMatchObject({
      code: 'unsorted-cells',
    });
    await expect(count({ dataset: 'others' })).rejects.toMatchObject({ code: 'unknown-dataset' });
  });
});

describe('where rows name persons', () => {
  const mapping: Mapping = { ...street, person: 'Falls within' };
  const of = (person: string, id: string, month = '2024-03', type = 'Drugs') =>
    row(id, { month, type }).replace('Force', person);

  it('bounds by two comparisons, over all categories, the same on every ask', async () => {
    const rows = [
      ...Array.from({ length: 5 }, (_, i) => of('P', `d${i}`)),
      ...Array.from({ length: 4 }, (_, i) => of('P', `r${i}`, '2024-03', 'Robbery')),
      ...Array.from({ length: 6 }, (_, i) => of('P', '', `2024-0${i + 4}`)),
      of('Q', 'q'),
      of('', 'x'),
      of('', ''),
    ];
    await ingest([put('a.csv', csv(...rows))], { mapping });
    expect((await store.records.version('incidents')).unit).toBe('person');
    const groups = ['drugs', 'robbery'].flatMap((category) =>
      Array.from({ length: 7 }, (_, i) => ({ category, period: `2024-0${i + 3}` })),
    );
    for (const [perMonth, perYear] of [
      [1, 1],
      [1, 3],
      [2, 5],
      [3, 4],
      [9, 15],
    ] as const) {
      const bounds = { perMonth, perYear };
      const counts = await count({ groups, bounds });
      const others = 3;
      const all = counts.reduce((sum, n) => sum + n, 0) - others;
      const march = (counts[0] ?? 0) + (counts[7] ?? 0) - others;
      expect(all).toBeLessThanOrEqual(perYear);
      expect(march).toBeLessThanOrEqual(perMonth);
      expect(await count({ groups, bounds })).toEqual(counts);
    }
    const bounds = { perMonth: 9, perYear: 15 };
    expect((await count({ groups, bounds })).reduce((sum, n) => sum + n, 0)).toBe(18);
  });

  it('refuses to count without bounds or over windows of months', async () => {
    await ingest([put('a.csv', csv(of('P', '1')))], { mapping });
    await expect(count()).rejects.toMatchObject({ code: 'missing-bounds' });
    const groups = [{ category: 'drugs', period: '2024-03/2024-04' }];
    await expect(count({ groups, bounds: { perMonth: 1, perYear: 1 } })).rejects.toMatchObject({
      code: 'unbounded-window',
    });
  });
});
