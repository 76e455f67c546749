/**
 * The map's background from open boundaries: one quantised topology (countries, police force areas, local authorities) and
 * the points that names stand on. Forces are dissolved from the same arcs as their authorities, so that borders coincide.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { feature, mergeArcs, quantize, transform } from 'topojson-client';

const BOUNDARIES = new URL('../samples/boundaries/', import.meta.url);
/** Steps across the width of the kingdom: one is about 100 m, a third of a resolution-9 cell. */
const QUANTIZATION = 10_000;
/** The part of the kingdom that the domain covers, dissolved from its authorities. */
const COVERED = 'England and Wales';

const read = (name) => JSON.parse(gunzipSync(readFileSync(new URL(name, BOUNDARIES))).toString());

/** `{ topology, labels: [{ kind, name, at: [longitude, latitude], km2 }] }`, largest first. */
export function basemap() {
  const source = read('ons_uk_topo_2014_2025.topojson.gz');
  const forceOf = new Map(
    read('ltla_2025_ew.geojson.gz').features.map(({ properties: p }) => [p.lad, p]),
  );
  const authorities = source.objects.ltla.geometries
    .filter(({ properties: p }) => forceOf.has(p.areacd))
    .map((geometry) => {
      const { name, force } = forceOf.get(geometry.properties.areacd);
      return { ...geometry, id: geometry.properties.areacd, properties: { name, force } };
    });
  if (authorities.length !== forceOf.size) throw new Error('an authority has no boundary');
  const forces = [...byForce(authorities)].map(([name, members]) => ({
    ...mergeArcs(source, members),
    properties: { name },
  }));
  const countries = [
    { ...mergeArcs(source, authorities), properties: { name: COVERED } },
    ...source.objects.ctry.geometries
      .filter(({ properties: p }) => !COVERED.includes(p.areanm))
      .map((geometry) => ({ ...geometry, properties: { name: geometry.properties.areanm } })),
  ];
  const topology = quantize(
    withoutUnusedArcs({
      type: 'Topology',
      arcs: absolute(source),
      objects: {
        countries: collection(countries),
        forces: collection(forces),
        authorities: collection(authorities),
      },
    }),
    QUANTIZATION,
  );
  const labels = ['forces', 'authorities'].flatMap((kind) =>
    feature(topology, topology.objects[kind]).features.map((f) => label(kind, f)),
  );
  return { topology, labels: labels.sort((a, b) => b.km2 - a.km2) };
}

function byForce(authorities) {
  const groups = new Map();
  for (const authority of authorities) {
    const { force } = authority.properties;
    groups.set(force, [...(groups.get(force) ?? []), authority]);
  }
  return groups;
}

/** Arcs in degrees instead of delta-coded steps. */
function absolute(topology) {
  const toDegrees = transform(topology.transform);
  return topology.arcs.map((arc) => arc.map((step, i) => toDegrees([...step], i)));
}

const collection = (geometries) => ({ type: 'GeometryCollection', geometries });

function withoutUnusedArcs(topology) {
  const place = new Map();
  const renumber = (arcs) =>
    arcs.map((arc) => {
      if (Array.isArray(arc)) return renumber(arc);
      const index = arc < 0 ? ~arc : arc;
      if (!place.has(index)) place.set(index, place.size);
      return arc < 0 ? ~place.get(index) : place.get(index);
    });
  const objects = Object.fromEntries(
    Object.entries(topology.objects).map(([name, { geometries }]) => [
      name,
      collection(geometries.map((geometry) => ({ ...geometry, arcs: renumber(geometry.arcs) }))),
    ]),
  );
  return { ...topology, objects, arcs: [...place.keys()].map((index) => topology.arcs[index]) };
}

function label(kind, { geometry, properties }) {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  const largest = polygons.reduce((a, b) => (km2(a[0]) > km2(b[0]) ? a : b));
  const at = innerPoint(largest).map((degrees) => Math.round(degrees * 1e4) / 1e4);
  const area = polygons.reduce((sum, [ring]) => sum + km2(ring), 0);
  return { kind, name: properties.name, at, km2: Math.round(area) };
}

/** Shoelace area of a ring of longitudes and latitudes, good to a few per cent at this size. */
function km2(ring) {
  const latitude = ring[0][1];
  let twice = 0;
  for (let i = 1; i < ring.length; i++) {
    twice += ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1];
  }
  return (Math.abs(twice) / 2) * 111.32 ** 2 * Math.cos((latitude * Math.PI) / 180);
}

/** Middle of the widest stretch inside, over a few horizontal cuts: always inside, also of a crescent. */
function innerPoint(polygon) {
  const latitudes = polygon[0].map(([, latitude]) => latitude);
  const low = Math.min(...latitudes);
  const high = Math.max(...latitudes);
  let best = { width: -1 };
  for (let cut = 1; cut < 12; cut++) {
    const latitude = low + ((high - low) * cut) / 12;
    const crossings = polygon
      .flatMap((ring) =>
        ring.slice(1).flatMap(([x, y], i) => {
          const [px, py] = ring[i];
          return py > latitude === y > latitude
            ? []
            : [px + ((latitude - py) / (y - py)) * (x - px)];
        }),
      )
      .sort((a, b) => a - b);
    // A wide stretch at the very edge is worse for a name than a slightly narrower one in the middle.
    const centring = 1 - Math.abs(cut - 6) / 12;
    for (let i = 1; i < crossings.length; i += 2) {
      const width = (crossings[i] - crossings[i - 1]) * centring;
      if (width > best.width) {
        best = { width, at: [(crossings[i] + crossings[i - 1]) / 2, latitude] };
      }
    }
  }
  return best.at;
}
