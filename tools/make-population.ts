/**
 * Makes samples/population/residents-res7.csv.gz from samples/deprivation; run by hand, its output is committed.
 *
 *   npm run build && node dist/tools/make-population.js [ROOT]
 *
 * The deprivation table says which part of which neighbourhoods (LSOA of 2011) lies in a cell. The Office for National Statistics made
 * every LSOA of 2011 with at least 1,000 residents, so parts times 1,000 is a floor of how many people live in a cell.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { gunzipSync, gzipSync } from 'node:zlib';
import { cellFromText, cellToText, parentOf } from '#libs/grid';

const RESIDENTS_OF_LSOA = 1_000;
const RESOLUTION = 7;

const [root = '.'] = process.argv.slice(2);
const table = join(root, 'samples', 'deprivation', 'imd2019-cells.csv.gz');
const [, ...rows] = gunzipSync(readFileSync(table)).toString('utf8').trim().split('\n');
const parts = new Map<bigint, number>();
for (const row of rows) {
  const [text = '', , people = ''] = row.split(',');
  const cell = parentOf(cellFromText(text), RESOLUTION);
  parts.set(cell, (parts.get(cell) ?? 0) + Number(people));
}
const lines = [...parts]
  .map(([cell, part]) => [cellToText(cell), Math.floor(part * RESIDENTS_OF_LSOA)] as const)
  .filter(([, residents]) => residents > 0)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([cell, residents]) => `${cell},${residents}`);
const folder = join(root, 'samples', 'population');
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, 'residents-res7.csv.gz'),
  gzipSync(`cell,residents\n${lines.join('\n')}\n`, { level: 9 }),
);
process.stdout.write(`${lines.length} cells\n`);
