/**
 * What is to be computed, in one byte form: method, its version, every parameter, and the releases by their hashes. The digest of
 * that is the content key of the result: same key, same bytes, whoever computes it.
 */
import { z } from 'zod';
import { ConcordatError, digestOf } from '#libs/bytes';
import { parseRho } from '#libs/dp';
import { cellFromText } from '#libs/grid';
import { Digest, MonthText } from '#libs/protocol';
import { CATEGORIES } from '#libs/query';
import { DecimalText } from './decimal.js';

const MOST_RELEASES = 120;
const MOST_AREA_CELLS = 5_000;
const MOST_DONORS = 40;

const category = z.enum(CATEGORIES);
const resolution = z.int().min(4).max(9);
const from = MonthText.optional();
const to = MonthText.optional();
/** Strictly between 0 and 1. */
const share = DecimalText.refine(
  (text) => Number(text) > 0 && Number(text) < 1,
  'a share above 0 and below 1',
);
const draws = (least: number, most: number) => z.int().min(least).max(most);
const cell = z.string().refine((text) => {
  try {
    cellFromText(text);
    return true;
  } catch {
    return false;
  }
}, 'an H3 cell');
const area = z.array(cell).min(1).max(MOST_AREA_CELLS);
const rho = z.string().refine((text) => {
  try {
    parseRho(text);
    return true;
  } catch {
    return false;
  }
}, 'an exact rational above 0, such as 1/8');

const cells = { category, resolution, from, to };

/** Parameters of each method. Defaults are filled in, so that a request names everything it depends on. */
const PARAMETERS = {
  concentration: z.strictObject({
    ...cells,
    coverage: share.default('0.95'),
  }),
  hotspots: z.strictObject({ ...cells, rate: share.default('0.05'), top: share.default('0.01') }),
  trend: z.strictObject({ ...cells, rate: share.default('0.05') }),
  emerging: z.strictObject({
    ...cells,
    draws: draws(10, 500).default(50),
    leastShown: share.default('0.8'),
  }),
  warnings: z.strictObject({
    ...cells,
    recent: z.int().min(1).max(12).default(3),
    falseAlarms: share
      .refine((text) => Number(text) < 0.5, 'a share below a half')
      .default('0.003'),
  }),
  forecast: z.strictObject({
    ...cells,
    horizon: z.int().min(1).max(4).default(1),
    top: share.default('0.01'),
    coverage: share.default('0.9'),
    worlds: draws(2, 50).default(4),
    deprivation: Digest,
  }),
  fairness: z.strictObject({
    ...cells,
    top: share.default('0.01'),
    worlds: draws(2, 50).default(4),
    deprivation: Digest,
  }),
  evaluation: z.strictObject({
    category,
    from,
    to,
    start: MonthText,
    treated: area,
    control: area,
    displacement: area.optional(),
    displacementControl: area.optional(),
    donors: z.array(area).min(2).max(MOST_DONORS).optional(),
    size: share.default('0.05'),
  }),
  plan: z.strictObject({
    categories: z.array(category).min(1).optional(),
    from,
    to,
    rhoPerYear: rho,
    runs: z.int().min(1).max(54).default(12),
    top: share.default('0.01'),
    power: share.default('0.8'),
  }),
} as const;

export type Method = keyof typeof PARAMETERS;
export const METHODS = Object.keys(PARAMETERS) as readonly Method[] as readonly [
  Method,
  ...Method[],
];
export type ParametersOf<M extends Method> = z.infer<(typeof PARAMETERS)[M]>;

/** Raised whenever a method would give other bytes for the same request. */
const METHOD_VERSIONS: Readonly<Record<Method, number>> = {
  concentration: 9,
  hotspots: 5,
  trend: 2,
  emerging: 5,
  warnings: 7,
  forecast: 10,
  fairness: 7,
  evaluation: 4,
  plan: 2,
};

export interface LayerRequest<M extends Method = Method> {
  readonly method: M;
  readonly methodVersion: number;
  readonly parameters: ParametersOf<M>;
  /** Release ids, ascending, each once. */
  readonly releases: readonly string[];
}

const isMethod = (method: string): method is Method => Object.hasOwn(PARAMETERS, method);

/**
 * The canonical request. Parameters that are null or undefined count as left out. Throws `unknown-method`, `bad-parameter` (names
 * it), `bad-releases`.
 */
export function layerRequest(
  method: string,
  parameters: Readonly<Record<string, unknown>>,
  releases: readonly string[],
): LayerRequest {
  if (!isMethod(method)) {
    throw new ConcordatError('unknown-method', `a method is one of ${METHODS.join(', ')}`);
  }
  const given = Object.fromEntries(
    Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined),
  );
  const parsed = PARAMETERS[method].safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const name = String(issue?.path[0] ?? unknown ?? 'parameters');
    const known = Object.hasOwn(PARAMETERS[method].shape, name);
    throw new ConcordatError(
      'bad-parameter',
      known
        ? `${method}: mend the parameter ${name} (${issue?.message})`
        : `${method} has no such parameter; it has ${Object.keys(PARAMETERS[method].shape).join(', ')}`,
    );
  }
  const ids = [...new Set(releases)].sort();
  if (
    ids.length === 0 ||
    ids.length !== releases.length ||
    ids.length > MOST_RELEASES ||
    !ids.every((id) => Digest.safeParse(id).success)
  ) {
    throw new ConcordatError(
      'bad-releases',
      `name 1 to ${MOST_RELEASES} releases, each once, by their 64 hex digits`,
    );
  }
  return {
    method,
    methodVersion: METHOD_VERSIONS[method],
    parameters: parsed.data,
    releases: ids,
  };
}

/** Hex digest that names the result of a request before it is computed; Monte Carlo methods draw from it. */
export const layerKey = (request: LayerRequest): string =>
  digestOf('concordat/layer/v1', { ...request, parameters: { ...request.parameters } });
