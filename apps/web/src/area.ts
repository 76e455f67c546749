/** A place that an evaluation compares: a local authority by its name, or hexagons. */
import { cellFromText, parentOf, resolutionOf } from '#libs/grid';

export type Area =
  | { readonly authority: string; readonly cells?: never }
  | { readonly cells: readonly string[]; readonly authority?: never };

/** Places of an evaluation that are one area each. */
export const ROLES = ['treated', 'control', 'displacement', 'displacementControl'] as const;
export type Role = (typeof ROLES)[number];
/** The same, and the areas that a synthetic control is mixed from. */
export const AREA_ROLES = [...ROLES, 'donor'] as const;
export type AreaRole = (typeof AREA_ROLES)[number];

/** Areas that a synthetic control is mixed from at most. */
export const MOST_DONORS = 40;
/** Hexagons in one area: a link that names more is too long to be sent. */
const MOST_CELLS = 200;
const CELLS = /^[0-9a-f]{15}(?:,[0-9a-f]{15})*$/;
const AUTHORITY = /^\p{L}[\p{L} .,'’()&-]{0,99}$/u;

/** An area as the address of the page writes it; undefined when it is none. */
export function parseArea(text: string | null): Area | undefined {
  if (text === null) return undefined;
  if (CELLS.test(text)) {
    const cells = [...new Set(text.split(','))];
    return cells.length <= MOST_CELLS && cells.every(isCellText) ? { cells } : undefined;
  }
  const authority = text.trim();
  return AUTHORITY.test(authority) ? { authority } : undefined;
}

/** An area as people type or paste it: hexagons may stand apart by blanks, commas or semicolons. */
export function readArea(text: string): Area | undefined {
  const tokens = text.split(/[\s,;]+/).filter((token) => token !== '');
  const isCells = tokens.length > 0 && tokens.every((token) => /^[0-9a-f]{15}$/i.test(token));
  return parseArea(isCells ? tokens.join().toLowerCase() : text);
}

export const formatArea = (area: Area): string => area.authority ?? area.cells.join(',');

function isCellText(text: string): boolean {
  try {
    const resolution = resolutionOf(cellFromText(text));
    return resolution >= 4 && resolution <= 9;
  } catch {
    return false;
  }
}

/** The area with a hexagon more, or without it when it has it. Hexagons that hold it or lie in it give way: nothing is counted twice. */
export function withCell(area: Area | undefined, text: string): Area | undefined {
  const old = area?.cells ?? [];
  const cells = old.includes(text)
    ? old.filter((other) => other !== text)
    : [...old.filter((other) => !isPartOf(other, text) && !isPartOf(text, other)), text];
  if (cells.length > MOST_CELLS) return area;
  return cells.length === 0 ? undefined : { cells };
}

function isPartOf(inner: string, outer: string): boolean {
  const [small, large] = [cellFromText(inner), cellFromText(outer)];
  const resolution = resolutionOf(large);
  return resolutionOf(small) > resolution && parentOf(small, resolution) === large;
}
