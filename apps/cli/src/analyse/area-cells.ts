/** The public domain of a back-test: shipped force areas, or a GeoJSON file. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Geometry, MultiPolygon, Polygon } from 'geojson';
import { ConcordatError } from '#libs/bytes';
import {
  type Areas,
  areaToCells,
  parentOf,
  parseAreas,
  type Resolution,
  sortedCells,
  widen,
} from '#libs/grid';
import { packageFile } from './package-file.js';

/** Resolution of the national domain and of every shipped area. */
const FINEST = 9;
/** Every area is wider than its outline by this, as the shipped ones are: published points are snapped, outlines generalised. */
const MARGIN_RINGS = 3;

const readText = (file: string): string => {
  const bytes = readFileSync(file);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
};

/** `Avon and Somerset Constabulary`, `Metropolitan Police Service` and the shipped names meet in one form. */
export const foldForce = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll('&', ' and ')
    .replace(/[^a-z ]+/g, ' ')
    .replace(/\b(?:police|service|constabulary|force)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

function forceCells(areas: Areas, force: string): BigUint64Array {
  const wanted = foldForce(force);
  const match = areas.all.find(
    ({ kind, name, slug, code }) =>
      kind === 'force' &&
      (foldForce(name) === wanted ||
        foldForce(slug) === wanted ||
        code?.toLowerCase() === force.toLowerCase()),
  );
  if (match) return match.domain().cells;
  throw new ConcordatError(
    'unknown-area',
    'there is no such file and no force of that name: give a GeoJSON file, or a force such as "Avon and Somerset"',
  );
}

function polygonsOf(document: unknown): (Polygon | MultiPolygon)[] {
  const node = document as { type?: string; features?: unknown[]; geometry?: unknown } | null;
  if (node?.type === 'FeatureCollection') return (node.features ?? []).flatMap(polygonsOf);
  // A feature without a place is allowed (RFC 7946, section 3.2).
  if (node?.type === 'Feature') return node.geometry === null ? [] : polygonsOf(node.geometry);
  const geometry = node as Geometry | null;
  if (geometry?.type === 'GeometryCollection') return geometry.geometries.flatMap(polygonsOf);
  if (geometry?.type === 'Polygon' || geometry?.type === 'MultiPolygon') return [geometry];
  throw new ConcordatError(
    'invalid-geometry',
    'an area file is GeoJSON with polygons: a geometry, a feature or a collection of features',
  );
}

function fileCells(file: string): BigUint64Array {
  let document: unknown;
  try {
    document = JSON.parse(readText(file));
  } catch {
    throw new ConcordatError('invalid-geometry', 'the area file is not GeoJSON');
  }
  const cells = polygonsOf(document).flatMap((polygon) => [...areaToCells(polygon, FINEST)]);
  if (cells.length === 0) {
    throw new ConcordatError('empty-domain', 'the area holds no cell of resolution 9');
  }
  return widen(sortedCells(cells), MARGIN_RINGS);
}

/**
 * Ascending cells of `resolution` that cover the area: `area` is a file or the name or slug of a force; without it, the
 * forces that the incidents name. Throws `unknown-area`, `area-needed`, `invalid-geometry`, `invalid-resolution`.
 */
export function areaCells(
  area: string | undefined,
  forces: ReadonlySet<string>,
  resolution: Resolution,
): BigUint64Array {
  if (resolution > FINEST) {
    throw new ConcordatError('invalid-resolution', 'the grid is 9 or coarser');
  }
  const finest = area !== undefined && existsSync(area) ? fileCells(area) : shipped(area, forces);
  if (resolution === FINEST) return finest;
  return sortedCells(Array.from(finest, (cell) => parentOf(cell, resolution)));
}

function shipped(area: string | undefined, forces: ReadonlySet<string>): BigUint64Array {
  const names = area === undefined ? [...forces] : [area];
  if (names.length === 0) {
    throw new ConcordatError(
      'area-needed',
      'these incidents name no police force: give --area with a GeoJSON file or the name of a force',
    );
  }
  const areas = parseAreas(readText(packageFile('samples/grid/areas.json.gz')));
  return sortedCells(names.flatMap((name) => [...forceCells(areas, name)]));
}
