/** A place that an evaluation compares: a local authority by its name, or single hexagons. */
import { cellFromText, parentOf, resolutionOf } from '#libs/grid';

export type Area =
  | { readonly authority: string; readonly cells?: never }
  | { readonly cells: readonly string[]; readonly authority?: never };

/** The two places of an evaluation. */
export const ROLES = ['treated', 'control'] as const;
export type Role = (typeof ROLES)[number];

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
