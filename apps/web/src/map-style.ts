import type {
  ExpressionSpecification,
  StyleSpecification,
  SymbolLayerSpecification,
} from 'maplibre-gl';
import type { Basemap } from './basemap.js';
import { SHADES } from './palette.js';

/** Sources that change. */
export const CELLS = 'cells';
export const SELECTED = 'selected';
/** Layer of hexagon edges: dear to prepare, so it is on only where a hexagon is wide enough to have any. */
export const MESH = 'mesh';

const SEA = '#d3dbe0';
const ABROAD = '#e9ecee';
const LAND = '#fbfaf8';
const LINE = '#4a5761';
const FONT = ['Helvetica Neue', 'Arial', 'sans-serif'];
const nothing = { type: 'FeatureCollection' as const, features: [] };

const fade = (from: number, to: number): ExpressionSpecification => [
  'interpolate',
  ['linear'],
  ['zoom'],
  from,
  0,
  to,
  1,
];

/**
 * Bottom to top: sea, land that nobody covers (hatched), covered cells by value, dots on those that cannot be told from
 * zero, borders, the selected cell, names. `hatch` and `dots` are images that `patterns` makes.
 */
export function mapStyle(basemap: Basemap): StyleSpecification {
  const shade: ExpressionSpecification = [
    'match',
    ['get', 'shade'],
    ...SHADES.flatMap(({ shade, colour }) => [shade, colour]),
    LAND,
  ] as unknown as ExpressionSpecification;
  const england: ExpressionSpecification = ['==', ['get', 'name'], 'England and Wales'];
  return {
    version: 8,
    sources: {
      countries: { type: 'geojson', data: basemap.countries, tolerance: 0.2 },
      forces: { type: 'geojson', data: basemap.forces, tolerance: 0.2 },
      authorities: { type: 'geojson', data: basemap.authorities, tolerance: 0.2 },
      labels: { type: 'geojson', data: basemap.labels },
      // Hexagons share edges: simplifying them would open gaps.
      [CELLS]: { type: 'geojson', data: nothing, tolerance: 0, buffer: 16 },
      [SELECTED]: { type: 'geojson', data: nothing, tolerance: 0 },
    },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': SEA } },
      {
        id: 'land',
        type: 'fill',
        source: 'countries',
        paint: { 'fill-color': ['case', england, LAND, ABROAD] },
      },
      {
        id: 'uncovered',
        type: 'fill',
        source: 'countries',
        filter: england,
        paint: { 'fill-pattern': 'hatch' },
      },
      {
        id: 'value',
        type: 'fill',
        source: CELLS,
        paint: { 'fill-color': shade, 'fill-antialias': false },
      },
      {
        id: 'zero',
        type: 'fill',
        source: CELLS,
        filter: ['==', ['get', 'shade'], 'zero'],
        paint: { 'fill-pattern': 'dots', 'fill-antialias': false },
      },
      {
        id: MESH,
        type: 'line',
        source: CELLS,
        filter: ['!=', ['get', 'shade'], 'zero'],
        layout: { visibility: 'none' },
        paint: { 'line-color': '#ffffff', 'line-width': 0.6, 'line-opacity': 0.9 },
      },
      {
        id: 'authorities',
        type: 'line',
        source: 'authorities',
        paint: { 'line-color': LINE, 'line-width': 0.6, 'line-opacity': fade(6.5, 8.5) },
      },
      {
        id: 'coast',
        type: 'line',
        source: 'countries',
        paint: { 'line-color': LINE, 'line-width': 0.5, 'line-opacity': 0.6 },
      },
      {
        id: 'forces',
        type: 'line',
        source: 'forces',
        paint: {
          'line-color': '#2b3740',
          'line-width': ['interpolate', ['linear'], ['zoom'], 5, 0.5, 10, 1.6],
          'line-opacity': 0.8,
        },
      },
      {
        id: 'selected-halo',
        type: 'line',
        source: SELECTED,
        paint: { 'line-color': '#ffdd00', 'line-width': 6 },
      },
      {
        id: 'selected',
        type: 'line',
        source: SELECTED,
        paint: { 'line-color': '#0b0c0c', 'line-width': 2.5 },
      },
      names('forces', 5.6, 8, 12.5),
      names('authorities', 8, 24, 12),
    ],
  };
}

const names = (kind: string, from: number, to: number, size: number): SymbolLayerSpecification => ({
  id: `${kind}-names`,
  type: 'symbol',
  source: 'labels',
  minzoom: from,
  maxzoom: to,
  filter: ['==', ['get', 'kind'], kind],
  layout: {
    'text-field': ['get', 'name'],
    'text-font': FONT,
    'text-size': size,
    'text-max-width': 7,
    'text-padding': 6,
    'symbol-sort-key': ['get', 'rank'],
  },
  paint: { 'text-color': '#20292f', 'text-halo-color': '#ffffffee', 'text-halo-width': 1.6 },
});

/** Pixels of a repeating square image. */
export interface Pattern {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** Textures that differ from every colour, and from each other, without colour: diagonal lines and sparse dots. */
export const patterns = (): Readonly<Record<'hatch' | 'dots', Pattern>> => ({
  hatch: pattern(12, (x, y) => {
    const across = (x + y) % 12;
    return across < 2 ? [150, 158, 164, 255] : [222, 226, 228, 255];
  }),
  dots: pattern(12, (x, y) => {
    const near = (x - 3) ** 2 + (y - 3) ** 2 < 2.4 || (x - 9) ** 2 + (y - 9) ** 2 < 2.4;
    return near ? [163, 172, 179, 255] : [251, 250, 248, 255];
  }),
});

function pattern(
  size: number,
  pixel: (x: number, y: number) => readonly [number, number, number, number],
): Pattern {
  const data = new Uint8ClampedArray(4 * size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) data.set(pixel(x, y), 4 * (y * size + x));
  }
  return { width: size, height: size, data };
}
