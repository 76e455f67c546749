import type { Feature, FeatureCollection, MultiPolygon, Point, Polygon } from 'geojson';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import type { Ring } from './domain-cells.js';
import { type Bounds, boundsOf } from './viewport.js';

type Areas = FeatureCollection<Polygon | MultiPolygon, { readonly name: string }>;
type Layers = Record<'countries' | 'forces' | 'authorities', GeometryCollection<{ name: string }>>;

/** Local authority of a hexagon: of its centre, else of the first corner on land, else `Off the coast`. */
export function placeOf(basemap: Basemap, centre: readonly [number, number], ring: Ring): string {
  for (const [x, y] of [centre, ...ring]) {
    const name = basemap.nameAt(x, y);
    if (name !== undefined) return name;
  }
  return 'Off the coast';
}

/** The file that tools/basemap.mjs writes. */
interface BasemapFile {
  readonly topology: Topology<Layers>;
  readonly labels: readonly {
    readonly kind: 'forces' | 'authorities';
    readonly name: string;
    readonly at: [number, number];
    readonly km2: number;
  }[];
}

/** Boundaries to draw, and names for places. */
export interface Basemap {
  readonly countries: Areas;
  readonly forces: Areas;
  readonly authorities: Areas;
  readonly labels: FeatureCollection<Point, { kind: string; name: string; rank: number }>;
  /** Local authority names, ascending. */
  readonly names: readonly string[];
  /** Local authority at a position; `undefined` at sea or outside England and Wales. */
  nameAt(longitude: number, latitude: number): string | undefined;
  boundsOfName(name: string): Bounds | undefined;
}

export async function loadBasemap(url: string): Promise<Basemap> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the background map did not load (${response.status})`);
  return basemapFrom(await response.json());
}

function basemapFrom({ topology, labels }: BasemapFile): Basemap {
  const areas = (name: keyof Layers): Areas => feature(topology, topology.objects[name]) as Areas;
  const authorities = areas('authorities');
  const boxed = authorities.features.map((area) => ({
    name: area.properties.name,
    polygons: polygonsOf(area),
    bounds: boundsOf(polygonsOf(area).flatMap(([outer = []]) => outer)),
  }));
  return {
    countries: areas('countries'),
    forces: areas('forces'),
    authorities,
    labels: {
      type: 'FeatureCollection',
      features: labels.map(({ kind, name, at, km2 }, rank) => ({
        type: 'Feature',
        geometry: { type: 'Point', coordinates: at },
        properties: { kind, name, rank, km2 },
      })),
    },
    names: boxed.map(({ name }) => name).sort((a, b) => a.localeCompare(b, 'en-GB')),
    nameAt: (x, y) =>
      boxed.find(
        ({ bounds, polygons }) =>
          x >= bounds.west &&
          x <= bounds.east &&
          y >= bounds.south &&
          y <= bounds.north &&
          polygons.some((rings) => contains(rings, x, y)),
      )?.name,
    boundsOfName: (name) =>
      boxed.find((area) => area.name.toLowerCase() === name.trim().toLowerCase())?.bounds,
  };
}

type Rings = readonly (readonly (readonly number[])[])[];

const polygonsOf = ({ geometry }: Feature<Polygon | MultiPolygon>): readonly Rings[] =>
  geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;

/** Even-odd rule over all rings, so that a hole is outside. */
function contains(rings: Rings, x: number, y: number): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i++) {
      const [ax = 0, ay = 0] = ring[i - 1] ?? [];
      const [bx = 0, by = 0] = ring[i] ?? [];
      if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
    }
  }
  return inside;
}
