/** One table of forged and replayed requests against every signed door of the federation: 401, one body, an entry in the log of whom it was for. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { bytesToHex, fromBase64, fromHex, toBase64, toBase64url, utf8ToBytes } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { loadSigningKey, type SigningKey } from '#libs/keystore';
import { contentDigest, PROBLEM_PREFIX, signRequest } from '#libs/protocol';
import { AUDITOR, COORDINATOR, Federation } from './federation.js';
import { streetFile } from './street-file.js';

jest.setTimeout(240_000);

const AGENCY = 'alpha-police';
const ROUND = 'ab'.repeat(16);
const MINUTE_MS = 60_000;
const bristol = cellAt(51.4545, -2.5879, 9);
const BODY = utf8ToBytes('{}');
/** Order of the group, RFC 8032 section 5.1. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** Points of small order (RFC 8032 section 5.1.7 lets a verifier take them): the neutral one, and one of order 8. */
const ORDER_1 = `01${'00'.repeat(31)}`;
const ORDER_8 = '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05';

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
  // its requests would be refused and counted with ours
  await federation.stop(AGENCY);
  key = loadSigningKey(join(federation.folder(AGENCY), 'keys', 'signing.pem'));
});
afterAll(() => federation?.close());

interface Door {
  readonly process: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
}
/** Every address that takes a signed request; a node has none: it dials out, and its console asks for a token. */
const DOORS: readonly Door[] = [
  { process: COORDINATOR, method: 'GET', path: '/v1/inbox?after=0&wait=0' },
  { process: COORDINATOR, method: 'POST', path: '/v1/offers' },
  { process: COORDINATOR, method: 'POST', path: `/v1/rounds/${ROUND}/contribution` },
  { process: COORDINATOR, method: 'POST', path: `/v1/rounds/${ROUND}/refusal` },
  { process: COORDINATOR, method: 'POST', path: `/v1/rounds/${ROUND}/accept` },
  { process: COORDINATOR, method: 'POST', path: `/v1/rounds/${ROUND}/hold` },
  { process: COORDINATOR, method: 'POST', path: '/v1/checkpoints' },
  { process: COORDINATOR, method: 'POST', path: '/v1/rotations' },
  { process: COORDINATOR, method: 'POST', path: '/v1/witnessing' },
  { process: COORDINATOR, method: 'GET', path: '/v1/witnessing?after=0&wait=0' },
  { process: COORDINATOR, method: 'POST', path: '/v1/linkage/mail' },
  { process: COORDINATOR, method: 'GET', path: '/v1/linkage/mail?after=0&wait=0' },
  { process: AUDITOR, method: 'POST', path: `/v1/rounds/${ROUND}/seed` },
];

const REFUSED = {
  status: 401,
  body: JSON.stringify({
    type: `${PROBLEM_PREFIX}bad-request-signature`,
    title: 'the request is not signed as the federation asks; docs/protocol/messages.md says how',
    status: 401,
    code: 'bad-request-signature',
  }),
};

const number = (littleEndian: Uint8Array): bigint =>
  BigInt(`0x${bytesToHex(Uint8Array.from(littleEndian).reverse())}`);
const scalar = (value: bigint): Uint8Array =>
  Uint8Array.from(fromHex(value.toString(16).padStart(64, '0'))).reverse();

interface Given {
  readonly keyId?: string;
  readonly signer?: Pick<SigningKey, 'publicKey' | 'sign'>;
  readonly createdMs?: number;
  readonly audience?: string;
  readonly nonce?: string;
  readonly body?: Uint8Array;
}

const urlOf = ({ process }: Door): string =>
  process === AUDITOR ? federation.auditorUrl : federation.url;
const keyOf = ({ process }: Door): string =>
  federation.manifest[process === AUDITOR ? 'auditor' : 'coordinator'].publicKey;
const bodyOf = ({ method }: Door): Uint8Array => (method === 'GET' ? new Uint8Array() : BODY);

/** Headers as a node signs them for this door, but for what is given. */
function headersOf(door: Door, given: Given = {}): Record<string, string> {
  const url = new URL(door.path, urlOf(door));
  const request = {
    method: door.method,
    authority: url.host,
    path: url.pathname,
    query: url.search || '?',
    contentDigest: contentDigest(given.body ?? bodyOf(door)),
  };
  return {
    'content-type': 'application/json',
    ...signRequest(request, {
      keyId: given.keyId ?? AGENCY,
      signer: given.signer ?? key,
      audience: given.audience ?? keyOf(door),
      createdSeconds: Math.floor((given.createdMs ?? federation.nowMs) / 1000),
      nonce: given.nonce ?? randomBytes(16).toString('hex'),
    }),
  };
}

async function send(door: Door, headers: Record<string, string>) {
  const response = await fetch(new URL(door.path, urlOf(door)), {
    method: door.method,
    headers,
    ...(door.method === 'GET' ? {} : { body: Buffer.from(bodyOf(door)) }),
  });
  return { status: response.status, body: await response.text() };
}

function withSignature(door: Door, change: (signature: Uint8Array) => Uint8Array) {
  const headers = headersOf(door);
  const signature = fromBase64(String(headers.signature).slice('sig1=:'.length, -1));
  return { ...headers, signature: `sig1=:${toBase64(change(signature))}:` };
}
function withInput(door: Door, change: (input: string) => string) {
  const headers = headersOf(door);
  return { ...headers, 'signature-input': change(String(headers['signature-input'])) };
}

const FORGERIES: readonly [string, string, (door: Door) => Record<string, string>][] = [
  ['unsigned', 'no-signature', () => ({ 'content-type': 'application/json' })],
  ['stale', 'stale', (door) => headersOf(door, { createdMs: federation.nowMs - 6 * MINUTE_MS })],
  ['future', 'future', (door) => headersOf(door, { createdMs: federation.nowMs + 6 * MINUTE_MS })],
  [
    'wrong audience',
    'other-audience',
    (door) =>
      headersOf(door, {
        audience:
          federation.manifest[door.process === AUDITOR ? 'coordinator' : 'auditor'].publicKey,
      }),
  ],
  [
    'altered body with the old digest',
    'body-differs',
    (door) => headersOf(door, { body: utf8ToBytes('{"other":1}') }),
  ],
  [
    'malleated signature (S + L)',
    'bad-signature',
    (door) =>
      withSignature(door, (signature) =>
        Uint8Array.of(...signature.subarray(0, 32), ...scalar(number(signature.subarray(32)) + L)),
      ),
  ],
  [
    'R of small order',
    'bad-signature',
    (door) =>
      withSignature(door, (signature) =>
        Uint8Array.of(...fromHex(ORDER_8), ...signature.subarray(32)),
      ),
  ],
  ['unknown key', 'unknown-key', (door) => headersOf(door, { keyId: 'omega-police' })],
  [
    'key of an analyst',
    'bad-signature',
    (door) => headersOf(door, { signer: federation.analystKey }),
  ],
  [
    'downgraded algorithm',
    'other-profile',
    (door) => withInput(door, (input) => input.replace('"ed25519"', '"hmac-sha256"')),
  ],
  [
    'no algorithm',
    'other-profile',
    (door) => withInput(door, (input) => input.replace(';alg="ed25519"', '')),
  ],
];

/** How many requests a process has refused for a reason, by its lines. */
const refusedFor = (because: string): number =>
  federation.lines.filter((line) => line.includes(`"because":"${because}"`)).length;

describe.each(
  DOORS.map((door) => [`${door.method} ${door.path.replace(ROUND, 'ID')}`, door] as const),
)('%s', (_name, door) => {
  it.each(FORGERIES)('is 401 when it is %s', async (_what, because, forge) => {
    const before = refusedFor(because);
    expect(await send(door, forge(door))).toEqual(REFUSED);
    if (door.process === COORDINATOR) expect(refusedFor(because)).toBe(before + 1);
  });

  it('is taken for what it is once, and is 401 when it is sent again', async () => {
    const headers = headersOf(door);
    expect((await send(door, headers)).status).not.toBe(401);
    expect(await send(door, headers)).toEqual(REFUSED);
  });
});

it.each([ORDER_1, ORDER_8])('a key of small order signs no request: %s', async (point) => {
  // whoever brings a key signs with it: the only door for a key that the manifest does not name
  const weak = {
    publicKey: toBase64url(fromHex(point)),
    sign: () => Uint8Array.of(...fromHex(ORDER_1), ...new Uint8Array(32)),
  };
  const door: Door = { process: COORDINATOR, method: 'POST', path: '/v1/rotations' };
  expect(await send(door, headersOf(door, { signer: weak }))).toEqual(REFUSED);
});

it('leaves an entry in the log of whom the requests were for', async () => {
  for (const process of [COORDINATOR, AUDITOR]) {
    await federation.stop(process);
    const counts = (await federation.entries(process)).flatMap((entry) =>
      entry.kind === 'requests.refused' ? Object.entries(entry.counts) : [],
    );
    const total = new Map<string, number>();
    for (const [because, count] of counts) total.set(because, (total.get(because) ?? 0) + count);
    const doors = DOORS.filter((door) => door.process === process).length;
    for (const because of new Set(FORGERIES.map(([, code]) => code))) {
      const wanted = FORGERIES.filter(([, code]) => code === because).length * doors;
      expect({ because, count: total.get(because) ?? 0 }).toEqual({
        because,
        count: expect.any(Number),
      });
      expect(total.get(because) ?? 0).toBeGreaterThanOrEqual(wanted);
    }
    expect(total.get('reused-nonce')).toBe(doors);
  }
});
