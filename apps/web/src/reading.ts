import { cellBoundary, cellCentre, isCell, resolutionOf } from '#libs/grid';
import { type Basemap, placeOf } from './basemap.js';
import { countText } from './interval.js';
import type { LayerView } from './layer-store.js';
import { areaText } from './words.js';

/** What one hexagon says, in words. */
export interface Reading {
  readonly cell: bigint;
  /** Centre: [longitude, latitude]. */
  readonly at: readonly [number, number];
  readonly place: string;
  readonly text: string;
  readonly notes: readonly string[];
}

/** Reads a cell off the view; `undefined` when it is not of the resolution on screen or not loaded. */
export function cellReading(text: string, view: LayerView, basemap: Basemap): Reading | undefined {
  const cell = BigInt(`0x${text}`);
  const { resolution } = view.address;
  if (!isCell(cell) || resolutionOf(cell) !== resolution) return undefined;
  const value = view.at(cell);
  const { latitude, longitude } = cellCentre(cell);
  const at = [longitude, latitude] as const;
  const reading = { cell, at, place: placeOf(basemap, at, cellBoundary(cell)) };
  // A cell outside the grid is covered by nobody either.
  if (value === 'uncovered' || value === undefined) {
    return { ...reading, text: 'No agency covers this place', notes: ['Missing is not zero.'] };
  }
  const notes = [`Hexagon of about ${areaText(resolution)} · ${text}`];
  if (value.partial) {
    notes.unshift('Part of the sum is missing: not every category or period is reported here.');
  }
  return { ...reading, text: countText(value.estimate, value.standardError), notes };
}

/** The reading as elements: text nodes only. */
export function popupContent({ place, text, notes }: Reading): HTMLElement {
  const content = document.createElement('div');
  const add = (tag: string, className: string, words: string): void => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = words;
    content.append(element);
  };
  add('h3', 'popup-place', place);
  add('p', 'popup-count', text);
  for (const note of notes) add('p', 'popup-note', note);
  return content;
}
