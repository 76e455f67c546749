import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { cellAt, domainFromCells, parentOf, sortedCells, widen } from '#libs/grid';
import { type Mapping, parseMapping, parseTaxonomy } from '#libs/harmonise';
import type { CountRequest } from './count.js';
import type { IngestRequest } from './ingest.js';
import { openRecords, type Records } from './records.js';

const taxonomy = parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8'));
const readMapping = (name: string) =>
  parseMapping(readFileSync(`policies/mappings/${name}.yaml`, 'utf8'));
const street = readMapping('police-uk-street');
const here = cellAt(51.45, -2.59, 9);
const domain = domainFromCells('test', widen(BigUint64Array.of(here), 2));
const nowMs = Date.UTC(2025, 0, 10);
const secret = new Uint8Array(32).fill(7);

const HEADER = 'Crime ID,Month,Falls within,Longitude,Latitude,Crime type';
const row = (id: string, { month = '2024-03', type = 'Drugs', lat = '51.45' } = {}) =>
  `${id},${month},Force,-2.59,${lat},${type}`;
const csv = (...rows: string[]) => `${[HEADER, ...rows].join('\n')}\n`;

let dir: string;
let records: Records;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-records-'));
  records = await openRecords({ dir: join(dir, 'store'), secret });
});
afterEach(async () => {
  await records.close();
  rmSync(dir, { recursive: true });
});

const put = (name: string, bytes: string | Uint8Array) => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return { path };
};
const ingest = (files: IngestRequest['files'], options: Partial<IngestRequest> = {}) =>
  records.ingestFiles({
    dataset: 'incidents',
    files,
    mapping: street,
    taxonomy,
    domain,
    nowMs,
    ...options,
  });
const count = async (request: Partial<CountRequest> = {}) =>
  Array.from(
    await records.count({
      dataset: 'incidents',
      groups: [{ category: 'drugs', period: '2024-03' }],
      leaves: BigUint64Array.of(here),
      resolution: 9,
      ...request,
    }),
  );
const statuses = async (...files: { path: string }[]) =>
  (await ingest(files)).files.map(({ status }) => status);

describe('row identity', () => {
  it('takes rows without a Crime ID as different, also when all is equal', async () => {
    await ingest([put('a.csv', csv(row(''), row(''), row('')))]);
    expect(await count()).toEqual([3]);
  });

  it('takes one Crime ID in one month as one incident, also across files', async () => {
    const a = put('a.csv', csv(row('1'), row('1'), row('2'), row('1', { month: '2024-02' })));
    const report = await ingest([a, put('b.csv', csv(row('2'), row('3')))]);
    expect(report.files.map(({ duplicates }) => duplicates)).toEqual([1, 1]);
    expect(await count()).toEqual([3]);
    expect(await count({ groups: [{ category: 'drugs', period: '2024-02' }] })).toEqual([1]);
  });

  it('keeps the first by file name and row, whatever order files arrive in', async () => {
    const later = put('b.csv', csv(row('1', { type: 'Drugs' })));
    const first = put('a.csv', csv(row('1', { type: 'Robbery' })));
    await ingest([later]);
    expect(await count()).toEqual([1]);
    const report = await ingest([first]);
    expect(report.totals.duplicates).toBe(0);
    expect(await count()).toEqual([0]);
    expect((await records.summary('incidents')).duplicates).toBe(1);
  });
});

describe('re-sending', () => {
  it('changes nothing: same file, other name, unpacked or packed again', async () => {
    const text = csv(row('1'), row(''));
    await ingest([put('a.csv', text)]);
    const before = await records.version('incidents');
    expect(
      await statuses(
        put('a.csv', text),
        put('copy.csv', text),
        put('c.csv.gz', gzipSync(text, { level: 1 })),
      ),
    ).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(await records.version('incidents')).toEqual(before);
    expect(await count()).toEqual([2]);
  });

  it('of other content under a name takes the place of the earlier, packed or not', async () => {
    await ingest([put('a.csv', csv(row('1'), row('')))]);
    const before = await records.version('incidents');
    const revised = put('a.csv.gz', gzipSync(csv(row('1'))));
    expect(await statuses(revised)).toEqual(['revised']);
    expect(await count()).toEqual([1]);
    expect((await records.version('incidents')).digest).not.toBe(before.digest);
    expect(await statuses(put('a.csv', csv(row('1'), row(''))))).toEqual(['revised']);
    expect(await records.version('incidents')).toEqual(before);
  });

  it('of content that another name holds still drops what the name held', async () => {
    await ingest([put('a.csv', csv(row('1'))), put('b.csv', csv(row('2'), row('3')))]);
    expect(await statuses(put('b.csv', csv(row('1'))))).toEqual(['revised']);
    expect(await count()).toEqual([1]);
    expect(await records.summary('incidents')).toMatchObject({ rows: 1 });
  });

  it('reads a file again when its mapping changed', async () => {
    const file = put('a.csv', csv(row('1')));
    await ingest([file]);
    const mapping: Mapping = { ...street, category: { constant: 'asb' } };
    expect((await ingest([file], { mapping })).files[0]?.status).toBe('revised');
    expect(await count()).toEqual([0]);
    expect(await count({ groups: [{ category: 'asb', period: '2024-03' }] })).toEqual([1]);
    expect((await records.version('incidents')).categories).toEqual(['asb']);
  });

  it('is unchanged by a mapping that was added to those offered, or by a title', async () => {
    const file = put('a.csv', csv(row('1')));
    await ingest([file], { mapping: [street] });
    const before = await records.version('incidents');
    const mapping = [readMapping('bristol-asb'), { ...street, title: 'Another' }];
    expect((await ingest([file], { mapping })).files[0]?.status).toBe('unchanged');
    expect(await records.version('incidents')).toEqual(before);
  });

  it('in parallel comes to the same as one after the other', async () => {
    const files = Array.from({ length: 6 }, (_, i) => put(`${i}.csv`, csv(row(`${i}`), row('x'))));
    await Promise.all([...files, ...files].map((file) => ingest([file])));
    expect(await count()).toEqual([7]);
  });
});

describe('weeks', () => {
  const days = readMapping('dated-reports');
  const dated = (...on: string[]) =>
    put(
      'reports.csv',
      `reported_on,category,longitude,latitude\n${on.map((day) => `${day},drugs,-2.59,51.45\n`).join('')}`,
    );
  const weeks = (...periods: string[]): Partial<CountRequest> => ({
    groups: periods.map((period) => ({ category: 'drugs', period })),
  });

  it('are held from the first recorded day to the last, and counted by their days', async () => {
    // 2024-W05 runs from 29 January to 4 February.
    await ingest(
      [
        dated(
          ...['2024-01-24', '2024-01-28', '2024-01-29', '2024-01-31', '2024-02-01', '2024-02-04'],
          ...['2024-02-05', '2024-02-14'],
        ),
      ],
      { mapping: days },
    );
    const version = await records.version('incidents');
    expect(version.months).toEqual(['2024-01', '2024-02']);
    expect(version.weeks).toEqual(['2024-W05', '2024-W06']);
    expect(await count(weeks('2024-W04', '2024-W05', '2024-W06', '2024-W07'))).toEqual([
      2, 4, 1, 1,
    ]);
    expect(await count(weeks('2024-01', '2024-02'))).toEqual([4, 4]);
    await expect(count(weeks('2024-01', '2024-W05'))).rejects.toMatchObject({
      code: 'malformed-period',
    });
  });

  it('are not held by months, not even where a month is written as its first day', async () => {
    const monthly: Mapping = { ...days, time: { ...days.time, precision: undefined } };
    await ingest([dated('2024-01-01', '2024-02-01', '2024-03-01')], { mapping: monthly });
    expect(await records.version('incidents')).toMatchObject({
      months: ['2024-01', '2024-02', '2024-03'],
      weeks: [],
    });
    expect(await count(weeks('2024-W05'))).toEqual([0]);
  });

  it('lack where a month between is not held, or one row of it has no day', async () => {
    await ingest([dated('2024-01-01', '2024-01-31', '2024-03-01', '2024-03-31')], {
      mapping: days,
    });
    const gap = await records.version('incidents');
    expect(gap.weeks).not.toContain('2024-W05');
    expect(gap.weeks).not.toContain('2024-W07');
    expect(gap.weeks).toEqual([
      ...['2024-W01', '2024-W02', '2024-W03', '2024-W04'],
      ...['2024-W10', '2024-W11', '2024-W12', '2024-W13'],
    ]);
    await ingest([put('months.csv', csv(row('1')))]);
    expect((await records.version('incidents')).weeks).toEqual([
      ...['2024-W01', '2024-W02', '2024-W03', '2024-W04'],
    ]);
  });
});

describe('a version', () => {
  it('says months and declared categories and survives a restart', async () => {
    await ingest([put('a.csv', csv(row('1'), row('2', { month: '2023-12' })))], {
      categories: ['robbery', 'drugs'],
    });
    const version = await records.version('incidents');
    expect(version).toMatchObject({
      months: ['2023-12', '2024-03'],
      categories: ['drugs', 'robbery'],
      unit: 'incident',
    });
    await records.close();
    records = await openRecords({ dir: join(dir, 'store'), secret });
    expect(await records.version('incidents')).toEqual(version);
    expect(await count({ version: version.digest })).toEqual([1]);
    await expect(count({ version: 'f'.repeat(64) })).rejects.toMatchObject({
      code: 'version-changed',
    });
  });

  it('is keyed: the same files under another secret have another digest', async () => {
    const file = put('a.csv', csv(row('1')));
    await ingest([file]);
    const other = await openRecords({ dir: join(dir, 'other'), secret: new Uint8Array(32) });
    await other.ingestFiles({
      dataset: 'incidents',
      files: [file],
      mapping: street,
      taxonomy,
      domain,
      nowMs,
    });
    expect((await other.version('incidents')).digest).not.toBe(
      (await records.version('incidents')).digest,
    );
    await other.close();
  });

  it('does not open under another secret, nor what is no index', async () => {
    await records.close();
    await expect(
      openRecords({ dir: join(dir, 'store'), secret: new Uint8Array(32) }),
    ).rejects.toMatchObject({ code: 'wrong-secret' });
    await expect(openRecords({ dir, secret: new Uint8Array(16) })).rejects.toMatchObject({
      code: 'bad-secret',
    });
    writeFileSync(join(dir, 'records.duckdb'), 'no database');
    await expect(openRecords({ dir, secret })).rejects.toMatchObject({
      code: 'records-unreadable',
    });
    records = await openRecords({ dir: join(dir, 'store'), secret });
  });
});

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
    expect((await records.version('incidents')).unit).toBe('person');
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

describe('nothing but counts comes out', () => {
  it('keeps canaries of every raw field out of reports, errors, versions and the index', async () => {
    const canary = (n: number) => `CANARY${n}`;
    const columns = [...HEADER.split(','), 'Extra'];
    const lines = columns.map((_, wrong) => {
      const values = ['id', '2024-03', 'Force', '-2.59', '51.45', 'Drugs', 'x'];
      return values.map((value, i) => (i === wrong ? canary(i) : value)).join(',');
    });
    const text = `${columns.join(',')}\n${lines.join('\n')}\n${canary(8)}\n"${canary(9)}\n`;
    const mapping: Mapping = { ...street, person: 'Falls within' };
    const heard: unknown[] = [];
    const report = await ingest([put('a.csv', text)], {
      mapping,
      onProgress: (progress) => heard.push(progress),
    });
    heard.push(report, await ingest([put('b.csv', csv(canary(10)).replace('Month', canary(11)))]));
    heard.push(await records.version('incidents'), await records.summary('incidents'));
    const fault = await count({ groups: [{ category: canary(12), period: canary(13) }] }).catch(
      (error: Error) => [error.message, error.stack],
    );
    heard.push(fault);
    expect(report.totals).toMatchObject({ rows: 9, located: 3, duplicates: 0 });
    expect(JSON.stringify(heard)).not.toContain('CANARY');
    await records.close();
    for (const file of readdirSync(join(dir, 'store'))) {
      expect(readFileSync(join(dir, 'store', file)).includes('CANARY')).toBe(false);
    }
    records = await openRecords({ dir: join(dir, 'store'), secret });
    expect(Object.keys(records).sort()).toEqual([
      'close',
      'count',
      'ingestFiles',
      'summary',
      'version',
    ]);
  });
});
