/**
 * Makes samples/agencies/<id>/*.gz from a folder of open data (layout: police-uk/<force>/, councils/):
 *
 *   npm run build && node dist/tools/make-samples.js SOURCE_FOLDER
 *
 * Rows are selected and columns renamed, re-ordered and left out; the only value written otherwise than in the source is
 * the month of the Somerset file (`2023-07` becomes `07/2023`). samples/SOURCES.md says what was done to which file.
 * Output is the same on every run: gzip stores no time and no name.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';

type Row = Readonly<Record<string, string>>;

const ASB = 'Anti-social behaviour';
const AVON_MONTHS = months('2023-07', '2024-06');
const LONDON_MONTHS = months('2024-01', '2024-12');
/** The districts that became the Somerset authority (E06000066) in April 2023 and still name the LSOAs. */
const SOMERSET = ['Mendip', 'Sedgemoor', 'Somerset West and Taunton', 'South Somerset'];

function months(from: string, to: string): string[] {
  const list: string[] = [];
  for (let month = from; month <= to; ) {
    list.push(month);
    const [year, number] = month.split('-').map(Number) as [number, number];
    const next = number === 12 ? [year + 1, 1] : [year, number + 1];
    month = `${next[0]}-${String(next[1]).padStart(2, '0')}`;
  }
  return list;
}

/** `Bristol 026B` is in the district `Bristol`: the name without its last word. */
const district = (lsoaName: string): string => lsoaName.replace(/ \w+$/, '');

const field = (text: string, delimiter: string): string =>
  /["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;

function writeTable(
  file: string,
  rows: readonly Row[],
  delimiter: string,
  columns: Readonly<Record<string, (row: Row) => string>>,
): void {
  const makers = Object.values(columns);
  const lines = [
    Object.keys(columns).join(delimiter),
    ...rows.map((row) => makers.map((make) => field(make(row), delimiter)).join(delimiter)),
  ];
  writeFileSync(file, gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
}

const of =
  (column: string) =>
  (row: Row): string =>
    row[column] ?? '';

function folder(samples: string, agency: string): string {
  const path = join(samples, 'agencies', agency);
  mkdirSync(path, { recursive: true });
  return path;
}

function makeSamples(source: string, samples: string): void {
  const streetFile = (force: string, month: string): string =>
    join(source, 'police-uk', force, `${month}-${force}-street.csv.gz`);

  const police = folder(samples, 'avon-and-somerset-police');
  const asb: Row[] = [];
  for (const month of AVON_MONTHS) {
    const path = streetFile('avon-and-somerset', month);
    const [header, ...lines] = gunzipSync(readFileSync(path)).toString('utf8').split('\n');
    const rows: Row[] = parse([header, ...lines].join('\n'), { columns: true });
    // One line is one row in these files, so the kept lines can stay byte for byte what they were.
    if (rows.length !== lines.filter((line) => line !== '').length) {
      throw new Error(`${basename(path)}: a row spans several lines`);
    }
    const kept = lines.filter((_, index) => rows[index] && rows[index]['Crime type'] !== ASB);
    writeFileSync(
      join(police, basename(path)),
      gzipSync(`${[header, ...kept].join('\n')}\n`, { level: 9 }),
    );
    asb.push(...rows.filter((row) => row['Crime type'] === ASB));
  }

  const bristol = folder(samples, 'bristol-council');
  for (let quarter = 0; quarter < AVON_MONTHS.length / 3; quarter++) {
    const wanted = AVON_MONTHS.slice(quarter * 3, quarter * 3 + 3);
    const rows = asb.filter(
      (row) => wanted.includes(of('Month')(row)) && district(of('LSOA name')(row)) === 'Bristol',
    );
    writeTable(join(bristol, `asb-reports-${wanted[0]}-to-${wanted[2]}.csv.gz`), rows, ',', {
      'Incident Type': of('Crime type'),
      'Date Reported': of('Month'),
      Street: of('Location'),
      Neighbourhood: of('LSOA name'),
      Latitude: of('Latitude'),
      Longitude: of('Longitude'),
    });
  }

  const somerset = folder(samples, 'somerset-council');
  writeTable(
    join(somerset, 'community-safety-2023-24.txt.gz'),
    asb.filter((row) => SOMERSET.includes(district(of('LSOA name')(row)))),
    ';',
    {
      period: (row) => of('Month')(row).split('-').reverse().join('/'),
      site: of('Location'),
      lsoa: of('LSOA code'),
      x_wgs84: of('Longitude'),
      y_wgs84: of('Latitude'),
    },
  );

  const london = folder(samples, 'city-of-london-police');
  for (const month of LONDON_MONTHS) {
    const path = streetFile('city-of-london', month);
    copyFileSync(path, join(london, basename(path)));
  }
  copyFileSync(
    join(source, 'councils', 'lancashire_asb.tab.gz'),
    join(folder(samples, 'lancashire-council'), 'lancashire_asb.tab.gz'),
  );
}

const source = process.argv[2];
if (!source || !readdirSync(source).includes('police-uk')) {
  process.stderr.write(
    'usage: node dist/tools/make-samples.js SOURCE_FOLDER (with police-uk/ and councils/)\n',
  );
  process.exitCode = 2;
} else {
  makeSamples(source, 'samples');
}
