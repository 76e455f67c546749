/** Who may have an answer that is in the log already: whom the policy in force admits now, and nobody else; it costs nothing. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RandomSource } from '#libs/dp';
import { checkEntryOrder, spent } from '#libs/ledger';
import { createLogger } from '#libs/nest-kit';
import { seededRandom } from '#libs/testing';
import { decodeEntry, type Entry } from '#libs/tlog';
import { answerQuery } from './answer-query.js';
import type { Node } from './node.js';
import { openNode } from './open-node.js';
import type { Outcome } from './outcome.js';
import { approveRequest } from './requests/decide-request.js';
import {
  makeSmallNode,
  type Question,
  type Settings,
  type SmallNode,
} from './small-node.fixture-spec.js';

const ROUND = 'a1'.repeat(16);
const FIRST: Question = { round: ROUND };
const refusal = (code: string) => ({ status: 'refused', refused: { code } });

let small: SmallNode;
let node: Node;
let nowMs: number;
/** While it is out of order, a node dies between its reservation and its release. */
let isOutOfOrder = false;
const seeded = seededRandom('re-ask');
const random: RandomSource = {
  fillWords: (words) => {
    if (isOutOfOrder) throw new Error('out of order');
    seeded.fillWords(words);
  },
};

const open = (): Promise<Node> =>
  openNode(small.dir, {
    nowMs: () => nowMs,
    random,
    logger: createLogger('test', 'silent'),
  });
const restart = async (): Promise<void> => {
  await node.close();
  node = await open();
};
const setUp = async (settings: Settings = {}): Promise<void> => {
  nowMs = Date.UTC(2026, 5, 1, 12);
  small = await makeSmallNode({ ...settings, nowMs });
  node = await open();
};
const ask = (question: Question): Promise<Outcome> =>
  answerQuery(small.task(question).payload, node);
const givenBy = (outcome: Outcome): string =>
  outcome.status === 'answered' ? outcome.answer.entry.valueDigest : outcome.status;
/** Asks, and dies after the spend is in the log and before an answer is. */
const dieAfterPaying = async (question: Question): Promise<void> => {
  isOutOfOrder = true;
  await expect(ask(question)).rejects.toThrow('out of order');
  isOutOfOrder = false;
  await restart();
};
async function entries(): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const { bytes } of node.journal.entries()) found.push(decodeEntry(bytes));
  return found;
}

afterEach(async () => {
  isOutOfOrder = false;
  const order = checkEntryOrder(await entries());
  await node.close();
  small.remove();
  expect(order.faults).toEqual([]);
});

describe('an answer that is in the log', () => {
  beforeEach(() => setUp({ rhoPerYear: '1/8', queriesPerDay: 1 }));

  it('is given again to whoever may ask, when budgets and questions of the day are used up', async () => {
    const first = givenBy(await ask(FIRST));
    expect(await ask({ rho: '1/9' })).toMatchObject(refusal('rho-per-year'));
    for (const question of [FIRST, {}, { analyst: 'analyst-2' } as const])
      expect(givenBy(await ask(question))).toBe(first);
    expect(node.ledger.reservations.size).toBe(1);
  });

  it('is not given to an analyst whose role no grant names, in a round of theirs or another', async () => {
    await ask(FIRST);
    expect(await ask({ analyst: 'viewer' })).toMatchObject(refusal('roles'));
    expect(await ask({ ...FIRST, analyst: 'viewer' })).toMatchObject(refusal('roles'));
    const refusals = (await entries()).filter(({ kind }) => kind === 'query.refused');
    expect(refusals).toHaveLength(2);
  });

  it('stays where it is once its grant was withdrawn, also for the round it was made in', async () => {
    await ask(FIRST);
    small.changePolicy((policy) => {
      policy.grants = policy.grants.filter(({ approval }) => approval === 'hold');
    });
    await restart();
    expect(await ask(FIRST)).toMatchObject(refusal('purposes'));
    expect(await ask({})).toMatchObject(refusal('purposes'));
    expect(spent(node.ledger, 'incidents', '2024')).toMatchObject({ num: 1n, den: 8n });
  });

  it('stays where it is once its grant has run out', async () => {
    await ask(FIRST);
    nowMs = Date.UTC(2035, 5, 1);
    expect(await ask(FIRST)).toMatchObject(refusal('valid-until'));
  });

  it('is given in its own round, and in others, under another policy that admits it', async () => {
    const first = givenBy(await ask(FIRST));
    small.changePolicy(({ grants }) => {
      for (const grant of grants) grant.validUntil = '2033-01-01';
    });
    const before = node.policyDigest;
    await restart();
    expect(node.policyDigest).not.toBe(before);
    expect(givenBy(await ask(FIRST))).toBe(first);
    expect(givenBy(await ask({}))).toBe(first);
    expect(node.ledger.reservations.size).toBe(1);
  });

  it('waits for a person once the policy says so', async () => {
    const first = givenBy(await ask(FIRST));
    small.changePolicy(({ grants }) => {
      const [plain, holding] = grants;
      grants.splice(0, 2, { ...holding, purposes: plain?.purposes ?? [] } as typeof plain & object);
    });
    await restart();
    expect((await ask(FIRST)).status).toBe('held');
    await approveRequest(node, [...node.holds.byId.keys()].at(-1) ?? '', 'Sam Okafor');
    expect(givenBy(await ask(FIRST))).toBe(first);
    expect(node.ledger.reservations.size).toBe(1);
  });
});

describe('a spend whose process died before the answer was in the log', () => {
  beforeEach(() => setUp({ rhoPerYear: '1/8', queriesPerDay: 1 }));

  it('is finished in its round, though nothing is left of budget and questions', async () => {
    await dieAfterPaying(FIRST);
    expect((await ask(FIRST)).status).toBe('answered');
    expect(node.ledger.reservations.size).toBe(1);
  });

  it('is finished for whoever may ask, and for nobody else', async () => {
    await dieAfterPaying(FIRST);
    expect(await ask({ analyst: 'viewer' })).toMatchObject(refusal('roles'));
    expect((await ask({ analyst: 'analyst-2' })).status).toBe('answered');
    expect(node.ledger.reservations.size).toBe(1);
  });

  it('is finished under another policy that admits it, and stays spent under one that does not', async () => {
    await dieAfterPaying(FIRST);
    const [granted] = node.policies.agency.grants;
    small.changePolicy(({ grants }) => {
      for (const grant of grants) grant.purposes = ['intervention-evaluation'];
    });
    await restart();
    expect(await ask(FIRST)).toMatchObject(refusal('purposes'));
    small.changePolicy(({ grants }) => {
      for (const grant of grants) grant.purposes = [...(granted?.purposes ?? [])];
    });
    await restart();
    expect((await ask(FIRST)).status).toBe('answered');
    expect(node.ledger.reservations.size).toBe(1);
  });
});

describe('an answer that a person agreed to', () => {
  const HELD: Question = { round: ROUND, purpose: 'intervention-evaluation' };
  beforeEach(() => setUp());

  it('is given again to the analyst it was agreed for, and held anew for another', async () => {
    expect((await ask(HELD)).status).toBe('held');
    await approveRequest(node, [...node.holds.byId.keys()].at(-1) ?? '', 'Sam Okafor');
    const first = givenBy(await ask(HELD));
    expect(givenBy(await ask({ ...HELD, round: 'b2'.repeat(16) }))).toBe(first);
    const other: Question = { ...HELD, round: 'c3'.repeat(16), analyst: 'analyst-2' };
    expect((await ask(other)).status).toBe('held');
    await approveRequest(node, [...node.holds.byId.keys()].at(-1) ?? '', 'Sam Okafor');
    expect(givenBy(await ask(other))).toBe(first);
    expect(node.ledger.reservations.size).toBe(1);
  });
});
