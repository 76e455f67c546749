/**
 * Policy documents: closed lists of grants a data controller writes and an auditor reads. A grant is a product of sets
 * and ranges; everything it does not name is denied; unknown keys are refused; numbers are integers or exact rationals.
 */
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { parseRho } from '#libs/dp';
import { CATEGORIES, dateToDay, MEASURES, parseInstant } from '#libs/query';
import { parseDocument } from './document.js';

const passes = (check: () => unknown): boolean => {
  try {
    check();
    return true;
  } catch {
    return false;
  }
};

const kebab = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
const line = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (text) => text === text.trim() && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text),
    'one printable line',
  );
const rho = z
  .string()
  .max(40)
  .regex(/^[1-9]\d*(?:\/[1-9]\d*)?$/)
  .refine((text) => passes(() => parseRho(text)), 'a rational in lowest terms, such as "1/8"');
const date = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/)
  .refine((text) => passes(() => dateToDay(text)), 'an existing date');
const instant = z.string().refine((text) => passes(() => parseInstant(text)), 'an instant in UTC');
const days = z.int().min(1).max(3_660);
const setOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .min(1)
    .max(200)
    .refine((items) => new Set(items).size === items.length, 'every item once')
    .readonly();

const window = z
  .strictObject({ minDays: days, maxDays: days, minLagDays: days })
  .refine(({ minDays, maxDays }) => minDays <= maxDays, 'minDays is at most maxDays');

const boundFields = {
  roles: setOf(kebab),
  purposes: setOf(kebab),
  measures: setOf(z.enum(MEASURES)),
  categories: setOf(z.enum(CATEGORIES)),
  finestResolution: z.int().min(4).max(9),
  window,
  /** Residents of the least populated area a query may return; 0 asks for none. */
  minPopulation: z.int().min(0).max(1_000_000),
  rhoPerQuery: rho,
  approval: z.enum(['automatic', 'hold']),
  /** Only questions that say `sealed` themselves: nobody but the agency ever sees its single answer. Open ones too when left out. */
  sealed: z.literal(true).optional(),
};

/** What a grant allows, or the federation's floor leaves to grants: a product of sets and ranges. */
const bounds = z.strictObject(boundFields);
export type Bounds = Readonly<z.infer<typeof bounds>>;

const grant = z
  .strictObject({
    id: kebab,
    ...boundFields,
    /** Only with `approval: hold`: how long a query waits, and how many different people must approve it. */
    holdHours: z.int().min(1).max(8_760).optional(),
    approvers: z.union([z.literal(1), z.literal(2)]).optional(),
    /** Only with `linked-people`: the other agencies that people may be linked with; any when left out. */
    partners: setOf(kebab).optional(),
    /** Only with `linked-people`: the roles that either side may be asked for, and then must be; any, or none named, when left out. */
    linkedRoles: setOf(kebab).optional(),
    legalBasis: line,
    approvedBy: line,
    validFrom: date,
    validUntil: date,
  })
  .refine(({ validFrom, validUntil }) => validFrom <= validUntil, 'validFrom is before validUntil')
  .refine(
    ({ approval, holdHours, approvers }) =>
      approval === 'hold'
        ? holdHours !== undefined
        : holdHours === undefined && approvers === undefined,
    'holdHours stands with approval: hold and only there',
  )
  .refine(
    ({ measures, partners, linkedRoles }) =>
      measures.includes('linked-people') || (partners === undefined && linkedRoles === undefined),
    'partners and linkedRoles stand with the measure linked-people and only there',
  );
export type Grant = Readonly<z.infer<typeof grant>>;

const limits = z.strictObject({
  datasets: z.record(
    kebab,
    z.strictObject({
      rhoPerYear: rho,
      privacyUnit: z
        .strictObject({
          maxPerRelease: z.int().min(1).max(1_000),
          maxPerYear: z.int().min(1).max(100_000),
        })
        .refine(
          (unit) => unit.maxPerRelease <= unit.maxPerYear,
          'maxPerRelease is at most maxPerYear',
        ),
    }),
  ),
  analysts: z.strictObject({ rhoPerYear: rho, queriesPerDay: z.int().min(1).max(100_000) }),
});
export type Limits = Readonly<z.infer<typeof limits>>;

const denyRule = z
  .strictObject({
    id: kebab,
    reason: line,
    analysts: setOf(line).optional(),
    roles: setOf(kebab).optional(),
    purposes: setOf(kebab).optional(),
    measures: setOf(z.enum(MEASURES)).optional(),
    categories: setOf(z.enum(CATEGORIES)).optional(),
    /** Of linked people: the other agency; roles that either side is asked for, which a question that names none is too. */
    partners: setOf(kebab).optional(),
    linkedRoles: setOf(kebab).optional(),
  })
  .refine(
    ({ id: _, reason: __, ...when }) => Object.keys(when).length > 0,
    'a rule names at least one dimension',
  );
export type DenyRule = Readonly<z.infer<typeof denyRule>>;

const anyObject = z.record(z.string(), z.unknown());
const request = {
  /** Members of a case are laid over the policy's `baseline`, one level deep. They may be wrong on purpose. */
  query: anyObject.optional(),
  analyst: anyObject.optional(),
  agency: anyObject.optional(),
  ledger: anyObject.optional(),
  at: instant.optional(),
};
const policyCase = z.strictObject({
  name: line,
  ...request,
  expect: z.union([
    z.strictObject({ allow: kebab }),
    z.strictObject({ hold: kebab }),
    z.strictObject({ deny: kebab }),
  ]),
});
export type PolicyCase = Readonly<z.infer<typeof policyCase>>;

const idsOnce = (items: readonly { readonly id: string }[]): boolean =>
  new Set(items.map(({ id }) => id)).size === items.length;

/** An agency's document, `policies/agencies/<id>.yaml`. */
export const AgencyPolicy = z.strictObject({
  version: z.literal(1),
  agency: kebab,
  grants: z.array(grant).max(100).refine(idsOnce, 'every grant id once').readonly(),
  limits,
  deny: z.array(denyRule).max(100).refine(idsOnce, 'every rule id once').readonly(),
  baseline: z.strictObject(request).optional(),
  cases: z
    .array(policyCase)
    .max(500)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'every name once')
    .readonly(),
});
export type AgencyPolicy = Readonly<z.infer<typeof AgencyPolicy>>;

/** The federation's floor, `policies/federation.yaml`: an agency may only be stricter. */
export const FederationPolicy = z.strictObject({
  version: z.literal(1),
  federation: kebab,
  floor: bounds,
  limits,
  deny: z.array(denyRule).max(100).refine(idsOnce, 'every rule id once').readonly(),
});
export type FederationPolicy = Readonly<z.infer<typeof FederationPolicy>>;

/** What a node runs under: its own document and the floor it stands on. */
export interface PolicySet {
  readonly federation: FederationPolicy;
  readonly agency: AgencyPolicy;
}

function read<T>(schema: z.ZodType<T>, what: string, text: string): T {
  const parsed = schema.safeParse(parseDocument(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  // names of members we know and numbers of items only: never what the author wrote
  const place = issue?.path.map(String).join('.') || 'document';
  const code = issue?.code === 'unrecognized_keys' ? 'unknown-field' : 'bad-policy';
  const why = issue?.code === 'custom' ? issue.message : 'see policies/schema.json';
  throw new ConcordatError(code, `${what} is not valid at ${place}: ${why}`);
}

/** Reads an agency's policy from YAML or JSON. Throws `bad-policy`, `unknown-field` and the codes of `parseDocument`. */
export const parsePolicy = (text: string): AgencyPolicy => read(AgencyPolicy, 'the policy', text);

/** Reads the federation's floor from YAML or JSON. Throws as `parsePolicy` does. */
export const parseFederation = (text: string): FederationPolicy =>
  read(FederationPolicy, 'the federation policy', text);

/** JSON Schema (draft 2020-12) of both kinds of document, for editors; `policies/schema.json` is this. */
export const policySchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Concordat policy document',
  anyOf: [AgencyPolicy, FederationPolicy].map((schema) => {
    const { $schema: _, ...body } = z.toJSONSchema(schema, { io: 'input' });
    return body;
  }),
});
