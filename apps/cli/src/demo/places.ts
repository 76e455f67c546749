import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { booleanPointInPolygon } from '@turf/boolean-point-in-polygon';
import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import { cellCentre, cellFromText } from '#libs/grid';
import { ROOT } from './root.js';

/** Names the local authority that a cell's centre lies in; the boundaries are generalised, so the coast may have none. */
export function placeNames(): (cell: string) => string {
  const path = join(ROOT, 'samples/boundaries/ltla_2025_ew.geojson.gz');
  const authorities = JSON.parse(
    gunzipSync(readFileSync(path)).toString('utf8'),
  ) as FeatureCollection<Polygon | MultiPolygon, { readonly name: string }>;
  return (cell) => {
    const { latitude, longitude } = cellCentre(cellFromText(cell));
    const found = authorities.features.find((feature) =>
      booleanPointInPolygon([longitude, latitude], feature),
    );
    return found?.properties.name ?? 'on the coast';
  };
}
