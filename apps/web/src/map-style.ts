import type {
  ExpressionSpecification,
  StyleSpecification,
  SymbolLayerSpecification,
} from 'maplibre-gl';
import { AREA_ROLES } from './area.js';
import { AREA_LOOKS, areaShade } from './area-looks.js';
import type { Basemap } from './basemap.js';
import { shadesOf } from './palette.js';
import { foundShade, STATISTIC_IDS, STATISTICS } from './statistics.js';
import type { Theme } from './theme.js';

/** Sources that change. */
export const CELLS = 'cells';
/** Land that nobody covers. */
export const UNCOVERED = 'uncovered';
/** Cells that a statistic found, as hexagons and as marks for where a hexagon is too small to be seen. */
export const FOUND = 'found';
export const MARKS = 'marks';
export const SELECTED = 'selected';
/** Layer of hexagon edges: dear to prepare, so it is on only where a hexagon is wide enough to have any. */
export const MESH = 'mesh';

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

/** Shade of a covered cell in which a statistic found nothing. */
export const QUIET = 'quiet';

/** Colour of everything that can stand in a cell: counts, the findings of every statistic, and the areas of an evaluation. */
const shadeColours = (theme: Theme): ExpressionSpecification =>
  [
    'match',
    ['get', 'shade'],
    ...shadesOf(theme).flatMap(({ shade, colour }) => [shade, colour]),
    ...STATISTIC_IDS.flatMap((id) =>
      STATISTICS[id].classes.flatMap(({ colours }, i) => [foundShade(id, i), colours[theme.name]]),
    ),
    ...AREA_ROLES.flatMap((role) => [areaShade(role), AREA_LOOKS[role].colours[theme.name]]),
    QUIET,
    theme.quiet,
    theme.land,
  ] as unknown as ExpressionSpecification;

/** Findings that are striped, so that they differ from the others without colour. */
const STRIPED = [
  ...STATISTIC_IDS.flatMap((id) =>
    STATISTICS[id].classes.flatMap(({ striped }, i) => (striped ? [foundShade(id, i)] : [])),
  ),
  ...AREA_ROLES.filter((role) => AREA_LOOKS[role].striped).map(areaShade),
];

/**
 * Bottom to top: sea, land that nobody covers (hatched), covered cells by value, dots on those that cannot be told from
 * zero, findings, borders, the selected cell, names. `hatch`, `dots` and `stripes` are images that `patterns` makes.
 */
export function mapStyle(basemap: Basemap, theme: Theme): StyleSpecification {
  const shade = shadeColours(theme);
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
      [FOUND]: { type: 'geojson', data: nothing, tolerance: 0, buffer: 16 },
      [MARKS]: { type: 'geojson', data: nothing },
      [SELECTED]: { type: 'geojson', data: nothing, tolerance: 0 },
    },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': theme.sea } },
      {
        id: 'land',
        type: 'fill',
        source: 'countries',
        paint: { 'fill-color': ['case', england, theme.land, theme.abroad] },
      },
      {
        id: UNCOVERED,
        type: 'fill',
        source: 'countries',
        filter: england,
        layout: { visibility: 'none' },
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
        paint: { 'line-color': theme.mesh, 'line-width': 0.6, 'line-opacity': 0.9 },
      },
      {
        id: FOUND,
        type: 'fill',
        source: FOUND,
        paint: { 'fill-color': shade, 'fill-outline-color': theme.mesh },
      },
      {
        id: 'stripes',
        type: 'fill',
        source: FOUND,
        filter: ['in', ['get', 'shade'], ['literal', STRIPED]],
        paint: { 'fill-pattern': 'stripes', 'fill-antialias': false },
      },
      {
        id: 'authorities',
        type: 'line',
        source: 'authorities',
        paint: { 'line-color': theme.border, 'line-width': 0.6, 'line-opacity': fade(6.5, 8.5) },
      },
      {
        id: 'coast',
        type: 'line',
        source: 'countries',
        paint: { 'line-color': theme.border, 'line-width': 0.5, 'line-opacity': 0.6 },
      },
      {
        id: 'forces',
        type: 'line',
        source: 'forces',
        paint: {
          'line-color': theme.force,
          'line-width': ['interpolate', ['linear'], ['zoom'], 5, 0.5, 10, 1.6],
          'line-opacity': 0.8,
        },
      },
      {
        id: MARKS,
        type: 'circle',
        source: MARKS,
        layout: { visibility: 'none', 'circle-sort-key': ['get', 'rank'] },
        paint: {
          'circle-color': shade,
          'circle-radius': 3.5,
          'circle-stroke-width': 0.8,
          'circle-stroke-color': theme.border,
        },
      },
      {
        id: 'selected-halo',
        type: 'line',
        source: SELECTED,
        paint: { 'line-color': theme.selectedHalo, 'line-width': 6 },
      },
      {
        id: 'selected',
        type: 'line',
        source: SELECTED,
        paint: { 'line-color': theme.selected, 'line-width': 2.5 },
      },
      names(theme, 'forces', 5.6, 8, 12.5),
      names(theme, 'authorities', 8, 24, 12),
    ],
  };
}

const names = (
  theme: Theme,
  kind: string,
  from: number,
  to: number,
  size: number,
): SymbolLayerSpecification => ({
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
  paint: { 'text-color': theme.text, 'text-halo-color': theme.halo, 'text-halo-width': 1.6 },
});

/** Pixels of a repeating square image. */
export interface Pattern {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** Textures that differ from every colour, and from each other, without colour: diagonal lines, sparse dots, stripes over a colour. */
export const patterns = ({
  hatch,
  dots,
  name,
}: Theme): Readonly<Record<'hatch' | 'dots' | 'stripes', Pattern>> => ({
  hatch: pattern(12, (x, y) => [...hatch[(x + y) % 12 < 2 ? 0 : 1], 255]),
  dots: pattern(12, (x, y) => {
    const near = (x - 3) ** 2 + (y - 3) ** 2 < 2.4 || (x - 9) ** 2 + (y - 9) ** 2 < 2.4;
    return [...dots[near ? 0 : 1], 255];
  }),
  stripes: pattern(12, (x, y) => {
    const ground = name === 'light' ? 255 : 0;
    return [ground, ground, ground, (x - y + 12) % 12 < 3 ? 170 : 0];
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
