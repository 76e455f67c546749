/**
 * Makes samples/deprivation/imd2019-cells.csv.gz from open data; run by hand, its output is committed.
 *
 *   npm run build && node dist/tools/make-deprivation.js SOURCE_FOLDER [ROOT]
 *
 * SOURCE_FOLDER (layout: police-uk/<force>/, councils/, lookups/) holds published incidents, each with the place and the LSOA that
 * its publisher gave it, and the Index of Multiple Deprivation 2019 by LSOA. A cell belongs to the LSOAs that its incidents name; an
 * LSOA is one part of people, spread evenly over its cells. Cells without any published incident are not in the file.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { cellAt, cellToText } from '#libs/grid';

type Row = Readonly<Record<string, string>>;

const FINEST = 9;
const DECIMALS = 1e6;

const rows = (path: string, delimiter = ','): Row[] =>
  parse(gunzipSync(readFileSync(path)), {
    columns: true,
    delimiter,
    bom: true,
    relax_quotes: true,
  }) as Row[];

const [source = '', root = '.'] = process.argv.slice(2);
if (source === '') throw new Error('usage: make-deprivation SOURCE_FOLDER [ROOT]');

const quintileOf = new Map(
  rows(join(source, 'lookups', 'imd2019_lsoa11_england.csv.gz')).map((row) => [
    row.lsoa11cd,
    Math.ceil(Number(row.imd_decile) / 2),
  ]),
);
const cellsOf = new Map<string, Set<bigint>>();
function add(
  lsoa: string | undefined,
  latitude: string | undefined,
  longitude: string | undefined,
) {
  if (!lsoa || !latitude || !longitude || !quintileOf.has(lsoa)) return;
  const cells = cellsOf.get(lsoa) ?? new Set();
  cells.add(cellAt(Number(latitude), Number(longitude), FINEST));
  cellsOf.set(lsoa, cells);
}
const police = join(source, 'police-uk');
for (const force of readdirSync(police, { withFileTypes: true })) {
  if (!force.isDirectory()) continue;
  for (const file of readdirSync(join(police, force.name)).sort()) {
    if (!file.endsWith('-street.csv.gz')) continue;
    for (const row of rows(join(police, force.name, file))) {
      add(row['LSOA code'], row.Latitude, row.Longitude);
    }
  }
}
for (const row of rows(join(source, 'councils', 'lancashire_asb.tab.gz'), '\t')) {
  add(row.lsoa_code, row.latitude, row.longitude);
}

/** People of each quintile, 1 to 5, in each cell. */
const people = new Map<bigint, number[]>();
for (const [lsoa, cells] of cellsOf) {
  const quintile = quintileOf.get(lsoa) as number;
  for (const cell of cells) {
    const parts = people.get(cell) ?? [0, 0, 0, 0, 0, 0];
    parts[quintile] = (parts[quintile] as number) + 1 / cells.size;
    people.set(cell, parts);
  }
}
const lines = [...people]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([cell, parts]) => {
    const total = parts.reduce((sum, part) => sum + part, 0);
    return `${cellToText(cell)},${parts.indexOf(Math.max(...parts))},${Math.round(total * DECIMALS) / DECIMALS}`;
  });
const folder = join(root, 'samples', 'deprivation');
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, 'imd2019-cells.csv.gz'),
  gzipSync(`cell,quintile,people\n${lines.join('\n')}\n`, { level: 9 }),
);
process.stdout.write(`${cellsOf.size} neighbourhoods, ${lines.length} cells\n`);
