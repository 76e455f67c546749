import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { Mapping } from '#libs/harmonise';
import type { CountRequest } from './count.js';
import {
  csv,
  domain,
  HEADER,
  nowMs,
  readMapping,
  row,
  StoreOfEachTest,
  secret,
  street,
  taxonomy,
} from './record-store.fixture-spec.js';
import { openRecords } from './records.js';

const store = new StoreOfEachTest();
const { put, ingest, count } = store;
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
    expect((await store.records.summary('incidents')).duplicates).toBe(1);
  });
});

describe('re-sending', () => {
  it('changes nothing: same file, other name, unpacked or packed again', async () => {
    const text = csv(row('1'), row(''));
    await ingest([put('a.csv', text)]);
    const before = await store.records.version('incidents');
    expect(
      await statuses(
        put('a.csv', text),
        put('copy.csv', text),
        put('c.csv.gz', gzipSync(text, { level: 1 })),
      ),
    ).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(await store.records.version('incidents')).toEqual(before);
    expect(await count()).toEqual([2]);
  });

  it('of other content under a name takes the place of the earlier, packed or not', async () => {
    await ingest([put('a.csv', csv(row('1'), row('')))]);
    const before = await store.records.version('incidents');
    const revised = put('a.csv.gz', gzipSync(csv(row('1'))));
    expect(await statuses(revised)).toEqual(['revised']);
    expect(await count()).toEqual([1]);
    expect((await store.records.version('incidents')).digest).not.toBe(before.digest);
    expect(await statuses(put('a.csv', csv(row('1'), row(''))))).toEqual(['revised']);
    expect(await store.records.version('incidents')).toEqual(before);
  });

  it('of content that another name holds still drops what the name held', async () => {
    await ingest([put('a.csv', csv(row('1'))), put('b.csv', csv(row('2'), row('3')))]);
    expect(await statuses(put('b.csv', csv(row('1'))))).toEqual(['revised']);
    expect(await count()).toEqual([1]);
    expect(await store.records.summary('incidents')).toMatchObject({ rows: 1 });
  });

  it('reads a file again when its mapping changed', async () => {
    const file = put('a.csv', csv(row('1')));
    await ingest([file]);
    const mapping: Mapping = { ...street, category: { constant: 'asb' } };
    expect((await ingest([file], { mapping })).files[0]?.status).toBe('revised');
    expect(await count()).toEqual([0]);
    expect(await count({ groups: [{ category: 'asb', period: '2024-03' }] })).toEqual([1]);
    expect((await store.records.version('incidents')).categories).toEqual(['asb']);
  });

  it('is unchanged by a mapping that was added to those offered, or by a title', async () => {
    const file = put('a.csv', csv(row('1')));
    await ingest([file], { mapping: [street] });
    const before = await store.records.version('incidents');
    const mapping = [readMapping('bristol-asb'), { ...street, title: 'Another' }];
    expect((await ingest([file], { mapping })).files[0]?.status).toBe('unchanged');
    expect(await store.records.version('incidents')).toEqual(before);
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
    const version = await store.records.version('incidents');
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
    expect(await store.records.version('incidents')).toMatchObject({
      months: ['2024-01', '2024-02', '2024-03'],
      weeks: [],
    });
    expect(await count(weeks('2024-W05'))).toEqual([0]);
  });

  it('lack where a month between is not held, or one row of it has no day', async () => {
    await ingest([dated('2024-01-01', '2024-01-31', '2024-03-01', '2024-03-31')], {
      mapping: days,
    });
    const gap = await store.records.version('incidents');
    expect(gap.weeks).not.toContain('2024-W05');
    expect(gap.weeks).not.toContain('2024-W07');
    expect(gap.weeks).toEqual([
      ...['2024-W01', '2024-W02', '2024-W03', '2024-W04'],
      ...['2024-W10', '2024-W11', '2024-W12', '2024-W13'],
    ]);
    await ingest([put('months.csv', csv(row('1')))]);
    expect((await store.records.version('incidents')).weeks).toEqual([
      ...['2024-W01', '2024-W02', '2024-W03', '2024-W04'],
    ]);
  });
});

describe('a version', () => {
  it('says months and declared categories and survives a restart', async () => {
    await ingest([put('a.csv', csv(row('1'), row('2', { month: '2023-12' })))], {
      categories: ['robbery', 'drugs'],
    });
    const version = await store.records.version('incidents');
    expect(version).toMatchObject({
      months: ['2023-12', '2024-03'],
      categories: ['drugs', 'robbery'],
      unit: 'incident',
    });
    await store.records.close();
    await store.open();
    expect(await store.records.version('incidents')).toEqual(version);
    expect(await count({ version: version.digest })).toEqual([1]);
    await expect(count({ version: 'f'.repeat(64) })).rejects.toMatchObject({
      code: 'version-changed',
    });
  });

  it('is keyed: the same files under another secret have another digest', async () => {
    const file = put('a.csv', csv(row('1')));
    await ingest([file]);
    const other = await openRecords({ dir: join(store.dir, 'other'), secret: new Uint8Array(32) });
    await other.ingestFiles({
      dataset: 'incidents',
      files: [file],
      mapping: street,
      taxonomy,
      domain,
      nowMs,
    });
    expect((await other.version('incidents')).digest).not.toBe(
      (await store.records.version('incidents')).digest,
    );
    await other.close();
  });

  it('does not open under another secret, nor what is no index', async () => {
    await store.records.close();
    await expect(
      openRecords({ dir: join(store.dir, 'store'), secret: new Uint8Array(32) }),
    ).rejects.toMatchObject({ code: 'wrong-secret' });
    await expect(openRecords({ dir: store.dir, secret: new Uint8Array(16) })).rejects.toMatchObject(
      {
        code: 'bad-secret',
      },
    );
    writeFileSync(join(store.dir, 'records.duckdb'), 'no database');
    await expect(openRecords({ dir: store.dir, secret })).rejects.toMatchObject({
      code: 'records-unreadable',
    });
    await store.open();
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
    heard.push(await store.records.version('incidents'), await store.records.summary('incidents'));
    const fault = await count({ groups: [{ category: canary(12), period: canary(13) }] }).catch(
      (error: Error) => [error.message, error.stack],
    );
    heard.push(fault);
    expect(report.totals).toMatchObject({ rows: 9, located: 3, duplicates: 0 });
    expect(JSON.stringify(heard)).not.toContain('CANARY');
    await store.records.close();
    for (const file of readdirSync(join(store.dir, 'store'))) {
      expect(readFileSync(join(store.dir, 'store', file)).includes('CANARY')).toBe(false);
    }
    await store.open();
    expect(Object.keys(store.records).sort()).toEqual([
      'close',
      'count',
      'ingestFiles',
      'summary',
      'version',
    ]);
  });
});
