import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyJournal } from '#libs/journal';
import { createLogger } from '#libs/nest-kit';
import type { SignedTask } from '#libs/protocol';
import { decodeEntry, type Entry, formatVerifierKey } from '#libs/tlog';
import { answerQuery } from '../answer-query.js';
import { nodePaths } from '../config.js';
import type { Node } from '../node.js';
import { openNode } from '../open-node.js';
import type { Outcome } from '../outcome.js';
import {
  makeSmallNode,
  type Question,
  type Settings,
  type SmallNode,
} from '../small-node.fixture-spec.js';
import { decideInFolder } from './decide-in-folder.js';
import { approveRequest, denyRequest, expireRequests } from './decide-request.js';
import { readRequests } from './read-requests.js';

const START = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;
const HELD: Question = { purpose: 'intervention-evaluation' };

let small: SmallNode;
let node: Node;
let nowMs: number;

const open = (): Promise<Node> =>
  openNode(small.dir, { nowMs: () => nowMs, logger: createLogger('test', 'silent') });
const setUp = async (settings: Settings): Promise<void> => {
  nowMs = START;
  small = await makeSmallNode({ ...settings, nowMs: START });
  node = await open();
};
const restart = async (): Promise<void> => {
  await node.close();
  node = await open();
};
const ask = (task: SignedTask): Promise<Outcome> => answerQuery(task.payload, node);
const theRequest = () => [...node.holds.byId.values()].at(-1)?.id ?? 'none';

async function kinds(): Promise<readonly Entry['kind'][]> {
  const found: Entry['kind'][] = [];
  for await (const { bytes } of node.journal.entries()) found.push(decodeEntry(bytes).kind);
  return found;
}

afterEach(async () => {
  await node.close();
  small.remove();
});

describe('a question whose grant says hold', () => {
  beforeEach(() => setUp({}));

  it('waits, is answered after a person agreed, and costs nothing when asked again', async () => {
    const task = small.task(HELD);
    const until = new Date(START + HOUR).toISOString();
    expect(await ask(task)).toEqual({ status: 'held', until });
    expect(node.ledger.reservations.size).toBe(0);

    const decided = await approveRequest(node, theRequest(), 'Sam Okafor');
    expect(decided).toMatchObject({ state: 'approved', analyst: 'analyst-1' });
    const answered = await ask(task);
    expect(answered.status).toBe('answered');
    expect((await ask(small.task(HELD))).status).toBe('answered');
    expect(node.ledger.reservations.size).toBe(1);
    expect(node.holds.byId.get(theRequest())?.state).toBe('answered');
  });

  it('is logged once however often its task comes', async () => {
    const task = small.task(HELD);
    for (let i = 0; i < 3; i++) expect((await ask(task)).status).toBe('held');
    const logged = await kinds();
    expect(logged.filter((kind) => kind === 'query.received')).toHaveLength(1);
    expect(logged.filter((kind) => kind === 'query.held')).toHaveLength(1);
  });

  it('is refused with a code while a denial stands, and held anew after it', async () => {
    await ask(small.task(HELD));
    await denyRequest(node, theRequest(), 'Sam Okafor', 'no purpose given');
    const refused = { status: 'refused', refused: { code: 'denied-by-person' } };
    expect(await ask(small.task(HELD))).toMatchObject(refused);
    nowMs = START + HOUR;
    expect((await ask(small.task(HELD))).status).toBe('held');
  });

  it('can be refused after an approval, until a release has used it', async () => {
    const task = small.task(HELD);
    await ask(task);
    const id = theRequest();
    await approveRequest(node, id, 'Sam Okafor');
    await denyRequest(node, id, 'Ann Lee', 'on reflection, no');
    expect((await ask(task)).status).toBe('refused');
    expect(node.ledger.reservations.size).toBe(0);
  });

  it('expires: the rounds that waited are refused, a later one is held anew', async () => {
    const task = small.task(HELD);
    await ask(task);
    nowMs = START + HOUR;
    await expect(approveRequest(node, theRequest(), 'Sam Okafor')).rejects.toMatchObject({
      code: 'request-expired',
    });
    expect(await expireRequests(node)).toBe(1);
    expect(await expireRequests(node)).toBe(0);
    expect(await ask(task)).toMatchObject({ status: 'refused', refused: { code: 'hold-expired' } });
    expect((await ask(small.task(HELD))).status).toBe('held');
    expect((await kinds()).filter((kind) => kind === 'query.refused')).toHaveLength(1 + 0);
  });

  it('is known again after a restart, approvals included', async () => {
    const task = small.task(HELD);
    await ask(task);
    await restart();
    expect((await ask(task)).status).toBe('held');
    await approveRequest(node, theRequest(), 'Sam Okafor');
    await restart();
    expect((await ask(task)).status).toBe('answered');
  });

  it('is decided in the folder when the node does not run', async () => {
    await ask(small.task(HELD));
    const id = theRequest();
    await node.close();
    const by = { verb: 'approve', by: 'Sam Okafor' } as const;
    await expect(decideInFolder(small.dir, '999', by, () => nowMs)).rejects.toMatchObject({
      code: 'no-such-request',
    });
    expect(await decideInFolder(small.dir, id, by, () => nowMs)).toMatchObject({
      state: 'approved',
    });
    const [shown] = await readRequests(small.dir, nowMs);
    expect(shown).toMatchObject({ id, state: 'approved', approvals: [{ by: 'Sam Okafor' }] });
    expect(shown?.sentence).toMatch(/^How many incidents of robbery were recorded by every agency/);
    node = await open();
    expect((await ask(small.task(HELD))).status).toBe('answered');
  });

  it.each(['', '  ', 'two\nlines', 'x'.repeat(201), 7, undefined])(
    'refuses the name %j',
    async (by) => {
      await ask(small.task(HELD));
      await expect(approveRequest(node, theRequest(), by)).rejects.toMatchObject({
        code: 'bad-name',
      });
    },
  );

  it('leaves questions of an automatic grant alone', async () => {
    expect((await ask(small.task())).status).toBe('answered');
  });
});

describe('four eyes', () => {
  beforeEach(() => setUp({ approvers: 2 }));

  it('need two different people, under whatever spelling, also across a restart', async () => {
    const task = small.task(HELD);
    await ask(task);
    const id = theRequest();
    expect(await approveRequest(node, id, 'Sam Okafor')).toMatchObject({ state: 'waiting' });
    expect((await ask(task)).status).toBe('held');
    for (const again of ['Sam Okafor', ' sam  OKAFOR ', 'Sam\u00a0Okafor'])
      await expect(approveRequest(node, id, again)).rejects.toMatchObject({ code: 'same-person' });
    await restart();
    await expect(approveRequest(node, id, 'SAM OKAFOR')).rejects.toMatchObject({
      code: 'same-person',
    });
    expect(await approveRequest(node, id, 'Ann Lee')).toMatchObject({ state: 'approved' });
    expect((await ask(task)).status).toBe('answered');
    const publicKey = node.key.publicKeyBytes;
    await node.journal.checkpoint();
    const verifierKeys = [formatVerifierKey({ name: node.logOrigin, publicKey })];
    expect(await verifyJournal(nodePaths(small.dir).log, { verifierKeys })).toMatchObject({
      ok: true,
    });
  });
});
