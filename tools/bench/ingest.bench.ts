/** Ingest of the sample police force (156,000 rows, 12 gzip files) in one process, and the count of a year from it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { findArea, parseAreas } from '#libs/grid';
import { parseAgency, parseMapping, parseTaxonomy } from '#libs/harmonise';
import { openRecords } from '#libs/records';
import type { Emit } from './line.js';

const FOLDER = 'samples/agencies/avon-and-somerset-police';
const NOW_MS = Date.UTC(2026, 0, 1);

export async function run(emit: Emit): Promise<void> {
  const agency = parseAgency(readFileSync(join(FOLDER, 'agency.yaml'), 'utf8'));
  const areas = parseAreas(gunzipSync(readFileSync('samples/grid/areas.json.gz')).toString('utf8'));
  const domain = findArea(areas, 'force', 'avon-and-somerset').domain();
  const taxonomy = parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8'));
  const mapping = parseMapping(readFileSync('policies/mappings/police-uk-street.yaml', 'utf8'));
  const files = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.gz'))
    .sort()
    .map((name) => ({ path: join(FOLDER, name) }));
  const dir = mkdtempSync(join(tmpdir(), 'concordat-bench-'));
  const records = await openRecords({ dir, secret: new Uint8Array(32).fill(1) });
  try {
    const categories = agency.datasets[0]?.categories;
    const request = {
      dataset: 'incidents',
      files,
      mapping,
      taxonomy,
      categories,
      domain,
      nowMs: NOW_MS,
    };
    const seconds = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
      const start = performance.now();
      return [await work(), (performance.now() - start) / 1000];
    };
    const [first, firstSeconds] = await seconds(() => records.ingestFiles(request));
    const rowsPerSecond = first.totals.rows / firstSeconds;

    // The peer does less: it only splits the same bytes into fields.
    const texts = files.map(({ path }) => gunzipSync(readFileSync(path)));
    const [, parseSeconds] = await seconds(async () => texts.map((text) => parse(text).length));
    emit({
      name: 'ingest',
      figure: Math.round(rowsPerSecond),
      unit: 'rows/s',
      peer: 'csv-parse, splitting only',
      ratio: (rowsPerSecond * parseSeconds) / first.totals.rows,
    });

    const [, againSeconds] = await seconds(() => records.ingestFiles(request));
    emit({
      name: 'ingest-unchanged',
      figure: Math.round(first.totals.rows / againSeconds),
      unit: 'rows/s',
    });

    const { months } = await records.version('incidents');
    const groups = (categories ?? []).flatMap((category) =>
      months.map((period) => ({ category, period })),
    );
    const [, countSeconds] = await seconds(() =>
      records.count({ dataset: 'incidents', groups, leaves: domain.cells, resolution: 9 }),
    );
    emit({
      name: `count-${groups.length}-groups-x-${domain.cells.length}-cells`,
      figure: Math.round(countSeconds * 1000),
      unit: 'ms',
    });
  } finally {
    await records.close();
    rmSync(dir, { recursive: true });
  }
}
