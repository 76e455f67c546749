/** One table of forged and replayed requests against every signed door of the federation: 401, one body, an entry in the log of whom it was for. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalBytes, fromHex, sha256Hex, toBase64url, utf8ToBytes } from '#libs/bytes';
import { cellAt, disk, domainFromCells, formatDomainFile } from '#libs/grid';
import { createBoxKey, createSigningKey, loadSigningKey, type SigningKey } from '#libs/keystore';
import { readControl } from '#libs/nest-kit';
import { contentDigest, parseToken, seal, signRequest } from '#libs/protocol';
import { AUDITOR, COORDINATOR, Federation } from './federation.js';
import { malleated, REFUSED_REQUEST, SMALL_ORDER, withInput, withR } from './forgery.js';
import { streetFile } from './street-file.js';

const AGENCY = 'alpha-police';
const ROUND = 'ab'.repeat(16);
const MINUTE_MS = 60_000;
const bristol = cellAt(51.4545, -2.5879, 9);
const BODY = utf8ToBytes('{}');
const VECTOR = `/v1/vectors/${sha256Hex(BODY)}`;
/** An agency that asks to be enrolled, with a key of its own. */
const NEWCOMER = 'beta-police';
const newcomerDomain = domainFromCells('test/beta', disk(cellAt(51.3811, -2.359, 9), 1));

let federation: Federation;
/** Keys of those who send, by id. */
const keys = new Map<string, SigningKey>();
let enrolment: Uint8Array;
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
  for (const id of [AGENCY, AUDITOR]) {
    keys.set(id, loadSigningKey(join(federation.folder(id), 'keys', 'signing.pem')));
  }
  enrolment = await enrolmentOf(NEWCOMER);
});
afterAll(() => federation?.close());

/** What an agency sends to be enrolled, with the token that it was given. */
async function enrolmentOf(id: string): Promise<Uint8Array> {
  const key = createSigningKey(join(federation.dir, `${id}.pem`));
  keys.set(id, key);
  const control = readControl(join(federation.folder(COORDINATOR), 'control.json'));
  const issued = await fetch(new URL('/v1/operations/token', federation.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${control?.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agency: id, hours: 24 }),
  });
  const { token } = (await issued.json()) as { token: string };
  const agency = {
    id,
    name: id,
    kind: 'police',
    publicKey: key.publicKey,
    boxKey: createBoxKey(join(federation.dir, `${id}.box.pem`)).publicKey,
    domain: newcomerDomain.hash,
    categories: ['robbery'],
  };
  const coordinator = federation.manifest.coordinator.publicKey;
  const at = new Date(federation.nowMs).toISOString();
  return canonicalBytes({
    version: 1,
    token: parseToken(token)?.secret ?? '',
    enrolment: seal('enrolment', { version: 1, agency, coordinator, at }, key),
    domain: formatDomainFile(newcomerDomain),
  });
}

interface Door {
  readonly process: string;
  readonly method: 'GET' | 'PATCH' | 'POST';
  readonly path: string;
  /** Who may come in by it; the agency unless given. */
  readonly sender?: string;
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
  { process: COORDINATOR, method: 'GET', path: VECTOR },
  { process: COORDINATOR, method: 'PATCH', path: `${VECTOR}?offset=0&length=${BODY.length}` },
  { process: COORDINATOR, method: 'POST', path: '/v1/enrolments', sender: NEWCOMER },
  { process: COORDINATOR, method: 'GET', path: '/v1/unmaskings?wait=0', sender: AUDITOR },
  { process: COORDINATOR, method: 'POST', path: `/v1/rounds/${ROUND}/unmasked`, sender: AUDITOR },
  {
    process: COORDINATOR,
    method: 'POST',
    path: `/v1/rounds/${ROUND}/unmask-refusal`,
    sender: AUDITOR,
  },
  { process: AUDITOR, method: 'POST', path: `/v1/rounds/${ROUND}/seed` },
];

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
const bodyOf = ({ method, sender }: Door): Uint8Array => {
  if (method === 'GET') return new Uint8Array();
  return sender === NEWCOMER ? enrolment : BODY;
};

/** Of a vector, or of a message. */
const typeOf = ({ method }: Door): Record<string, string> => ({
  'content-type': method === 'PATCH' ? 'application/octet-stream' : 'application/json',
});

/** Headers as whoever may come in signs them for this door, but for what is given. */
function headersOf(door: Door, given: Given = {}): Record<string, string> {
  const { sender = AGENCY } = door;
  const url = new URL(door.path, urlOf(door));
  const request = {
    method: door.method,
    authority: url.host,
    path: url.pathname,
    query: url.search || '?',
    contentDigest: contentDigest(given.body ?? bodyOf(door)),
  };
  return {
    ...typeOf(door),
    ...signRequest(request, {
      keyId: given.keyId ?? sender,
      signer: given.signer ?? (keys.get(sender) as SigningKey),
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

const FORGERIES: readonly [string, string, (door: Door) => Record<string, string>][] = [
  ['unsigned', 'no-signature', typeOf],
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
  ['malleated signature (S + L)', 'bad-signature', (door) => malleated(headersOf(door))],
  ['R of small order', 'bad-signature', (door) => withR(headersOf(door), SMALL_ORDER.eight)],
  ['unknown key', 'unknown-key', (door) => headersOf(door, { keyId: 'omega-police' })],
  [
    'key of an analyst',
    'bad-signature',
    (door) => headersOf(door, { signer: federation.analystKey }),
  ],
  [
    'downgraded algorithm',
    'other-profile',
    (door) => withInput(headersOf(door), (input) => input.replace('"ed25519"', '"hmac-sha256"')),
  ],
  [
    'no algorithm',
    'other-profile',
    (door) => withInput(headersOf(door), (input) => input.replace(';alg="ed25519"', '')),
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
    expect(await send(door, forge(door))).toEqual(REFUSED_REQUEST);
    if (door.process === COORDINATOR) expect(refusedFor(because)).toBe(before + 1);
  });

  it('is taken for what it is once, and is 401 when it is sent again', async () => {
    const headers = headersOf(door);
    expect((await send(door, headers)).status).not.toBe(401);
    expect(await send(door, headers)).toEqual(REFUSED_REQUEST);
  });
});

it.each([SMALL_ORDER.one, SMALL_ORDER.eight])(
  'a key of small order signs no request: %s',
  async (point) => {
    // whoever brings a key signs with it: the only door for a key that the manifest does not name
    const weak = {
      publicKey: toBase64url(fromHex(point)),
      sign: () => Uint8Array.of(...fromHex(SMALL_ORDER.one), ...new Uint8Array(32)),
    };
    const door: Door = { process: COORDINATOR, method: 'POST', path: '/v1/rotations' };
    expect(await send(door, headersOf(door, { signer: weak }))).toEqual(REFUSED_REQUEST);
  },
);

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
