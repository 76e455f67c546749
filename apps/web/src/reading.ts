import { cellBoundary, cellCentre, isCell, resolutionOf } from '#libs/grid';
import type { AreaRole } from './area.js';
import { AREA_LOOKS } from './area-looks.js';
import { type Basemap, placeOf } from './basemap.js';
import type { FoundCell } from './found-cells.js';
import { countText } from './interval.js';
import type { LayerDocument } from './layer-client.js';
import type { CellValue, LayerView } from './layer-store.js';
import type { Statistic } from './statistics.js';
import { areaText } from './words.js';

/** What one hexagon says, in words. */
export interface Reading {
  readonly cell: bigint;
  readonly resolution: number;
  /** Centre: [longitude, latitude]. */
  readonly at: readonly [number, number];
  readonly place: string;
  readonly text: string;
  readonly notes: readonly string[];
}

function placeReading(
  text: string,
  resolution: number,
  basemap: Basemap,
): Pick<Reading, 'cell' | 'resolution' | 'at' | 'place'> | undefined {
  const cell = BigInt(`0x${text}`);
  if (!isCell(cell) || resolutionOf(cell) !== resolution) return undefined;
  const { latitude, longitude } = cellCentre(cell);
  const at = [longitude, latitude] as const;
  return { cell, resolution, at, place: placeOf(basemap, at, cellBoundary(cell)) };
}

const hexagon = (resolution: number, text: string): string =>
  `Hexagon of about ${areaText(resolution)} · ${text}`;
const UNCOVERED = { text: 'No agency covers this place', notes: ['Missing is not zero.'] };

/** Reads a cell off a view of counts; `undefined` when it is not of the resolution on screen. */
export function countReading(text: string, view: LayerView, basemap: Basemap): Reading | undefined {
  const { resolution } = view.address;
  const reading = placeReading(text, resolution, basemap);
  if (!reading) return undefined;
  const value = view.at(reading.cell);
  // A cell outside the grid is covered by nobody either.
  if (value === 'uncovered' || value === undefined) return { ...reading, ...UNCOVERED };
  const notes = [hexagon(resolution, text)];
  if (value.partial) {
    notes.unshift('Part of the sum is missing: not every category or period is reported here.');
  }
  return { ...reading, text: countText(value.estimate, value.standardError), notes };
}

/** Reads a cell off a statistic. `counted` is what is counted there, when that is known. */
export function foundReading(
  text: string,
  statistic: Statistic,
  document: LayerDocument,
  found: FoundCell | undefined,
  counted: CellValue | 'uncovered' | undefined,
  basemap: Basemap,
): Reading | undefined {
  const resolution = Number(document.parameters.resolution);
  const reading = placeReading(text, resolution, basemap);
  if (!reading) return undefined;
  if (!found) {
    return counted === 'uncovered'
      ? { ...reading, ...UNCOVERED }
      : { ...reading, text: statistic.absent, notes: [hexagon(resolution, text)] };
  }
  const [first = '', ...notes] = statistic.read(found.figures, document);
  return { ...reading, text: first, notes: [...notes, hexagon(resolution, text)] };
}

/** Says which area of an evaluation a hexagon belongs to. */
export function areaReading(
  text: string,
  role: AreaRole | undefined,
  counted: CellValue | 'uncovered' | undefined,
  basemap: Basemap,
): Reading | undefined {
  const cell = BigInt(`0x${text}`);
  if (!isCell(cell)) return undefined;
  const resolution = resolutionOf(cell);
  const reading = placeReading(text, resolution, basemap);
  if (!reading) return undefined;
  if (counted === 'uncovered') return { ...reading, ...UNCOVERED };
  return {
    ...reading,
    text: role
      ? `In ${role === 'donor' ? 'a' : 'the'} ${AREA_LOOKS[role].text.toLowerCase()}`
      : 'In none of the areas',
    notes: [hexagon(resolution, text)],
  };
}

/** The reading in short, as elements with text nodes only; all of it stands beside the map. */
export function popupContent({ place, text, notes }: Reading): HTMLElement {
  const content = document.createElement('div');
  const add = (tag: string, className: string, words: string): void => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = words;
    content.append(element);
  };
  add('p', 'popup-place', place);
  add('p', 'popup-count', text);
  const [first] = notes;
  if (first !== undefined) add('p', 'popup-note', first);
  return content;
}
