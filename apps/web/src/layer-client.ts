/** Statistics as the coordinator serves them: asked for over GraphQL, read as the document that anybody can compute again. */

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A layer's document (docs/analytics/layers.md). Figures are decimal texts. */
export interface LayerDocument {
  readonly key: string;
  readonly method: string;
  readonly methodVersion: number;
  readonly parameters: Readonly<Record<string, Json>>;
  readonly releases: readonly string[];
  readonly question: string;
  readonly citation: string;
  readonly uncertainty: string;
  readonly limitations: readonly string[];
  readonly summary: Readonly<Record<string, Json>>;
  readonly listed: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** Types of what can be asked with, as the schema has them. */
const ARGUMENTS = {
  releases: '[ID!]!',
  category: 'String!',
  resolution: 'Int!',
  from: 'String',
  to: 'String',
  layer: 'String!',
  start: 'String!',
  treated: '[ID!]!',
  control: '[ID!]!',
  displacement: '[ID!]',
  displacementControl: '[ID!]',
  donors: '[[ID!]!]',
  rhoPerYear: 'String!',
  runs: 'Int',
} as const;

/** What is asked for. `field` is a field of the schema, `given` its arguments; null ones are left to their defaults. */
export interface LayerQuestion {
  readonly field:
    | 'hotspots'
    | 'emerging'
    | 'trend'
    | 'warnings'
    | 'forecast'
    | 'concentration'
    | 'evaluation'
    | 'plan';
  readonly given: Readonly<Partial<Record<keyof typeof ARGUMENTS, Json>>>;
}

/** How far a computation is. */
export interface LayerProgress {
  readonly key: string;
  readonly status: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly progress: number;
  readonly code: string | null;
  readonly message: string | null;
}

/** A forecast that somebody has switched on, or off again. */
export interface ForecastLayer {
  readonly layer: string;
  readonly isOn: boolean;
  readonly owner: string;
  readonly purpose: string;
  readonly definition: {
    readonly category: string;
    readonly resolution: number;
    readonly horizon: number;
    readonly top: string;
  };
  readonly enabledAt: string;
  readonly alarms: readonly string[];
}

/** The coordinator refused; `message` says what to do next. */
export class LayerRefused extends Error {
  override readonly name = 'LayerRefused';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

async function graphql<T>(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<T> {
  const response = await fetch('/graphql', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal,
  });
  const reply: {
    data?: T;
    errors?: readonly { message: string; extensions?: { code?: string } }[];
  } = await response.json();
  const [error] = reply.errors ?? [];
  if (error) throw new LayerRefused(error.extensions?.code ?? 'refused', error.message);
  if (!reply.data) throw new LayerRefused('no-answer', `the coordinator said ${response.status}`);
  return reply.data;
}

const STATE = 'key status progress code message';

/** Asks for a layer, or how far it is; waits up to a second for it. Throws `LayerRefused`. */
export async function askLayer(
  { field, given }: LayerQuestion,
  signal: AbortSignal,
): Promise<LayerProgress> {
  const names = Object.keys(given) as (keyof typeof ARGUMENTS)[];
  const { layer } = await graphql<{ layer: LayerProgress }>(
    `query (${names.map((name) => `$${name}: ${ARGUMENTS[name]}`).join(', ')}) {
      layer: ${field}(${names.map((name) => `${name}: $${name}`).join(', ')}, waitSeconds: 1) { ${STATE} }
    }`,
    given,
    signal,
  );
  return layer;
}

/** The document of a finished layer. Throws `LayerRefused`. */
export async function fetchLayer(key: string, signal: AbortSignal): Promise<LayerDocument> {
  const response = await fetch(`/v1/layers/${key}`, { credentials: 'same-origin', signal });
  const body = await response.json();
  if (!response.ok) {
    throw new LayerRefused(String(body.code), String(body.title));
  }
  if (body.key !== key) throw new LayerRefused('wrong-layer', 'another layer came than asked for');
  return body;
}

export const cancelLayer = async (key: string): Promise<void> => {
  const signal = AbortSignal.timeout(10_000);
  await graphql('mutation ($key: ID!) { cancelLayer(key: $key) { key } }', { key }, signal);
};

export async function fetchForecasts(signal: AbortSignal): Promise<readonly ForecastLayer[]> {
  const { forecastLayers } = await graphql<{ forecastLayers: readonly ForecastLayer[] }>(
    `{ forecastLayers { layer isOn owner purpose enabledAt alarms
      definition { category resolution horizon top } } }`,
    {},
    signal,
  );
  return forecastLayers;
}

/** The card of a forecast layer, generated from its newest run, as canonical JSON and as Markdown. Throws `LayerRefused`. */
export async function fetchModelCard(
  layer: string,
  signal: AbortSignal,
): Promise<{ readonly json: string; readonly markdown: string }> {
  const { forecastCard } = await graphql<{ forecastCard: { json: string; markdown: string } }>(
    'query ($layer: String!) { forecastCard(layer: $layer) { json markdown } }',
    { layer },
    signal,
  );
  return forecastCard;
}
