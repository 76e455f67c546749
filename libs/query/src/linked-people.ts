/**
 * The part of a query that only `linked-people` has: in which linkage project, who is on either side in which roles, and in
 * which area. The count is one number: people of the left side, in the area as the left agency records it, who are known to the
 * right side too.
 */
import { z } from 'zod';
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

/**
 * `total` is everyone the left agency knows; else a local authority by its code (`E06000023`). Finer areas need a public population
 * for their floor, which no grid of ours carries yet.
 */
const area = z.union([z.literal('total'), z.string().regex(/^[EW]\d{8}$/)]);

export const LinkedPeople = z
  .strictObject({ project: kebab, epoch: kebab, left: side, right: side, area })
  .refine(({ left, right }) => left.agency !== right.agency);
export type LinkedPeople = Readonly<z.infer<typeof LinkedPeople>>;

/** The resolution that such a query names, so that `finestResolution` of a grant bounds its area: cells of about the area's size. */
export const areaResolution = (wanted: LinkedPeople['area']): 4 | 5 => (wanted === 'total' ? 4 : 5);
