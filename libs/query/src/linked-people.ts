/**
 * The part of a query that only `linked-people` has: in which linkage project, who is on either side in which roles, and in
 * which area. The count is one number: people of the left side, in the area as the left agency records it, who are known to the
 * right side too.
 */
import { z } from 'zod';
import { cellFromText, resolutionOf } from '#libs/grid';
import { CATEGORIES } from './category.js';

const MAX_ROLES = 16;
const kebab = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);

const isSortedSet = (items: readonly string[]): boolean =>
  items.every((item, i) => i === 0 || (items[i - 1] ?? '') < item);

const side = z.strictObject({
  agency: kebab,
  /** How the agency knows the person, such as `suspect` or `tenant`; any role when left out. Sorted, each once. */
  roles: z.array(kebab).min(1).max(MAX_ROLES).refine(isSortedSet).readonly().optional(),
  /** What the agency knows the person for, of the query's categories; all of them when left out. Sorted, each once. */
  categories: z
    .array(z.enum(CATEGORIES))
    .min(1)
    .max(CATEGORIES.length)
    .refine(isSortedSet)
    .readonly()
    .optional(),
});
export type LinkedSide = Readonly<z.infer<typeof side>>;

const COARSEST_CELL = 4;
const FINEST_CELL = 7;

/** Resolution of a cell written as its index, undefined for what is none. */
function cellResolution(text: string): number | undefined {
  try {
    return resolutionOf(cellFromText(text));
  } catch {
    return undefined;
  }
}

const isAreaCell = (text: string): boolean => {
  const resolution = cellResolution(text) ?? 0;
  return resolution >= COARSEST_CELL && resolution <= FINEST_CELL;
};

/**
 * `total` is everyone the left agency knows; else a local authority by its code (`E06000023`), or an H3 cell of resolution 4 to 7 by its
 * index (`871958392ffffff`). Cells in which too few people live are refused where the question is opened and answered.
 */
const area = z.union([
  z.literal('total'),
  z.string().regex(/^[EW]\d{8}$/),
  z.string().refine(isAreaCell),
]);

export const LinkedPeople = z
  .strictObject({ project: kebab, epoch: kebab, left: side, right: side, area })
  .refine(({ left, right }) => left.agency !== right.agency);
export type LinkedPeople = Readonly<z.infer<typeof LinkedPeople>>;

/**
 * The resolution that such a query names, so that `finestResolution` of a grant bounds its area: a cell's own, for other areas that of cells
 * of about their size.
 */
export const areaResolution = (wanted: LinkedPeople['area']): number =>
  wanted === 'total' ? 4 : (cellResolution(wanted) ?? 5);
