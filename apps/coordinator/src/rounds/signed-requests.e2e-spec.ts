/**
 * What one door shows of all: requests that were altered on the way, replayed after a restart, or signed in another profile are 401 with one body and
 * change nothing. The table of every forgery at every door is in `libs/testing`.
 */
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalBytes } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { loadSigningKey, type SigningKey, verifySignature } from '#libs/keystore';
import { SignedClient } from '#libs/nest-kit';
import { contentDigest, seal, signRequest } from '#libs/protocol';
import { Federation, REFUSED_REQUEST, streetFile, withInput } from '#libs/testing';

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
  readonly authority: string;
  readonly audience: string;
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
        authority: given.authority ?? host,
        path,
        query: `?${query ?? ''}`,
        contentDigest: contentDigest(given.body ?? offer()),
      },
      {
        keyId: given.keyId ?? AGENCY,
        signer: given.signer ?? key,
        audience: given.audience ?? federation.manifest.coordinator.publicKey,
        createdSeconds: Math.floor((given.createdMs ?? federation.nowMs) / 1000),
        nonce: given.nonce ?? randomBytes(16).toString('hex'),
      },
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
type Headers = Record<string, string | string[]>;

/** Sends exactly these headers, one of them twice where it has two values, and reads the whole answer. */
const send = (
  headers: Headers,
  { method = 'POST', path = '/v1/offers', body = offer() as Uint8Array | undefined } = {},
): Promise<{ status: number | undefined; body: string }> =>
  new Promise((resolve, reject) => {
    const list = Object.entries(headers).flatMap(([name, values]) =>
      [values].flat().flatMap((value) => [name, value]),
    );
    const url = new URL(path, federation.url);
    const sent = method === 'GET' || !body ? undefined : Buffer.from(body);
    const own = (name: string) => Object.keys(headers).some((key) => key.toLowerCase() === name);
    if (!own('host')) list.push('host', url.host);
    if (sent && !own('content-length')) list.push('content-length', String(sent.length));
    const request = httpRequest(url, { method, headers: list }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body: text }));
    });
    request.on('error', reject);
    request.end(sent);
  });
/** How many requests the coordinator has refused for this reason, by its process log. */
const refused = async (because: string): Promise<number> =>
  federation.lines.filter((line) => line.includes(`"because":"${because}"`)).length;
const monthsKnown = async (): Promise<string[] | undefined> =>
  (await federation.graphql<{ agencies: { months: string[] }[] }>('{ agencies { months } }'))
    .agencies[0]?.months;

const MINUTE_MS = 60_000;
/** The headers with another text of what was signed. */
const inputOf = (change: (input: string) => string): Headers => withInput(headersOf({}), change);

describe('a request to the coordinator', () => {
  it.each<[string, string, () => Parameters<typeof send>]>([
    [
      'signed before the coordinator started, which may have been taken then',
      'before-start',
      () => [headersOf({ createdMs: federation.nowMs - MINUTE_MS })],
    ],
    [
      'as the coordinator itself',
      'unknown-key',
      () => [headersOf({ keyId: federation.manifest.coordinator.id })],
    ],
    ['for another host', 'bad-signature', () => [headersOf({ authority: 'coordinator.example' })]],
    ['signed for another address', 'bad-signature', () => [headersOf({ path: '/v1/checkpoints' })]],
    ['signed for another method', 'bad-signature', () => [headersOf({ method: 'PUT' })]],
    [
      'with an altered body and its digest',
      'bad-signature',
      () => {
        const body = offer(['2024-04']);
        return [
          { ...headersOf({}), 'content-digest': contentDigest(body) },
          { method: 'POST', path: '/v1/offers', body },
        ];
      },
    ],
    [
      'with another query than was signed',
      'bad-signature',
      () => [
        headersOf({ method: 'GET', path: '/v1/inbox?after=0&wait=0', body: new Uint8Array() }),
        { method: 'GET', path: '/v1/inbox?after=9&wait=0' },
      ],
    ],
    [
      'with something behind a second question mark',
      'bad-signature',
      () => [
        headersOf({ method: 'GET', path: '/v1/inbox?after=0&wait=0', body: new Uint8Array() }),
        { method: 'GET', path: '/v1/inbox?after=0&wait=0?x=1' },
      ],
    ],
    [
      'whose algorithm is RSA',
      'other-profile',
      () => [inputOf((input) => input.replace('alg="ed25519"', 'alg="rsa-v1_5-sha256"'))],
    ],
    [
      'that leaves the body out of the signature',
      'other-profile',
      () => [inputOf((input) => input.replace(' "content-digest"', ''))],
    ],
    [
      'that leaves the query out of the signature',
      'other-profile',
      () => [inputOf((input) => input.replace(' "@query"', ''))],
    ],
    [
      'without a nonce',
      'other-profile',
      () => [inputOf((input) => input.replace(/;nonce="\w+"/, ''))],
    ],
    [
      'without a receiver',
      'other-profile',
      () => [inputOf((input) => input.replace(/;tag="[\w-]+"/, ''))],
    ],
    [
      'with a second label',
      'other-profile',
      () => {
        const headers = headersOf({});
        const second = (name: string) =>
          `${headers[name]}, ${headers[name]?.replace('sig1', 'sig2')}`;
        return [
          {
            ...headers,
            signature: second('signature'),
            'signature-input': second('signature-input'),
          },
        ];
      },
    ],
    [
      'with a signature header sent twice',
      'duplicate-header',
      () => {
        const headers = headersOf({});
        return [{ ...headers, signature: [headers.signature ?? '', headers.signature ?? ''] }];
      },
    ],
    [
      'with two hosts',
      'duplicate-header',
      () => {
        const { host } = new URL(federation.url);
        return [{ ...headersOf({}), host: [host, 'coordinator.example'] }];
      },
    ],
  ])('is 401 %s', async (_what, because, make) => {
    const before = await monthsKnown();
    const refusedBefore = await refused(because);
    expect(await send(...make())).toEqual(REFUSED_REQUEST);
    expect(await monthsKnown()).toEqual(before);
    expect(await refused(because)).toBe(refusedBefore + 1);
  });

  it('is taken once and is 401 when it is sent again', async () => {
    const body = offer(['2024-05']);
    const headers = headersOf({ body });
    const request = { method: 'POST', path: '/v1/offers', body };
    expect(await send(headers, request)).toEqual({ status: 204, body: '' });
    expect(await send(headers, request)).toEqual(REFUSED_REQUEST);
    expect(await monthsKnown()).toEqual(['2024-05']);
  });

  it('is 401 when an altered copy of it arrives first, and still taken itself', async () => {
    const body = offer(['2024-06']);
    const headers = headersOf({ body });
    const altered = { method: 'POST', path: '/v1/offers', body: offer(['2024-07']) };
    expect(await send(headers, altered)).toEqual(REFUSED_REQUEST);
    expect(await send({ ...headers, signature: headersOf({}).signature ?? '' }, altered)).toEqual(
      REFUSED_REQUEST,
    );
    expect((await send(headers, { ...altered, body })).status).toBe(204);
  });

  it('does not fill the log when it is refused: the rest of a minute is one entry', async () => {
    await federation.stop('coordinator');
    const entries = (await federation.entries('coordinator')).filter(
      ({ kind }) => kind === 'requests.refused',
    );
    expect(entries.length).toBe(2);
    await federation.startCoordinator();
  });
});

describe('an answer of the coordinator', () => {
  const client = (url = federation.url, server = federation.manifest.coordinator.publicKey) =>
    new SignedClient({
      url,
      id: AGENCY,
      key,
      server: () => server,
      verify: verifySignature,
      nowMs: () => federation.nowMs,
    });

  it('is believed when it is signed for this request, also a refusal', async () => {
    const inbox = await client().send('GET', '/v1/inbox?after=0&wait=0');
    expect(await inbox.json()).toEqual({ items: [] });
    await expect(
      client().send('POST', '/v1/offers', canonicalBytes({}), 'application/json'),
    ).rejects.toMatchObject({ code: 'malformed-message' });
    await expect(client().send('GET', '/v1/nowhere')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is not believed from another key', async () => {
    await expect(
      client(federation.url, federation.analystKey.publicKey).send('GET', '/v1/inbox'),
    ).rejects.toMatchObject({ code: 'bad-response-signature' });
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
