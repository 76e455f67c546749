/** A node with a key of the manifest that says what is not so: each lie costs it its own line of the coverage and nothing else. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { bytesToHex, canonicalBytes, fromUtf8, sha256Hex } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { verifySignature } from '#libs/keystore';
import { createLogger, RequestRefused, SignedClient } from '#libs/nest-kit';
import {
  type Contribution,
  type Receipt,
  type ReleaseHeader,
  type Signed,
  seal,
} from '#libs/protocol';
import { decodeEntry, type EntryOf, encodeEntry } from '#libs/tlog';
import { CoordinatorClient } from '../../../apps/node/src/coordinator-client.js';
import { handleTask } from '../../../apps/node/src/handle-task.js';
import type { Node } from '../../../apps/node/src/node.js';
import { openNode } from '../../../apps/node/src/open-node.js';
import { Federation, type RoundSeen, type TestQuestion } from './federation.js';
import { seededRandom } from './seeded-random.js';
import { streetFile } from './street-file.js';

const LIAR = 'gamma-police';
const bristol = cellAt(51.4545, -2.5879, 9);
/** No area overlaps another, so the rounds are open: of a sealed answer the coordinator sees too little to judge it. */
const AREAS = {
  'alpha-police': disk(bristol, 3),
  'beta-police': disk(cellAt(51.5155, -0.0922, 9), 3),
  [LIAR]: disk(cellAt(51.4816, -3.1791, 9), 3),
};
/** The liar records no robberies. */
const QUESTION: TestQuestion = { categories: ['asb', 'robbery'], periods: ['2024-01'] };

let federation: Federation;
let liar: Node;
let http: SignedClient;
let client: CoordinatorClient;
let honest: ReleaseHeader;
/** What the liar sent in the first round, in which it was honest. */
let earlier: Contribution;
let cursor = 0;

const headerOf = async ({ release }: RoundSeen): Promise<ReleaseHeader> =>
  JSON.parse(fromUtf8(await federation.blob(release ?? '')));
const lineOf = ({ coverage }: RoundSeen) => coverage.find(({ agency }) => agency === LIAR);
const refused = (error: unknown): { status: number; code: string } => {
  if (error instanceof RequestRefused) return { status: error.status, code: error.code };
  throw error;
};

interface Answer {
  readonly contribution: Contribution;
  readonly vector: Uint8Array;
}
/** Opens a round and makes the honest answer to it, which is not sent. */
async function answer(): Promise<Answer & { readonly round: string }> {
  const round = await federation.submit(QUESTION);
  const { items } = await client.inbox(cursor, 20, new AbortController().signal);
  const item = items.find(({ task }) => task.payload.round === round);
  if (!item) throw new Error('the task is not in the inbox');
  cursor = item.sequence;
  const said: { contribution?: Contribution; vector?: Uint8Array } = {};
  await handleTask(item.task, liar, {
    post: async (path, message) => {
      if (path.endsWith('/contribution'))
        said.contribution = (message as Signed<Contribution>).payload;
    },
    putVector: async (_digest, bytes) => {
      said.vector = bytes;
    },
  });
  return { round, ...(said as Answer) };
}
const upload = async (vector: Uint8Array): Promise<string> => {
  const digest = sha256Hex(vector);
  await client.putVector(digest, vector);
  return digest;
};
const post = (round: string, body: Uint8Array) =>
  http.send('POST', `/v1/rounds/${round}/contribution`, body, 'application/json');
const send = (round: string, contribution: unknown) =>
  post(round, canonicalBytes(seal('contribution', contribution, liar.key)));
const withReceipt = ({ contribution }: Answer, change: Partial<Receipt>): Contribution => ({
  ...contribution,
  receipt: seal('receipt', { ...contribution.receipt.payload, ...change }, liar.key),
});
/** The answer with another vector, for which the liar has logged a release too: its own log proves whatever it likes. */
async function proving(given: Answer, valueDigest: string): Promise<Contribution> {
  const { journal } = liar;
  const entry = encodeEntry({
    ...(decodeEntry(
      Buffer.from(given.contribution.receipt.payload.log.entry),
    ) as EntryOf<'release.made'>),
    valueDigest,
    blob: valueDigest,
  });
  const index = await journal.append(entry);
  const checkpoint = await journal.checkpoint();
  const proof = await journal.inclusionProof(index, journal.size);
  const log = {
    origin: liar.logOrigin,
    checkpoint,
    entry: fromUtf8(entry),
    index: String(index),
    proof: proof.map(bytesToHex),
  };
  return withReceipt(given, { valueDigest, log });
}
const withVector = async (given: Answer, vector: Uint8Array): Promise<Contribution> =>
  proving(given, await upload(vector));
const filled = (value: number, { vector }: Answer): Uint8Array =>
  new Uint8Array(new Int32Array(vector.length / 4).fill(value).buffer);

beforeAll(async () => {
  federation = await Federation.open({
    agencies: Object.entries(AREAS).map(([id, cells]) => ({
      id,
      domain: domainFromCells(`test/${id}`, cells),
      ...(id === LIAR ? { categories: ['asb'] as const } : {}),
      files: {
        'street.csv': streetFile(
          ['Anti-social behaviour', 'Robbery'].map((type) => ({
            month: '2024-01',
            type,
            cell: cells[0] as bigint,
          })),
        ),
      },
    })),
    roundDeadlineSeconds: 300,
  });
  await federation.stop(LIAR);
  liar = await openNode(federation.folder(LIAR), {
    nowMs: () => federation.nowMs,
    random: seededRandom('liar'),
    logger: createLogger('liar', 'silent'),
  });
  http = new SignedClient({
    url: federation.url,
    id: LIAR,
    key: liar.key,
    server: () => federation.manifest.coordinator.publicKey,
    verify: verifySignature,
    nowMs: () => federation.nowMs,
  });
  client = new CoordinatorClient(http);
  const first = await answer();
  earlier = first.contribution;
  await upload(first.vector);
  await send(first.round, first.contribution);
  expect((await federation.untilOver(first.round)).coverage.map(({ status }) => status)).toEqual([
    'answered',
    'answered',
    'answered',
  ]);
  const second = await answer();
  await refuse(second.round);
  honest = await headerOf(await federation.untilOver(second.round));
});
afterAll(async () => {
  await liar?.close();
  await federation?.close();
});

const refuse = async (round: string): Promise<void> => {
  const about = { round, agency: LIAR, at: new Date(federation.nowMs).toISOString() };
  const { fingerprint } = earlier.receipt.payload;
  const refusal = { ...about, fingerprint, code: 'roles', constraint: null };
  await client.post(`/v1/rounds/${round}/refusal`, seal('refusal', refusal, liar.key));
};

type Lie = (given: Answer & { readonly round: string }) => Promise<unknown>;
const rejected: readonly [string, string, Lie][] = [
  [
    'a vector that its log does not name',
    'bad-receipt',
    async (given) =>
      send(given.round, withReceipt(given, { valueDigest: await upload(filled(1, given)) })),
  ],
  [
    'cells of another area',
    'wrong-length',
    async (given) =>
      send(given.round, await withVector(given, new Uint8Array(given.vector.length + 4))),
  ],
  [
    'too few cells',
    'wrong-length',
    async (given) => send(given.round, await withVector(given, given.vector.subarray(4))),
  ],
  [
    'NaN and infinities, as doubles',
    'wrong-length',
    async (given) => {
      const doubles = new Float64Array(given.vector.length / 4).fill(Number.NaN);
      return send(given.round, await withVector(given, new Uint8Array(doubles.buffer)));
    },
  ],
  [
    'NaN and infinities, as floats',
    'beyond-bound',
    async (given) => {
      const floats = new Float32Array(given.vector.length / 4).fill(Number.NaN);
      return send(given.round, await withVector(given, new Uint8Array(floats.buffer)));
    },
  ],
  [
    'counts beyond any bound',
    'beyond-bound',
    async (given) => send(given.round, await withVector(given, filled(2 ** 31 - 1, given))),
  ],
  [
    'counts below any bound',
    'beyond-bound',
    async (given) => send(given.round, await withVector(given, filled(-(2 ** 31), given))),
  ],
  [
    'a question on another grid',
    'bad-receipt',
    async (given) => send(given.round, withReceipt(given, { fingerprint: 'f'.repeat(64) })),
  ],
  [
    'less noise than it paid for',
    'wrong-variances',
    async (given) => {
      const { levelVariances } = given.contribution.receipt.payload;
      const claim = { levelVariances: levelVariances.map(() => '1/1000000') };
      return send(given.round, withReceipt(given, claim));
    },
  ],
  [
    'another price',
    'bad-receipt',
    async (given) => send(given.round, withReceipt(given, { rho: '1/1000' })),
  ],
  [
    'other bounds',
    'bad-receipt',
    async (given) =>
      send(
        given.round,
        withReceipt(given, {
          privacy: { unit: 'person-year', maxPerRelease: 1_000, maxPerYear: 1_000 },
        }),
      ),
  ],
  [
    'another manifest',
    'wrong-manifest',
    async (given) => send(given.round, withReceipt(given, { manifest: 'f'.repeat(64) })),
  ],
  [
    'an answer of an earlier round',
    'wrong-round',
    async (given) => send(given.round, { ...earlier, round: given.round }),
  ],
  [
    "a receipt under another's name",
    'wrong-signer',
    async (given) => send(given.round, withReceipt(given, { agency: 'alpha-police' })),
  ],
  [
    'a category that it does not record',
    'wrong-groups',
    async (given) => {
      const groups = [...given.contribution.groups, { category: 'robbery', period: '2024-01' }];
      return send(given.round, { ...given.contribution, groups });
    },
  ],
  [
    'a group twice',
    'wrong-groups',
    async (given) => {
      const { groups } = given.contribution;
      return send(given.round, { ...given.contribution, groups: [...groups, ...groups] });
    },
  ],
];

it.each(rejected)(
  'is rejected with %s by %s, and nothing else changes',
  async (_lie, code, tell) => {
    const given = await answer();
    await upload(given.vector);
    expect(await tell(given).catch(refused)).toMatchObject({ code });
    const round = await federation.untilOver(given.round);
    expect(lineOf(round)).toMatchObject({ status: 'rejected', code });
    await expectUntouched(round);
  },
);

const text = (value: unknown): string => fromUtf8(canonicalBytes(value));
/** Text of an honest message with one part of it replaced. */
const altered = ({ contribution }: Answer, part: RegExp, by: string): Uint8Array => {
  const whole = text(seal('contribution', contribution, liar.key));
  const changed = whole.replace(part, by);
  if (changed === whole) throw new Error('the message has no such part');
  return Buffer.from(changed);
};
const unread: readonly [string, { status: number; code: string }, Lie][] = [
  [
    '1e308 as a bound',
    { status: 400, code: 'not-canonical' },
    (given) => post(given.round, altered(given, /"maxPerYear":1/, '"maxPerYear":1e308')),
  ],
  [
    'NaN as a bound',
    { status: 400, code: 'malformed-json' },
    (given) => post(given.round, altered(given, /"maxPerYear":1/, '"maxPerYear":NaN')),
  ],
  [
    'a negative bound',
    { status: 400, code: 'malformed-message' },
    (given) => post(given.round, altered(given, /"maxPerRelease":1/, '"maxPerRelease":-1')),
  ],
  [
    'a receipt that it changed after signing',
    { status: 401, code: 'bad-signature' },
    (given) => post(given.round, altered(given, /"rho":"1\/8"/, '"rho":"1/9"')),
  ],
  [
    "another agency's answer",
    { status: 422, code: 'wrong-agency' },
    (given) => send(given.round, { ...given.contribution, agency: 'alpha-police' }),
  ],
  [
    'a round that was not opened',
    { status: 404, code: 'not-found' },
    (given) => {
      const round = randomBytes(16).toString('hex');
      return send(round, { ...given.contribution, round });
    },
  ],
  [
    'a vector that did not come',
    { status: 409, code: 'not-yet' },
    async (given) => send(given.round, await proving(given, 'f'.repeat(64))),
  ],
];

it.each(unread)('is refused with %s, and may still answer', async (_lie, expected, tell) => {
  const given = await answer();
  expect(await tell(given).catch(refused)).toEqual(expected);
  expect(lineOf(await federation.untilRound(given.round, () => true))?.status).toBe('waiting');
  await refuse(given.round);
  await expectUntouched(await federation.untilOver(given.round));
});

it('cannot say twice what it answered', async () => {
  // the round stays open for as long as its last word is missing
  await federation.stop('alpha-police');
  const other = await answer();
  await upload(other.vector);
  await send(other.round, other.contribution);
  await send(other.round, other.contribution);
  const second = await withVector(other, filled(3, other));
  expect(await send(other.round, second).catch(refused)).toMatchObject({ code: 'second-answer' });
  await federation.startNode('alpha-police');
  const round = await federation.untilOver(other.round);
  expect(lineOf(round)).toMatchObject({ status: 'answered', code: null });
  const { answer: published } = (await headerOf(round)).coverage.at(-1) ?? {};
  expect(published).toBe(other.contribution.receipt.payload.valueDigest);
});

async function expectUntouched(round: RoundSeen): Promise<void> {
  expect(round.phase).toBe('released');
  const { groups, classes, coverage } = await headerOf(round);
  expect({ groups, classes }).toEqual({ groups: honest.groups, classes: honest.classes });
  const others = (lines: ReleaseHeader['coverage']) =>
    lines.filter(({ agency }) => agency !== LIAR).map(({ receipt: _receipt, ...line }) => line);
  expect(others(coverage)).toEqual(others(honest.coverage));
}
