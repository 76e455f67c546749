/**
 * The canonical query: what is asked of every agency, in one byte form. Two analysts who ask the same thing hold the
 * same fingerprint and share one answer.
 */
import { z } from 'zod';
import { ConcordatError, digestOf } from '#libs/bytes';
import { parseRho } from '#libs/dp';
import { CATEGORIES, type Category } from './category.js';
import { areaResolution, LinkedPeople } from './linked-people.js';
import { canonicalPeriod, isWeek, periodsOverlap } from './period.js';

declare const fingerprintBrand: unique symbol;
/** 64 lower-case hex digits: the domain-separated SHA-256 of a canonical query. */
export type Fingerprint = string & { readonly [fingerprintBrand]: 'Fingerprint' };

/** A query refused as written. `field` names the member at fault (`''` for the document itself), never its value. */
export class QueryError extends ConcordatError {
  override readonly name = 'QueryError';

  constructor(
    code: string,
    readonly field: string,
    message: string,
  ) {
    super(code, message);
  }
}

/** What is counted: incidents, different people named in them, or people known to two agencies. */
export const MEASURES = ['incidents', 'people', 'linked-people'] as const;
export type Measure = (typeof MEASURES)[number];

const MAX_PERIODS = 120;
const MAX_AGENCIES = 400;
/** Bounds numerator and denominator, so that the exact sum of a year of hostile spends stays quick to add to. */
const MAX_RHO_PART = 1_000_000n;
const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

const ADVICE = {
  'query-not-object': 'a query is one JSON object',
  'unknown-field': 'remove every field that the query format does not have',
  'missing-field': 'add the missing field',
  'bad-version': 'this node reads queries of version 1',
  'bad-measure': 'the measure is "incidents", "people" or "linked-people"',
  'bad-categories': 'categories is a list of at least one category name',
  'unknown-category': `use the common category names: ${CATEGORIES.join(', ')}`,
  'bad-periods':
    'periods is a list of months YYYY-MM, windows YYYY-MM/YYYY-MM or ISO weeks YYYY-Www',
  'bad-period': 'write a month as YYYY-MM, a window as YYYY-MM/YYYY-MM, a week as YYYY-Www',
  'mixed-periods': 'ask for weeks or for months, not for both in one query',
  'period-order': 'a window must not end before it starts',
  'period-overlap': 'periods must not share a month',
  'bad-resolution': 'the resolution is an integer from 4 to 9',
  'bad-grid': 'the grid is "ew-2026-1"',
  'bad-grid-hash': 'gridHash is 64 lower-case hex digits',
  'bad-agencies': 'agencies is a list of at least one agency id; leave it out to ask every agency',
  'bad-rho':
    'rho is a string such as "1/8": a rational in lowest terms, both parts at most 1000000',
  'rho-not-positive': 'rho must be greater than zero',
  'bad-linkage':
    'linkage names project, epoch, left and right (agency, sorted roles and categories) and area; a query has it with the measure "linked-people" and only then, with agencies the two named, one period of months, and resolution 4 for the total, 5 for a local authority, or that of the H3 cell, 4 to 7',
  'bad-purpose':
    'the purpose is lower-case ASCII words joined by hyphens, such as hotspot-policing',
  'bad-sealed': 'sealed is true; leave it out to let the coordinator see every answer that it may',
  'sealed-linkage': 'a count of linked people is never sealed; leave sealed out',
  'duplicate-item': 'name every item of a list once',
  'not-sorted': 'lists of a canonical query are sorted',
  'list-too-long': 'shorten the list',
} as const;
type QueryFault = keyof typeof ADVICE;

const fault = (code: QueryFault, field: string): QueryError =>
  new QueryError(code, field, `query${field && ` field ${field}`}: ${ADVICE[code]}`);

const custom = (code: QueryFault) => ({ params: { code } });

const isSortedSet = (items: readonly string[]): boolean =>
  items.every((item, i) => i === 0 || (items[i - 1] ?? '') < item);
const sortedSet = custom('not-sorted');

/** The fault of a rho as spelled, or undefined. */
function rhoFault(text: string): QueryFault | undefined {
  if (/^-[1-9]|^0$/.test(text)) return 'rho-not-positive';
  try {
    const { num, den } = parseRho(text);
    return num > MAX_RHO_PART || den > MAX_RHO_PART ? 'bad-rho' : undefined;
  } catch {
    return 'bad-rho';
  }
}

const rho = z.string().superRefine((text, context) => {
  const code = rhoFault(text);
  if (code) context.addIssue({ code: 'custom', ...custom(code) });
});

const period = z.string().superRefine((text, context) => {
  try {
    if (canonicalPeriod(text) === text) return;
    context.addIssue({ code: 'custom', ...custom('bad-period') });
  } catch (error) {
    const code = (error as ConcordatError).code as QueryFault;
    context.addIssue({ code: 'custom', ...custom(code) });
  }
});

/** Whether `linkage` stands with its measure alone, and the rest of the query with it: two agencies, one number. */
function isLinkageConsistent({
  measure,
  linkage,
  agencies,
  categories,
  periods,
  resolution,
}: {
  readonly measure: Measure;
  readonly linkage?: LinkedPeople | undefined;
  readonly agencies?: readonly string[] | undefined;
  readonly categories: readonly string[];
  readonly periods: readonly string[];
  readonly resolution: number;
}): boolean {
  if (linkage === undefined) return measure !== 'linked-people';
  const asked = [linkage.left.agency, linkage.right.agency].sort();
  const named = [linkage.left, linkage.right].flatMap((side) => side.categories ?? []);
  return (
    measure === 'linked-people' &&
    agencies?.join() === asked.join() &&
    named.every((category) => categories.includes(category)) &&
    periods.length === 1 &&
    !periods.some(isWeek) &&
    resolution === areaResolution(linkage.area)
  );
}

/**
 * Schema of a query that already is canonical: sorted sets, one spelling of every period and rational, no unknown
 * field. Wire messages embed it; documents people write go through `canonicaliseQuery`.
 */
export const Query = z
  .strictObject({
    version: z.literal(1),
    measure: z.enum(MEASURES),
    categories: z
      .array(z.enum(CATEGORIES))
      .min(1)
      .max(CATEGORIES.length)
      .refine(isSortedSet, sortedSet)
      .readonly(),
    periods: z
      .array(period)
      .min(1)
      .max(MAX_PERIODS)
      .refine(isSortedSet, sortedSet)
      // Months and weeks apart, the order of the texts is that of time: neighbours are all that can overlap.
      .refine((all) => new Set(all.map(isWeek)).size < 2, custom('mixed-periods'))
      .refine(
        (all) => all.every((item, i) => i === 0 || !periodsOverlap(all[i - 1] ?? item, item)),
        custom('period-overlap'),
      )
      .readonly(),
    resolution: z.int().min(4).max(9),
    grid: z.literal('ew-2026-1'),
    gridHash: z.string().regex(/^[0-9a-f]{64}$/),
    agencies: z
      .array(z.string().max(64).regex(KEBAB))
      .min(1)
      .max(MAX_AGENCIES)
      .refine(isSortedSet, sortedSet)
      .readonly()
      .optional(),
    rho,
    purpose: z.string().max(64).regex(KEBAB),
    linkage: LinkedPeople.optional(),
    /** Only sums over several agencies may be seen by anybody; one spelling: `true`, or not there. */
    sealed: z.literal(true).optional(),
  })
  .superRefine((query, context) => {
    if (!isLinkageConsistent(query)) {
      context.addIssue({ code: 'custom', path: ['linkage'], ...custom('bad-linkage') });
    }
    if (query.sealed && query.linkage) {
      context.addIssue({ code: 'custom', path: ['sealed'], ...custom('sealed-linkage') });
    }
  });
export type Query = Readonly<z.infer<typeof Query>>;

const FIELD_FAULT: Record<keyof Query, QueryFault> = {
  version: 'bad-version',
  measure: 'bad-measure',
  categories: 'bad-categories',
  periods: 'bad-periods',
  resolution: 'bad-resolution',
  grid: 'bad-grid',
  gridHash: 'bad-grid-hash',
  agencies: 'bad-agencies',
  rho: 'bad-rho',
  purpose: 'bad-purpose',
  linkage: 'bad-linkage',
  sealed: 'bad-sealed',
};
const OPTIONAL: readonly string[] = ['agencies', 'linkage', 'sealed'];
const FIELDS = Object.keys(FIELD_FAULT) as readonly (keyof Query)[];
const LIST_LIMITS = { categories: CATEGORIES.length, periods: MAX_PERIODS, agencies: MAX_AGENCIES };

const faultOf = (issue: z.core.$ZodIssue): QueryError => {
  const field = String(issue.path[0] ?? '') as keyof Query;
  const own = issue.code === 'custom' ? (issue.params?.code as QueryFault) : undefined;
  if (own) return fault(own, field);
  const inItem = issue.path.length > 1;
  return fault(field === 'categories' && inItem ? 'unknown-category' : FIELD_FAULT[field], field);
};

/** Strings sorted by UTF-16 code unit; refuses a repeated one. Items of other types are left for the schema. */
const sortSet = (field: string, items: readonly unknown[]): readonly unknown[] => {
  const strings = items.filter((item) => typeof item === 'string');
  if (new Set(strings).size !== strings.length) throw fault('duplicate-item', field);
  return strings.length === items.length ? strings.sort() : items;
};

const normalPeriod = (item: unknown): unknown => {
  try {
    return typeof item === 'string' ? canonicalPeriod(item) : item;
  } catch {
    return item; // the schema names the fault
  }
};

/**
 * The canonical form of a query as people or programs write it: sets sorted, one-month windows spelled as months.
 * Refuses everything else that is not already canonical, repeated items included, so that no two readers of one
 * document can disagree on it. Throws `QueryError`; its `code` is one per fault.
 */
export function canonicaliseQuery(input: unknown): Query {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw fault('query-not-object', '');
  }
  for (const key of Reflect.ownKeys(input)) {
    if (!FIELDS.includes(key as keyof Query)) throw fault('unknown-field', '');
  }
  const draft: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const value = Object.hasOwn(input, field)
      ? (input as Record<string, unknown>)[field]
      : undefined;
    if (value !== undefined) draft[field] = value;
    else if (!OPTIONAL.includes(field)) throw fault('missing-field', field);
  }
  for (const [field, limit] of Object.entries(LIST_LIMITS)) {
    const list = draft[field];
    if (!Array.isArray(list)) continue;
    // before any other look at the list, so that a huge one costs nothing
    if (list.length > limit) throw fault('list-too-long', field);
    draft[field] = sortSet(field, field === 'periods' ? list.map(normalPeriod) : list);
  }
  if (draft.sealed === false) delete draft.sealed;
  const parsed = Query.safeParse(draft);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw issue ? faultOf(issue) : fault('query-not-object', '');
}

/** SHA-256 over `concordat/query/v1` and the RFC 8785 JSON of the query, in hex. */
export const fingerprint = (query: Query): Fingerprint =>
  digestOf('concordat/query/v1', query) as Fingerprint;

/** One entry group of a release: one category in one period. */
export interface QueryGroup {
  readonly category: Category;
  readonly period: string;
}

/** The groups a query asks for, in the order of every release vector: by category, then by period. */
export const groupsOf = (query: Query): readonly QueryGroup[] =>
  query.categories.flatMap((category) => query.periods.map((period) => ({ category, period })));
