/** What a decision is made from, read strictly; the facts that bounds are compared with. */
import { z } from 'zod';
import { compareRational, parseRho, type Rational, type Rho, rational, ZERO } from '#libs/dp';
import { CATEGORIES, daysOf, londonDay, type Query } from '#libs/query';

const kebab = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
/** Sums of spends have longer denominators than spends do. */
const amount = z
  .string()
  .max(20_000)
  .regex(/^(?:0|[1-9]\d*(?:\/[1-9]\d*)?)$/);

export const DatasetName = kebab;

/** Who asks, as asserted by the identity provider and checked by the caller. */
export const Analyst = z.strictObject({
  id: z.string().min(1).max(200),
  roles: z.array(kebab).max(50).readonly(),
});
export type Analyst = Readonly<z.infer<typeof Analyst>>;

/** What the deciding node knows of itself; nothing in it depends on its records' contents. */
export const AgencyView = z.strictObject({
  id: kebab,
  /** Categories its mapping can produce. */
  categories: z.array(z.enum(CATEGORIES)).max(CATEGORIES.length).readonly(),
  gridHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Public residents of the least populated cell of its domain, by resolution. Absent: not known. */
  smallestPopulation: z
    .partialRecord(z.enum(['4', '5', '6', '7', '8', '9']), z.int().min(0))
    .optional(),
});
export type AgencyView = Readonly<z.infer<typeof AgencyView>>;

/** The budget as it stands; `ledgerView` of `libs/ledger` makes one. An absent entry is a zero. */
export const LedgerView = z.strictObject({
  spent: z.record(kebab, z.record(z.string().regex(/^\d{4}$/), amount)),
  analysts: z
    .record(
      z.string().min(1).max(200),
      z.strictObject({ rhoThisYear: amount, queriesToday: z.int().min(0) }),
    )
    .optional(),
});
export type LedgerView = Readonly<z.infer<typeof LedgerView>>;

/** Value of an amount that `LedgerView` admitted. */
export function amountOf(text: string | undefined): Rational {
  if (text === undefined) return ZERO;
  const [num = '0', den = '1'] = text.split('/');
  return rational(BigInt(num), BigInt(den));
}

/** A request reduced to what bounds speak of. */
export interface Facts {
  readonly analyst: string;
  readonly roles: readonly string[];
  readonly purpose: string;
  readonly measure: string;
  /** Categories asked that this agency holds. */
  readonly categories: readonly string[];
  readonly resolution: number;
  /** Days of the shortest period; days from the first to the last day asked, both counted; whole days since the last. */
  readonly shortestDays: number;
  readonly spanDays: number;
  readonly lagDays: number;
  readonly population: number | undefined;
  readonly rho: Rho;
  /** Of a question about linked people: the other agency, and the roles either side is asked for; `any` where one side names none. */
  readonly partner: string | undefined;
  readonly linkedRoles: readonly string[] | 'any' | undefined;
  /** Whether the question itself says so; a node refuses its task where the round is not. */
  readonly sealed: boolean;
  /** Civil day in Europe/London on which the decision is made. */
  readonly today: number;
}

/** What only questions about linked people have. */
function linkedFacts({ linkage }: Query, agency: string): Pick<Facts, 'partner' | 'linkedRoles'> {
  if (!linkage) return { partner: undefined, linkedRoles: undefined };
  const { left, right } = linkage;
  return {
    partner: left.agency === agency ? right.agency : left.agency,
    linkedRoles: left.roles && right.roles ? [...left.roles, ...right.roles] : 'any',
  };
}

/** The facts of a canonical query asked by `analyst` of `agency` at `nowMs`. */
export function factsOf(query: Query, analyst: Analyst, agency: AgencyView, nowMs: number): Facts {
  const spans = query.periods.map(daysOf);
  const firstDay = Math.min(...spans.map((span) => span.firstDay));
  const lastDay = Math.max(...spans.map((span) => span.lastDay));
  const today = londonDay(nowMs);
  const resolution = String(query.resolution) as '4' | '5' | '6' | '7' | '8' | '9';
  return {
    analyst: analyst.id,
    roles: analyst.roles,
    purpose: query.purpose,
    measure: query.measure,
    categories: query.categories.filter((category) => agency.categories.includes(category)),
    resolution: query.resolution,
    shortestDays: Math.min(...spans.map((span) => span.lastDay - span.firstDay + 1)),
    spanDays: lastDay - firstDay + 1,
    lagDays: today - lastDay,
    population: agency.smallestPopulation?.[resolution],
    rho: parseRho(query.rho),
    ...linkedFacts(query, agency.id),
    sealed: query.sealed === true,
    today,
  };
}

export const atMost = (a: Rational, b: Rational): boolean => compareRational(a, b) <= 0;
