/**
 * Makes samples/dated-reports/: half a year of incidents whose days are known, as two councils would export them.
 *
 *   npm run build && node dist/tools/make-dated-samples.js SOURCE_FOLDER
 *
 * SOURCE_FOLDER has us/chicago_aggravated_assaults.csv.gz and geo/chicago_police_districts.geojson.gz. Rows are selected by day and by the
 * side of a parallel on which their cell lies, three columns kept and one added; no value is changed but that times are cut off days.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { cellAt, cellCentre, domainFromCells, formatDomainFile } from '#libs/grid';
import { areaCells } from '../apps/cli/src/analyse/area-cells.js';

const source = process.argv[2];
if (source === undefined) throw new Error('name the folder of the open data');

/** Whole ISO weeks: 2016-W01 to 2016-W26. */
const FIRST_DAY = '2016-01-04';
const LAST_DAY = '2016-07-03';
const PARALLEL = 41.84;
const COLUMNS = 'reported_on,category,longitude,latitude';

const target = join('samples', 'dated-reports');
mkdirSync(target, { recursive: true });
const rows = parse(
  gunzipSync(readFileSync(join(source, 'us', 'chicago_aggravated_assaults.csv.gz'))),
  { columns: true },
) as Readonly<Record<'date' | 'longitude' | 'latitude', string>>[];
const cells = areaCells(join(source, 'geo', 'chicago_police_districts.geojson.gz'), new Set(), 9);
const isNorth = (cell: bigint): boolean => cellCentre(cell).latitude >= PARALLEL;

for (const name of ['north', 'south'] as const) {
  const isOurs = (cell: bigint): boolean => isNorth(cell) === (name === 'north');
  const lines = rows
    .map(({ date, longitude, latitude }) => ({ day: date.slice(0, 10), longitude, latitude }))
    .filter(({ day }) => day >= FIRST_DAY && day <= LAST_DAY)
    .filter(({ longitude, latitude }) => isOurs(cellAt(Number(latitude), Number(longitude), 9)))
    .map(({ day, longitude, latitude }) => `${day},asb,${longitude},${latitude}`);
  const write = (file: string, text: string): void =>
    writeFileSync(join(target, file), gzipSync(text, { level: 9 }));
  write(`${name}-reports.csv.gz`, `${[COLUMNS, ...lines].join('\n')}\n`);
  const domain = domainFromCells(`sample/${name}`, cells.filter(isOurs));
  write(`${name}-area.txt.gz`, formatDomainFile(domain));
}
