import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cellAt, domainFromCells, sortedCells } from '#libs/grid';
import { type Mapping, parseMapping, parseTaxonomy } from '#libs/harmonise';
import { openRecords, type Records } from './records.js';

const taxonomy = parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8'));
const street = parseMapping(readFileSync('policies/mappings/police-uk-street.yaml', 'utf8'));
const domain = domainFromCells('test', sortedCells([cellAt(51.45, -2.59, 9)]));
const nowMs = Date.UTC(2025, 0, 10);

const HEADER =
  'Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,Last outcome category,Context';
const line = (
  id: string,
  { month = '2024-03', lon = '-2.59', lat = '51.45', lsoa = 'Bristol 001A', type = 'Drugs' } = {},
) => `${id},${month},Force,Force,${lon},${lat},On or near,E01014485,${lsoa},${type},,`;
const good = (id: string) => `${HEADER}\n${line(`${id}1`)}\n${line(`${id}2`)}\n`;

let dir: string;
let records: Records;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-records-'));
  mkdirSync(join(dir, 'in'));
  records = await openRecords({ dir: join(dir, 'store'), secret: new Uint8Array(32).fill(7) });
});
afterEach(async () => {
  await records.close();
  rmSync(dir, { recursive: true });
});

const put = (name: string, bytes: string | Uint8Array) => {
  const path = join(dir, 'in', name);
  writeFileSync(path, bytes);
  return { path };
};
const ingest = (files: { path: string }[], mapping: Mapping | readonly Mapping[] = street) =>
  records.ingestFiles({ dataset: 'incidents', files, mapping, taxonomy, domain, nowMs });

describe('a file that is refused', () => {
  const noise = Uint8Array.from({ length: 300 }, (_, i) => (i * 7919) % 256);
  const packed = gzipSync(good('x') + noise.join());
  it.each<[string, string, string | Uint8Array]>([
    ['empty', 'empty-file', ''],
    ['nothing but blank lines', 'empty-file', '\n \r\n\n'],
    ['an empty gzip', 'empty-file', gzipSync('')],
    ['a truncated gzip', 'truncated-gzip', packed.subarray(0, packed.length - 20)],
    ['a damaged gzip', 'corrupt-gzip', Uint8Array.from(packed, (b, i) => (i === 40 ? b ^ 255 : b))],
    ['a missing column', 'missing-column', good('x').replace('Crime type', 'Kind')],
    ['a column twice', 'duplicate-column', good('x').replace('Location', 'Month')],
    ['another delimiter', 'wrong-delimiter', good('x').replaceAll(',', '\t')],
    ['line ends of old Macintoshes', 'wrong-line-ends', good('x').replaceAll('\n', '\r')],
    ['UTF-16', 'not-text', Buffer.from(`\ufeff${good('x')}`, 'utf16le')],
    ['a zip archive', 'not-text', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0)],
    ['a header without end', 'missing-column', 'a'.repeat(200_000)],
  ])('%s: %s, and the others go on', async (_, code, bytes) => {
    const report = await ingest([
      put('a.csv', good('a')),
      put('bad.csv', bytes),
      put('c.csv', good('c')),
    ]);
    expect(report.files.map(({ status }) => status)).toEqual(['ingested', 'refused', 'ingested']);
    expect(report.files[1]).toMatchObject({ code, rows: 0, located: 0, rejected: {} });
    expect(report.totals).toMatchObject({ rows: 4, located: 4 });
    expect(await records.summary('incidents')).toEqual({ ...report.totals, categories: ['drugs'] });
  });

  it('is none whose header starts like a zip archive', async () => {
    const bytes = good('x').replace('Crime ID', 'PK').replaceAll('x', '');
    const { id: _, ...mapping } = street;
    expect((await ingest([put('pk.csv', bytes)], mapping)).totals).toMatchObject({ located: 2 });
  });

  it('is one that vanished, or a folder', async () => {
    mkdirSync(join(dir, 'in', 'folder'));
    const report = await ingest([
      { path: join(dir, 'in', 'gone.csv') },
      { path: join(dir, 'in', 'folder') },
    ]);
    expect(report.files.map(({ code }) => code)).toEqual(['file-missing', 'file-unreadable']);
    await expect(records.version('incidents')).rejects.toMatchObject({ code: 'unknown-dataset' });
  });

  it('leaves what was held under its name', async () => {
    await ingest([put('a.csv.gz', gzipSync(good('a')))]);
    const before = await records.version('incidents');
    const bad = gzipSync(good('a') + good('b').repeat(9000)).subarray(0, -9);
    expect((await ingest([put('a.csv.gz', bad)])).files[0]).toMatchObject({
      code: 'truncated-gzip',
    });
    expect(await records.version('incidents')).toEqual(before);
    expect(await records.summary('incidents')).toMatchObject({ rows: 2, located: 2 });
  });

  it('is one that no mapping recognises', async () => {
    const other = { ...street, recognise: ['Something else'] };
    const report = await ingest(
      [put('a.csv', good('a')), put('b.csv', 'x,y\n1,2\n')],
      [other, street],
    );
    expect(report.files.map(({ code }) => code)).toEqual([undefined, 'unknown-format']);
  });

  it('is the second of a name in one run, unless its content is held', async () => {
    const files = [put('b.csv', good('b')), put('a.csv', good('a'))];
    const same = put('a.csv.gz', gzipSync(good('a')));
    expect((await ingest([...files, same])).files.map(({ status }) => status)).toEqual([
      'ingested',
      'ingested',
      'unchanged',
    ]);
    for (const content of [good('b'), good('c')]) {
      const report = await ingest([...files, put('a.csv.gz', gzipSync(content))]);
      expect(report.files[2]).toMatchObject({ status: 'refused', code: 'name-twice' });
      expect(await records.summary('incidents')).toMatchObject({ located: 4 });
    }
  });
});

describe('a file is read', () => {
  const quoted = good('x').replace(/[^,\n]+/g, '"$&"');
  it.each([
    ['with every value quoted', quoted],
    ['with CRLF', good('x').replaceAll('\n', '\r\n')],
    ['quoted and with CRLF', quoted.replaceAll('\n', '\r\n')],
    ['with a byte order mark', `\ufeff${good('x')}`],
    ['with a byte order mark, quoted, CRLF', `\ufeff${quoted.replaceAll('\n', '\r\n')}`],
    ['without a last line end', good('x').trimEnd()],
    ['with blank lines', `\n\r\n${good('x').replaceAll('\n', '\n\n')}`],
  ])('%s', async (_, text) => {
    expect((await ingest([put('a.csv', text)])).totals).toMatchObject({ rows: 2, located: 2 });
  });

  it('whatever the delimiter, where the mapping says auto', async () => {
    const mapping = { ...street, format: { ...street.format, delimiter: 'auto' as const } };
    const files = [',', '\t', ';', '|'].map((mark, i) =>
      put(`${i}.csv`, good(`${i}`).replaceAll(',', mark)),
    );
    expect((await ingest(files, mapping)).totals).toMatchObject({ rows: 8, located: 8 });
  });
});

describe('rows that are refused', () => {
  it('include one with a NUL byte right after the header', async () => {
    const report = await ingest([put('n.csv', `${HEADER}\n${line('n\0')}\n${line('o')}\n`)]);
    expect(report.totals).toMatchObject({ located: 1, rejected: { 'malformed-row': 1 } });
  });

  it('are each counted by reason, and every row is counted once', async () => {
    const rows = [
      line('ok'),
      line('ok'),
      line('nowhere', { lon: '', lat: '' }),
      line('elsewhere', { lon: '-74', lat: '40.7' }),
      line('no lsoa', { lsoa: '' }),
      line('s', { lon: '51.45', lat: '-2.59' }),
      line('z', { lon: '0', lat: '0' }),
      line('h', { lon: '' }),
      line('f', { month: '2025-02' }),
      line('d', { month: '2024-13' }),
      line('m', { month: '' }),
      line('t', { type: 'Unheard of' }),
      line('n').replace('Force', 'For\0ce'),
      line('q').replace('Force', '"Force'),
      'too,few',
      `${line('w')},more`,
    ];
    const bytes = Buffer.concat([
      Buffer.from(`\ufeff${HEADER}\r\n${rows.join('\r\n')}\r\n`),
      Buffer.from(`${line('l').replace('On or near', 'Caf\xe9')}\n`, 'latin1'),
    ]);
    const report = await ingest([put('mixed.csv', bytes)]);
    expect(report.totals).toEqual({
      rows: 17,
      located: 3,
      noLocation: 1,
      outside: 1,
      duplicates: 1,
      rejected: {
        'bad-coordinates': 1,
        'bad-date': 1,
        'bad-encoding': 1,
        'future-date': 1,
        'malformed-row': 2,
        'missing-date': 1,
        'swapped-coordinates': 1,
        'too-few-fields': 1,
        'too-many-fields': 1,
        'unknown-category': 1,
        'zero-coordinates': 1,
      },
    });
  });

  it('are none for latin-1 bytes when the mapping says so', async () => {
    const mapping = { ...street, format: { ...street.format, encoding: 'latin1' as const } };
    const bytes = Buffer.from(
      `${HEADER}\n${line('l').replace('On or near', 'Caf\xe9')}\n`,
      'latin1',
    );
    expect((await ingest([put('l.csv', bytes)], mapping)).totals).toMatchObject({
      located: 1,
      rejected: {},
    });
  });

  it('are taken once their date is due', async () => {
    const file = put('f.csv', `${HEADER}\n${line('f', { month: '2025-02' })}\n`);
    expect((await ingest([file])).totals).toMatchObject({
      located: 0,
      rejected: { 'future-date': 1 },
    });
    const later = { dataset: 'incidents', files: [file], mapping: street, taxonomy, domain };
    const again = await records.ingestFiles({ ...later, nowMs: Date.UTC(2025, 1, 2) });
    expect(again.files[0]).toMatchObject({ status: 'revised', located: 1, rejected: {} });
  });

  it('include a line of 256 MB, which is never held in memory', async () => {
    const path = join(dir, 'in', 'long.csv.gz');
    const block = Buffer.alloc(1 << 20, 'x');
    function* pieces() {
      yield `${HEADER}\n${line('a')}\n"`;
      for (let i = 0; i < 256; i++) yield block;
      yield `\n${line('b')}\n`;
    }
    await pipeline(Readable.from(pieces()), createGzip({ level: 1 }), createWriteStream(path));
    let peak = 0;
    const before = process.memoryUsage().rss;
    const report = await records.ingestFiles({
      dataset: 'incidents',
      files: [{ path }],
      mapping: street,
      taxonomy,
      domain,
      nowMs,
      onProgress: () => {
        peak = Math.max(peak, process.memoryUsage().rss - before);
      },
    });
    expect(report.totals).toMatchObject({ rows: 3, located: 2, rejected: { 'row-too-long': 1 } });
    expect(peak).toBeLessThan(160 << 20);
  });
});
