import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Areas, type Domain, parseAreas, parseDomainFile } from '#libs/grid';
import { packageRoot } from '#libs/host';

const GRID = join(packageRoot(import.meta.url), 'samples', 'grid');

/** Names and areas of the grid that comes with the program. */
export const bundledAreas = (): Areas =>
  parseAreas(gunzipSync(readFileSync(join(GRID, 'areas.json.gz'))).toString('utf8'));

let national: Domain | undefined;

/** The national domain when it is the one that comes with the program; undefined for a federation on a grid of its own. */
export function nationalDomain(hash: string): Domain | undefined {
  if (!national) {
    const text = gunzipSync(readFileSync(join(GRID, 'ew-2026-1.txt.gz'))).toString('utf8');
    national = parseDomainFile('ew-2026-1', text);
  }
  return national.hash === hash ? national : undefined;
}
