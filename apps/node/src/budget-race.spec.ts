import { afterEach, describe, expect, it } from '@jest/globals';
import { formatRational } from '#libs/dp';
import { checkEntryOrder, spent } from '#libs/ledger';
import { createLogger } from '#libs/nest-kit';
import { CATEGORIES } from '#libs/query';
import { decodeEntry, type Entry } from '#libs/tlog';
import { answerQuery } from './answer-query.js';
import { readBudget } from './budget.js';
import type { Node } from './node.js';
import { openNode } from './open-node.js';
import { makeSmallNode, type SmallNode } from './small-node.fixture-spec.js';

const CLIENTS = 64;
let small: SmallNode;
let node: Node | undefined;

afterEach(async () => {
  await node?.close();
  small.remove();
});

describe('64 clients who race for the last budget', () => {
  it('get exactly the affordable number of answers, and no log prefix overspends', async () => {
    small = await makeSmallNode();
    const opened = await openNode(small.dir, {
      nowMs: Date.now,
      logger: createLogger('test', 'silent'),
    });
    node = opened;
    const tasks = Array.from({ length: CLIENTS }, (_, i) =>
      small.task({
        category: CATEGORIES[i % CATEGORIES.length] as string,
        resolution: 4 + (Math.floor(i / CATEGORIES.length) % 6),
      }),
    );
    const outcomes = await Promise.all(tasks.map(({ payload }) => answerQuery(payload, opened)));
    // 1/8 of a year's 2 each: sixteen can be paid
    expect(outcomes.filter(({ status }) => status === 'answered')).toHaveLength(16);
    const codes = outcomes.flatMap((outcome) =>
      outcome.status === 'refused' ? [outcome.refused.code] : [],
    );
    expect(new Set(codes)).toEqual(new Set(['rho-per-year']));
    expect(formatRational(spent(opened.ledger, 'incidents', '2024'))).toBe('2');
    const entries: Entry[] = [];
    for await (const { bytes } of opened.journal.entries()) entries.push(decodeEntry(bytes));
    expect(checkEntryOrder(entries).faults).toEqual([]);
    expect(await readBudget(small.dir, undefined)).toMatchObject({
      years: [{ year: '2024', limit: '2', spent: '2', left: '0' }],
    });
  });

  it('share one answer and one spend when they ask the same', async () => {
    small = await makeSmallNode();
    const opened = await openNode(small.dir, {
      nowMs: Date.now,
      logger: createLogger('test', 'silent'),
    });
    node = opened;
    const tasks = Array.from({ length: CLIENTS }, () => small.task());
    const outcomes = await Promise.all(tasks.map(({ payload }) => answerQuery(payload, opened)));
    const digests = outcomes.map((outcome) =>
      outcome.status === 'answered' ? outcome.answer.entry.valueDigest : outcome.status,
    );
    expect(new Set(digests).size).toBe(1);
    expect(formatRational(spent(opened.ledger, 'incidents', '2024'))).toBe('1/8');
  });
});
