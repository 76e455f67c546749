/** An analyst's question from the keyboard to the release: sign, submit, wait. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import type { SigningKey } from '#libs/keystore';
import { seal } from '#libs/protocol';
import { canonicaliseQuery, fingerprint, type LinkedPeople, type Measure } from '#libs/query';
import { graphql } from './graphql-client.js';
import { roundSteps } from './round-events.js';

export interface Question {
  /** Incidents when left out. */
  readonly measure?: Measure;
  readonly categories: readonly string[];
  readonly periods: readonly string[];
  readonly resolution: number;
  readonly rho: string;
  readonly purpose: string;
  readonly agencies?: readonly string[];
  readonly linkage?: LinkedPeople;
  /** Nobody may see the answer of one agency. */
  readonly sealed?: true;
}

const Coverage = z.object({
  agency: z.string(),
  name: z.string(),
  status: z.string(),
  code: z.string().nullable(),
  periods: z.array(z.string()),
  rhoSpent: z.string().nullable(),
  privacy: z.object({ unit: z.string(), maxPerRelease: z.int(), maxPerYear: z.int() }).nullable(),
});

const Round = z.object({
  id: z.string(),
  phase: z.enum([
    'proposed',
    'offered',
    'collecting',
    'closed',
    'unmasking',
    'composing',
    'released',
    'aborted',
    'expired',
  ]),
  release: z.string().nullable(),
  code: z.string().nullable(),
  sealed: z.boolean(),
  coverage: z.array(Coverage),
});
export type RoundProgress = z.infer<typeof Round>;

const ROUND_FIELDS =
  'id phase release code sealed coverage { agency name status code periods rhoSpent privacy { unit maxPerRelease maxPerYear } }';
const OVER: ReadonlySet<string> = new Set(['released', 'aborted', 'expired']);

/** Who asks: an analyst of the manifest, or somebody who signed in and whose key an ID token is for. */
export interface Analyst {
  readonly id: string;
  readonly key: SigningKey;
  readonly identity?: string;
}

/**
 * Signs and submits a question as `analyst` and waits for its release, until `signal` ends the wait; the round goes on without. Throws the
 * coordinator's code, or the round's when it is aborted.
 */
export async function ask(
  baseUrl: string,
  analyst: Analyst,
  question: Question,
  options: {
    readonly nowMs: () => number;
    readonly onProgress: (round: RoundProgress) => void;
    readonly signal?: AbortSignal;
  },
): Promise<RoundProgress & { readonly release: string }> {
  const { federation } = await graphql(
    baseUrl,
    '{ federation { manifest grid gridHash } }',
    {},
    z.object({
      federation: z.object({ manifest: z.string(), grid: z.string(), gridHash: z.string() }),
    }),
  );
  const { grid, gridHash, manifest } = federation;
  const asked = fingerprint(
    canonicaliseQuery({ version: 1, measure: 'incidents', ...question, grid, gridHash }),
  );
  const { payload, ...signature } = seal(
    'assertion',
    {
      analyst: analyst.id,
      fingerprint: asked,
      manifest,
      at: new Date(options.nowMs()).toISOString(),
      nonce: randomBytes(16).toString('hex'),
      ...(analyst.identity === undefined ? {} : { identity: analyst.identity }),
    },
    analyst.key,
  );
  const { submitQuery } = await graphql(
    baseUrl,
    `mutation ($query: QueryInput!, $assertion: AssertionInput!) {
      submitQuery(query: $query, assertion: $assertion) { ${ROUND_FIELDS} }
    }`,
    { query: question, assertion: { ...payload, ...signature } },
    z.object({ submitQuery: Round }),
  );
  let round: RoundProgress = submitQuery;
  options.onProgress(round);
  for await (const _step of roundSteps(baseUrl, round.id, options.signal)) {
    const reply = await graphql(
      baseUrl,
      `query ($id: ID!) { round(id: $id) { ${ROUND_FIELDS} } }`,
      { id: round.id },
      z.object({ round: Round }),
    );
    round = reply.round;
    if (OVER.has(round.phase)) break;
    options.onProgress(round);
  }
  if (round.phase !== 'released') {
    options.onProgress(round);
    const said = round.coverage.map(({ agency, status, code }) => `${agency} ${code ?? status}`);
    throw new ConcordatError(
      round.code ?? `round-${round.phase}`,
      `the round ended without a release: ${said.join(', ')}`,
    );
  }
  options.onProgress(round);
  if (round.release === null)
    throw new ConcordatError('unexpected-answer', 'a released round names its release');
  return { ...round, release: round.release };
}
