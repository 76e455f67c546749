/**
 * The dimensions of a grant, as one table that deciding, linting, comparing and explaining share. Every dimension is a
 * set or one end of a range, so that "does B allow more than A" is decided dimension by dimension.
 */
import { compareRational, formatRational, parseRho, type Rational, rational } from '#libs/dp';
import { dateToDay, dayToDate } from '#libs/query';
import type { Bounds, Grant } from './policy.js';
import { atMost, type Facts } from './request.js';

/** A set allows its items, `any` whatever there is; `most` and `least` are the two ends of a range. */
type Extent =
  | { readonly kind: 'any' }
  | { readonly kind: 'set'; readonly items: readonly string[] }
  | { readonly kind: 'most' | 'least'; readonly bound: Rational };

export interface Dimension<B extends Bounds = Bounds> {
  /** Refusal code, and name in comparisons: the field in kebab-case. */
  readonly code: string;
  /** Where the bound stands in the document. */
  readonly path: string;
  readonly admits: (bounds: B, facts: Facts) => boolean;
  readonly extent: (bounds: B) => Extent;
  readonly show: (bounds: B) => string;
}

const setOf = (items: readonly string[]): Extent => ({ kind: 'set', items });
const most = (bound: number): Extent => ({ kind: 'most', bound: rational(BigInt(bound)) });
const least = (bound: number): Extent => ({ kind: 'least', bound: rational(BigInt(bound)) });

/** Dimensions that the federation's floor and every grant have, in the order they are checked. */
export const BOUND_DIMENSIONS: readonly Dimension[] = [
  {
    code: 'roles',
    path: 'roles',
    admits: ({ roles }, facts) => facts.roles.some((role) => roles.includes(role)),
    extent: ({ roles }) => setOf(roles),
    show: ({ roles }) => roles.join(', '),
  },
  {
    code: 'purposes',
    path: 'purposes',
    admits: ({ purposes }, { purpose }) => purposes.includes(purpose),
    extent: ({ purposes }) => setOf(purposes),
    show: ({ purposes }) => purposes.join(', '),
  },
  {
    code: 'measures',
    path: 'measures',
    admits: ({ measures }, { measure }) => measures.some((item) => item === measure),
    extent: ({ measures }) => setOf(measures),
    show: ({ measures }) => measures.join(', '),
  },
  {
    code: 'categories',
    path: 'categories',
    admits: ({ categories }, facts) =>
      facts.categories.every((asked) => categories.some((item) => item === asked)),
    extent: ({ categories }) => setOf(categories),
    show: ({ categories }) => categories.join(', '),
  },
  {
    code: 'finest-resolution',
    path: 'finestResolution',
    admits: ({ finestResolution }, { resolution }) => resolution <= finestResolution,
    extent: ({ finestResolution }) => most(finestResolution),
    show: ({ finestResolution }) => String(finestResolution),
  },
  {
    code: 'min-days',
    path: 'window.minDays',
    admits: ({ window }, { shortestDays }) => shortestDays >= window.minDays,
    extent: ({ window }) => least(window.minDays),
    show: ({ window }) => String(window.minDays),
  },
  {
    code: 'max-days',
    path: 'window.maxDays',
    admits: ({ window }, { spanDays }) => spanDays <= window.maxDays,
    extent: ({ window }) => most(window.maxDays),
    show: ({ window }) => String(window.maxDays),
  },
  {
    code: 'min-lag-days',
    path: 'window.minLagDays',
    admits: ({ window }, { lagDays }) => lagDays >= window.minLagDays,
    extent: ({ window }) => least(window.minLagDays),
    show: ({ window }) => String(window.minLagDays),
  },
  {
    code: 'min-population',
    path: 'minPopulation',
    // a population that is not known is not enough
    admits: ({ minPopulation }, { population }) =>
      minPopulation === 0 || (population !== undefined && population >= minPopulation),
    extent: ({ minPopulation }) => least(minPopulation),
    show: ({ minPopulation }) => String(minPopulation),
  },
  {
    code: 'rho-per-query',
    path: 'rhoPerQuery',
    admits: ({ rhoPerQuery }, { rho }) => atMost(rho, parseRho(rhoPerQuery)),
    extent: ({ rhoPerQuery }) => ({ kind: 'most', bound: parseRho(rhoPerQuery) }),
    show: ({ rhoPerQuery }) => rhoPerQuery,
  },
  {
    code: 'sealed',
    path: 'sealed',
    admits: ({ sealed }, facts) => !sealed || facts.sealed,
    extent: ({ sealed }) => setOf(sealed ? ['sealed'] : ['open', 'sealed']),
    show: ({ sealed }) => (sealed ? 'sealed' : 'open, sealed'),
  },
];

/** Whether a person must agree; part of comparisons, not of admitting. */
export const APPROVAL: Dimension = {
  code: 'approval',
  path: 'approval',
  admits: () => true,
  extent: ({ approval }) => setOf(approval === 'automatic' ? ['hold', 'automatic'] : ['hold']),
  show: ({ approval }) => approval,
};

const VALIDITY: readonly Dimension<Grant>[] = [
  {
    code: 'valid-from',
    path: 'validFrom',
    admits: ({ validFrom }, { today }) => today >= dateToDay(validFrom),
    extent: ({ validFrom }) => least(dateToDay(validFrom)),
    show: ({ validFrom }) => dayToDate(dateToDay(validFrom)),
  },
  {
    code: 'valid-until',
    path: 'validUntil',
    admits: ({ validUntil }, { today }) => today <= dateToDay(validUntil),
    extent: ({ validUntil }) => most(dateToDay(validUntil)),
    show: ({ validUntil }) => dayToDate(dateToDay(validUntil)),
  },
];

const setOrAny = (items: readonly string[] | undefined): Extent =>
  items ? setOf(items) : { kind: 'any' };

/** Bounds on whom and in which roles people are linked with; a grant without them, and any other question, is not bound. */
const LINKED: readonly Dimension<Grant>[] = [
  {
    code: 'partners',
    path: 'partners',
    admits: ({ partners }, { partner }) =>
      !partners || partner === undefined || partners.includes(partner),
    extent: ({ partners }) => setOrAny(partners),
    show: ({ partners }) => partners?.join(', ') ?? 'any',
  },
  {
    code: 'linked-roles',
    path: 'linkedRoles',
    admits: ({ linkedRoles: granted }, { linkedRoles: asked }) =>
      !granted ||
      asked === undefined ||
      (asked !== 'any' && asked.every((role) => granted.includes(role))),
    extent: ({ linkedRoles }) => setOrAny(linkedRoles),
    show: ({ linkedRoles }) => linkedRoles?.join(', ') ?? 'any',
  },
];

const APPROVERS: Dimension<Grant> = {
  code: 'approvers',
  path: 'approvers',
  admits: () => true,
  extent: ({ approval, approvers }) => least(approval === 'automatic' ? 0 : (approvers ?? 1)),
  show: ({ approval, approvers }) => String(approval === 'automatic' ? 0 : (approvers ?? 1)),
};

/** Dimensions a request is checked against in a grant. */
export const GRANT_DIMENSIONS: readonly Dimension<Grant>[] = [
  ...BOUND_DIMENSIONS,
  ...LINKED,
  ...VALIDITY,
];

/** Dimensions two grants are compared in. */
export const COMPARED_DIMENSIONS: readonly Dimension<Grant>[] = [
  ...GRANT_DIMENSIONS,
  APPROVAL,
  APPROVERS,
];

/** What `to` is beside `from`: it allows something new, only less, or the same. */
export type Change = 'WIDENS' | 'NARROWS' | 'EQUAL';

/** Compares two extents by set or range inclusion. Sets of which neither holds the other widen: something new is allowed. */
export function compareExtents(from: Extent, to: Extent): Change {
  if (from.kind === 'any' || to.kind === 'any') {
    if (from.kind === to.kind) return 'EQUAL';
    return from.kind === 'any' ? 'NARROWS' : 'WIDENS';
  }
  if (from.kind === 'set' && to.kind === 'set') {
    if (to.items.some((item) => !from.items.includes(item))) return 'WIDENS';
    return from.items.every((item) => to.items.includes(item)) ? 'EQUAL' : 'NARROWS';
  }
  if (from.kind === 'set' || to.kind === 'set') return 'WIDENS';
  const order = compareRational(to.bound, from.bound);
  if (order === 0) return 'EQUAL';
  return order > 0 === (to.kind === 'most') ? 'WIDENS' : 'NARROWS';
}

/** A rational bound one step of its own numerator looser: 1/8 becomes 1/4. */
export function nextRho(text: string): string {
  const { num, den } = parseRho(text);
  return formatRational(rational(num + 1n, den));
}
