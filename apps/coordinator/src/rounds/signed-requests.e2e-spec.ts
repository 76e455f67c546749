/** What reaches a coordinator without a fresh signature of a key of the manifest is 401, and changes nothing. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalBytes } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { loadSigningKey, type SigningKey } from '#libs/keystore';
import { contentDigest, seal, signRequest } from '#libs/protocol';
import { Federation, streetFile } from '#libs/testing';

const AGENCY = 'alpha-police';
const bristol = cellAt(51.4545, -2.5879, 9);

let federation: Federation;
let key: SigningKey;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      {
        id: AGENCY,
        domain: domainFromCells('test/alpha', disk(bristol, 1)),
        files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: bristol }]) },
      },
    ],
  });
  // The node would announce itself again and again.
  await federation.stop(AGENCY);
  key = loadSigningKey(join(federation.folder(AGENCY), 'keys', 'signing.pem'));
});
afterAll(() => federation?.close());

interface Signing {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
  readonly keyId: string;
  readonly signer: SigningKey;
  readonly createdMs: number;
  readonly nonce: string;
}
/** Headers as a node signs them, but for what is given. */
function headersOf(given: Partial<Signing>): Record<string, string> {
  const { host } = new URL(federation.url);
  const [path = '', query] = (given.path ?? '/v1/offers').split('?', 2);
  return {
    'content-type': 'application/json',
    ...signRequest(
      {
        method: given.method ?? 'POST',
        authority: host,
        path,
        query: `?${query ?? ''}`,
        contentDigest: contentDigest(given.body ?? offer()),
      },
      given.keyId ?? AGENCY,
      Math.floor((given.createdMs ?? federation.nowMs) / 1000),
      given.nonce ?? randomBytes(16).toString('hex'),
      given.signer ?? key,
    ),
  };
}
const offer = (months: readonly string[] = ['2024-03']): Uint8Array =>
  canonicalBytes(
    seal(
      'offer',
      {
        agency: AGENCY,
        manifest: federation.manifestHash,
        dataset: 'incidents',
        months,
        at: new Date(federation.nowMs + 1).toISOString(),
      },
      key,
    ),
  );
const send = async (
  headers: Record<string, string>,
  { method = 'POST', path = '/v1/offers', body = offer() as Uint8Array | undefined } = {},
): Promise<{ status: number; code: string | undefined }> => {
  const response = await fetch(new URL(path, federation.url), {
    method,
    headers,
    ...(method === 'GET' || !body ? {} : { body: Buffer.from(body) }),
  });
  const text = await response.text();
  return { status: response.status, code: text ? JSON.parse(text).code : undefined };
};
const monthsKnown = async (): Promise<string[] | undefined> =>
  (await federation.graphql<{ agencies: { months: string[] }[] }>('{ agencies { months } }'))
    .agencies[0]?.months;

const MINUTE_MS = 60_000;
const REFUSED = { status: 401, code: 'bad-request-signature' };

describe('a request to the coordinator', () => {
  it.each<[string, () => Parameters<typeof send>]>([
    ['without a signature', () => [{ 'content-type': 'application/json' }]],
    ['that is too old', () => [headersOf({ createdMs: federation.nowMs - 6 * MINUTE_MS })]],
    ['ahead of time', () => [headersOf({ createdMs: federation.nowMs + 6 * MINUTE_MS })]],
    ['signed by another key', () => [headersOf({ signer: federation.analystKey })]],
    ['of a key that the manifest does not name', () => [headersOf({ keyId: 'beta-police' })]],
    ['signed for another address', () => [headersOf({ path: '/v1/checkpoints' })]],
    ['signed for another method', () => [headersOf({ method: 'PUT' })]],
    ['with another body than was signed', () => [headersOf({ body: offer(['2024-04']) })]],
    [
      'with another digest than was signed',
      () => [{ ...headersOf({}), 'content-digest': contentDigest(new Uint8Array(3)) }],
    ],
    [
      'with another query than was signed',
      () => [
        headersOf({ method: 'GET', path: '/v1/inbox?after=0&wait=0', body: new Uint8Array() }),
        { method: 'GET', path: '/v1/inbox?after=9&wait=0' },
      ],
    ],
    [
      'with a vector that was not signed',
      () => {
        const path = `/v1/vectors/${'0'.repeat(64)}`;
        const headers = headersOf({ method: 'PUT', path, body: new Uint8Array(8) });
        return [
          { ...headers, 'content-type': 'application/octet-stream' },
          { method: 'PUT', path, body: new Uint8Array(12) },
        ];
      },
    ],
  ])('is 401 %s', async (_what, make) => {
    const before = await monthsKnown();
    expect(await send(...make())).toEqual(REFUSED);
    expect(await monthsKnown()).toEqual(before);
  });

  it('is taken once and is 401 when it is sent again', async () => {
    const body = offer(['2024-05']);
    const headers = headersOf({ body });
    const request = { method: 'POST', path: '/v1/offers', body };
    expect(await send(headers, request)).toEqual({ status: 204, code: undefined });
    expect(await send(headers, request)).toEqual(REFUSED);
    expect(await monthsKnown()).toEqual(['2024-05']);
  });

  it('is 401 when an altered copy of it arrives first, and still taken itself', async () => {
    const body = offer(['2024-06']);
    const headers = headersOf({ body });
    const altered = { method: 'POST', path: '/v1/offers', body: offer(['2024-07']) };
    expect(await send({ ...headers, signature: headersOf({}).signature ?? '' }, altered)).toEqual(
      REFUSED,
    );
    expect((await send(headers, { ...altered, body })).status).toBe(204);
  });
});

describe('a question to the coordinator', () => {
  const question = { categories: ['robbery'], periods: ['2024-01'] } as const;

  it('is refused by code when its assertion is not right', async () => {
    const { payload, ...signature } = federation.taskFor(AGENCY, question).assertion;
    const submit = async (change: object, signer: SigningKey = federation.analystKey) => {
      const { payload: changed, ...sealed } = seal('assertion', { ...payload, ...change }, signer);
      return submitted({ ...changed, ...sealed });
    };
    const submitted = async (assertion: object): Promise<string> => {
      const response = await fetch(new URL('/graphql', federation.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query: `mutation ($query: QueryInput!, $assertion: AssertionInput!) {
            submitQuery(query: $query, assertion: $assertion) { id } }`,
          variables: {
            query: { ...question, resolution: 9, rho: '1/8', purpose: 'hotspot-policing' },
            assertion,
          },
        }),
      });
      const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
      return errors?.[0]?.extensions.code ?? 'accepted';
    };
    const wrong = 'f'.repeat(64);
    expect(await submit({ analyst: 'somebody-else' })).toBe('unknown-analyst');
    expect(await submit({}, key)).toBe('wrong-signer');
    expect(await submit({ fingerprint: wrong })).toBe('wrong-fingerprint');
    expect(await submit({ manifest: wrong })).toBe('wrong-manifest');
    const old = new Date(federation.nowMs - 11 * MINUTE_MS).toISOString();
    expect(await submit({ at: old })).toBe('stale-assertion');
    expect(await submitted({ ...payload, ...signature, nonce: '0'.repeat(32) })).toBe(
      'bad-signature',
    );
    expect(await submitted({ ...payload, ...signature })).toBe('accepted');
    expect(await submitted({ ...payload, ...signature })).toBe('repeated-assertion');
  });
});
