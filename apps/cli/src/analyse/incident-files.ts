/** Incidents of a back-test from files: police.uk street CSV, or any CSV with date, longitude and latitude; gzipped or not. */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { ConcordatError } from '#libs/bytes';

export interface Incident {
  /** `YYYY-MM`. */
  readonly month: string;
  readonly longitude: number;
  readonly latitude: number;
  readonly row: Readonly<Record<string, string>>;
}

/** Columns of the two layouts; a police.uk file is recognised by its `Crime type`. */
const POLICE_UK = { time: 'Month', longitude: 'Longitude', latitude: 'Latitude' };
const PLAIN = { time: 'date', longitude: 'longitude', latitude: 'latitude' };
/** A month, a day or a moment of ISO 8601. */
const MONTH = /^(\d{4}-(?:0[1-9]|1[0-2]))(?:$|-(?:0[1-9]|[12]\d|3[01])(?:$|[T ]\d))/;
const DEGREES = /^[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?$/i;

const escapeRegExp = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, '\\$&');

/** Files that a pattern names, ascending; `*` and `?` stand within one part of the path. Throws `no-such-file`. */
export function expandPattern(pattern: string): string[] {
  let found = [pattern.startsWith(sep) ? sep : ''];
  for (const part of pattern.split(sep).filter((name) => name !== '')) {
    if (!/[*?]/.test(part)) {
      found = found.map((folder) => join(folder, part));
      continue;
    }
    const like = new RegExp(`^${escapeRegExp(part).replaceAll('*', '.*').replaceAll('?', '.')}$`);
    found = found.flatMap((folder) => {
      const stats = statSync(folder || '.', { throwIfNoEntry: false });
      if (!stats?.isDirectory()) return [];
      return readdirSync(folder || '.')
        .filter((name) => like.test(name) && !name.startsWith('.'))
        .map((name) => join(folder, name));
    });
  }
  const files = found.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  if (files.length > 0) return files.sort();
  throw new ConcordatError('no-such-file', `no file matches ${pattern}`);
}

function layoutOf(columns: readonly string[]): typeof PLAIN {
  for (const layout of [POLICE_UK, PLAIN]) {
    if (Object.values(layout).every((column) => columns.includes(column))) return layout;
  }
  throw new ConcordatError(
    'unknown-columns',
    'an incident file has the columns Month, Longitude, Latitude (police.uk) or date, longitude, latitude',
  );
}

/** Reads one file. A row without a place (blank coordinates) has no incident here. Throws `malformed-row`. */
async function readFile(file: string, onRow: (incident: Incident | undefined) => void) {
  const source = createReadStream(file);
  const plain = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  const rows = plain.pipe(parse({ columns: true, bom: true }));
  // pipe() hands no error on.
  for (const stream of [source, plain]) stream.on('error', (error: Error) => rows.destroy(error));
  let layout: typeof PLAIN | undefined;
  let line = 1;
  for await (const row of rows as AsyncIterable<Record<string, string>>) {
    line++;
    layout ??= layoutOf(Object.keys(row));
    const month = MONTH.exec(row[layout.time] ?? '')?.[1];
    const longitude = row[layout.longitude]?.trim() ?? '';
    const latitude = row[layout.latitude]?.trim() ?? '';
    if (longitude === '' && latitude === '') {
      onRow(undefined);
      continue;
    }
    const place = { longitude: Number(longitude), latitude: Number(latitude) };
    const valid =
      DEGREES.test(longitude) &&
      DEGREES.test(latitude) &&
      Math.abs(place.longitude) <= 180 &&
      Math.abs(place.latitude) <= 90;
    if (!month || !valid) {
      throw new ConcordatError(
        'malformed-row',
        `line ${line} of ${file} needs a date YYYY-MM or YYYY-MM-DD, a longitude and a latitude in degrees`,
      );
    }
    onRow({ month, ...place, row });
  }
}

/** Reads all files that the patterns name, each once. Throws `unreadable-file` for what is no CSV. */
export async function readIncidents(
  patterns: readonly string[],
  onIncident: (incident: Incident) => void,
): Promise<{ files: number; unlocated: number }> {
  const files = [...new Set(patterns.flatMap(expandPattern))];
  let unlocated = 0;
  for (const file of files) {
    try {
      await readFile(file, (incident) => {
        if (incident) onIncident(incident);
        else unlocated++;
      });
    } catch (error) {
      if (error instanceof ConcordatError) throw error;
      throw new ConcordatError(
        'unreadable-file',
        `an incident file is no readable CSV, or its gzip is damaged: ${file}`,
        {
          cause: error,
        },
      );
    }
  }
  return { files: files.length, unlocated };
}
