/**
 * Makes the shipped grid files from boundaries; run by hand, its output is committed.
 *
 *   npm run build && node dist/tools/make-grid.js FOLDER [ROOT]
 *
 * FOLDER holds england-wales-res9-compacted.txt.gz (the national domain), police_force_areas_derived.geojson.gz
 * (properties force, slug) and ltla_2025_ew.geojson.gz (properties lad, name, force). Written under ROOT (default: here):
 *   samples/grid/ew-2026-1.txt.gz     the national domain, compacted, one cell a line
 *   samples/grid/areas.json.gz        domain of every force and local authority (`parseAreas` of libs/grid)
 *   samples/boundaries/*.geojson.gz   the two boundary files, for the map
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Feature, FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import {
  type AreaKind,
  type AreasFile,
  areaDomainName,
  areaToCells,
  type Domain,
  domainFromCells,
  formatDomainFile,
  intersectDomains,
  parseDomainFile,
  widen,
} from '#libs/grid';

const GRID = 'ew-2026-1';
/** Published points are snapped and boundaries generalised; three rings are about a kilometre. */
const RINGS = 3;
const FORCES = 'police_force_areas_derived.geojson.gz';
const AUTHORITIES = 'ltla_2025_ew.geojson.gz';

type Boundary = Feature<Polygon | MultiPolygon, Record<string, unknown>>;

const [folder, root = '.'] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node dist/tools/make-grid.js FOLDER [ROOT]');
  process.exit(2);
}
const read = (name: string): string => gunzipSync(readFileSync(join(folder, name))).toString();
const write = (name: string, text: string): void =>
  writeFileSync(join(root, 'samples/grid', name), gzipSync(text, { level: 9 }));

const features = (name: string): Boundary[] =>
  (JSON.parse(read(name)) as FeatureCollection).features as Boundary[];
const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/['’.]/g, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

function describe(national: Domain, kind: AreaKind, slug: string, boundary: Boundary) {
  const name = areaDomainName(GRID, kind, slug);
  const wide = widen(areaToCells(boundary.geometry, 9), RINGS);
  const domain = intersectDomains(name, [domainFromCells(name, wide), national]);
  return {
    cellCount: domain.cells.length,
    hash: domain.hash,
    cells: formatDomainFile(domain).trimEnd().split('\n'),
  };
}

const national = parseDomainFile(GRID, read('england-wales-res9-compacted.txt.gz'));
const forces = features(FORCES);
const slugOfForce = new Map(
  forces.map(({ properties }) => [properties.force, String(properties.slug)]),
);

const areas: AreasFile['areas'] = [
  ...forces.map((boundary) => {
    const slug = String(boundary.properties.slug);
    const name = String(boundary.properties.force);
    return { kind: 'force' as const, slug, name, ...describe(national, 'force', slug, boundary) };
  }),
  ...features(AUTHORITIES).map((boundary) => {
    const { lad, name, force } = boundary.properties;
    const slug = slugOf(String(name));
    return {
      kind: 'authority' as const,
      slug,
      name: String(name),
      code: String(lad),
      force: slugOfForce.get(force) ?? slugOf(String(force)),
      ...describe(national, 'authority', slug, boundary),
    };
  }),
];

mkdirSync(join(root, 'samples/grid'), { recursive: true });
mkdirSync(join(root, 'samples/boundaries'), { recursive: true });
write(`${GRID}.txt.gz`, formatDomainFile(national));
const file: AreasFile = { grid: GRID, gridHash: national.hash, areas };
write('areas.json.gz', JSON.stringify(file));
for (const name of [FORCES, AUTHORITIES]) {
  copyFileSync(join(folder, name), join(root, 'samples/boundaries', name));
}
console.error(`${areas.length} areas, ${national.cells.length} cells`);
