/** A client before servers that answer as somebody on the way might. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { toBase64url, utf8ToBytes } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { contentDigest, type MessageSigner, signResponse } from '#libs/protocol';
import { SignedClient } from './signed-client.js';

const signer = (): MessageSigner => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = (key: KeyObject) => Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url');
  return {
    publicKey: toBase64url(raw(publicKey)),
    sign: (message) => sign(null, message, privateKey),
  };
};
const server = signer();
const client = signer();
const NOW_MS = Date.parse('2026-03-01T09:00:00Z');
const BODY = '{"items":[]}';

let running: Server | undefined;
afterEach(() => {
  running?.close();
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, string>;
}
/** The honest answer, made again with what is given. */
const answer = (
  request: IncomingMessage,
  given: { by?: MessageSigner; atMs?: number; to?: string; status?: number; body?: string } = {},
): Answer => {
  const { by = server, atMs = NOW_MS, to = String(request.headers.signature) } = given;
  const { status = 200, body = BODY } = given;
  const headers = signResponse(
    { status, contentDigest: contentDigest(utf8ToBytes(body)), requestSignature: to },
    'coordinator',
    Math.floor(atMs / 1000),
    by,
  );
  return { status, body, headers: { ...headers } };
};

/** The answer with its signature changed in place. */
function withSignature(honest: Answer, change: (signature: Uint8Array) => void): Answer {
  const signature = Buffer.from(String(honest.headers.signature).slice(6, -1), 'base64');
  change(signature);
  const header = `sig1=:${signature.toString('base64')}:`;
  return { ...honest, headers: { ...honest.headers, signature: header } };
}

/** Adds the order of the group (RFC 8032 section 5.1) to S: the same number to a verifier that does not look. */
function addOrder(signature: Uint8Array): void {
  let carry = 2n ** 252n + 27742317777372353535851937790883648493n;
  for (let i = 32; i < 64; i += 1) {
    carry += BigInt(signature[i] ?? 0);
    signature[i] = Number(carry & 0xffn);
    carry >>= 8n;
  }
}

/** Sends one request to a server that answers so. */
async function ask(make: (request: IncomingMessage) => Answer): Promise<SignedClient> {
  running = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { status, body, headers } = make(request);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => running?.listen(0, '127.0.0.1', resolve));
  const { port } = running.address() as AddressInfo;
  const asking = new SignedClient({
    url: `http://127.0.0.1:${port}`,
    id: 'alpha',
    key: client,
    server: () => server.publicKey,
    verify: verifySignature,
    nowMs: () => NOW_MS,
  });
  const response = await asking.send('GET', '/v1/inbox');
  expect(await response.text()).toBe(BODY);
  return asking;
}

describe('an answer', () => {
  it('is believed when it is signed for the request, and tells the clock of its sender', async () => {
    expect((await ask((request) => answer(request))).skewSeconds).toBe(0);
    const late = await ask((request) => answer(request, { atMs: NOW_MS - 250_000 }));
    expect(late.skewSeconds).toBe(-250);
    const ahead = await ask((request) => answer(request, { atMs: NOW_MS + 599_000 }));
    expect(ahead.skewSeconds).toBe(599);
  });

  it.each<[string, (request: IncomingMessage) => Answer]>([
    ['is not signed', (request) => ({ ...answer(request), headers: {} })],
    ['is signed by another', (request) => answer(request, { by: client })],
    [
      'was signed for another request',
      (request) => answer(request, { to: `sig1=:${'A'.repeat(86)}==:` }),
    ],
    ['has another body', (request) => ({ ...answer(request), body: '{"items":[1]}' })],
    [
      'has another body and its digest',
      (request) => {
        const body = '{"items":[1]}';
        const { headers } = answer(request);
        const digest = contentDigest(utf8ToBytes(body));
        return { status: 200, body, headers: { ...headers, 'content-digest': digest } };
      },
    ],
    ['has another status', (request) => ({ ...answer(request, { status: 409 }), status: 200 })],
    [
      'leaves the request out of the signature',
      (request) => {
        const { headers, ...rest } = answer(request);
        const input = String(headers['signature-input']).replace(' "signature";req', '');
        return { ...rest, headers: { ...headers, 'signature-input': input } };
      },
    ],
    ['has a malleated signature (S + L)', (request) => withSignature(answer(request), addOrder)],
    [
      'has an R of small order',
      (request) =>
        withSignature(answer(request), (signature) => {
          signature.set([1, ...new Uint8Array(31)]);
        }),
    ],
    [
      'names another algorithm',
      (request) => {
        const { headers, ...rest } = answer(request);
        const input = String(headers['signature-input']).replace('ed25519', 'hmac-sha256');
        return { ...rest, headers: { ...headers, 'signature-input': input } };
      },
    ],
  ])('is not believed when it %s', async (_what, make) => {
    await expect(ask(make)).rejects.toMatchObject({ code: 'bad-response-signature' });
  });

  it('is not believed when the clocks are more than ten minutes apart', async () => {
    await expect(
      ask((request) => answer(request, { atMs: NOW_MS + 601_000 })),
    ).rejects.toMatchObject({ code: 'clock-skew' });
  });

  it('that refuses a stale request says that it is the clock', async () => {
    await expect(
      ask((request) => answer(request, { atMs: NOW_MS + 400_000, status: 401, body: '{}' })),
    ).rejects.toMatchObject({ code: 'clock-skew' });
  });
});
