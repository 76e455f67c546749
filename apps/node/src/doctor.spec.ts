import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createBoxKey } from '#libs/keystore';
import { createLogger } from '#libs/nest-kit';
import { answerQuery } from './answer-query.js';
import { readBudget } from './budget.js';
import { nodePaths } from './config.js';
import { examineNode } from './doctor.js';
import { openNode } from './open-node.js';
import { makeSmallNode, type SmallNode } from './small-node.fixture-spec.js';

let small: SmallNode;
const logger = createLogger('test', 'silent');

beforeEach(async () => {
  small = await makeSmallNode();
  const node = await openNode(small.dir, { nowMs: Date.now, logger });
  await answerQuery(small.task().payload, node);
  await node.journal.checkpoint();
  await node.close();
});
afterEach(() => small.remove());

const examine = (options: { full?: boolean; nowMs?: () => number } = {}) =>
  examineNode(small.dir, { nowMs: Date.now, full: false, ...options });
const failed = async (options: { full?: boolean; nowMs?: () => number } = {}) => {
  const { ok, findings } = await examine(options);
  const bad = findings.filter(({ status }) => status === 'fail');
  expect(ok).toBe(bad.length === 0);
  for (const { todo } of bad) expect(todo).toMatch(/\w/);
  return bad.map(({ check }) => check);
};
const change = (path: string, edit: (text: string) => string): void =>
  writeFileSync(path, edit(readFileSync(path, 'latin1')), 'latin1');

describe("the doctor of a node's folder", () => {
  it('finds a sound folder sound, also while the node runs', async () => {
    expect(await failed()).toEqual([]);
    expect(await failed({ full: true })).toEqual([]);
    const node = await openNode(small.dir, { nowMs: Date.now, logger });
    expect(await failed({ full: true })).toEqual([]);
    await node.close();
    const { findings } = await examine();
    expect(findings.find(({ check }) => check === 'budget')?.says).toBe('2024: 15/8 of 2 left');
  });

  it('finds a key that others may read', async () => {
    chmodSync(nodePaths(small.dir).signingKey, 0o640);
    expect(await failed()).toContain('keys');
  });

  it('finds a policy that was changed after it was signed', async () => {
    change(nodePaths(small.dir).policy, (text) =>
      text.replace('"queriesPerDay":1000', '"queriesPerDay":999'),
    );
    expect(await failed()).toEqual(['policy']);
  });

  it('finds grants that are all over', async () => {
    expect(await failed({ nowMs: () => Date.UTC(2035, 0, 1, 12) })).toEqual(['policy']);
  });

  it('finds a clock behind the log', async () => {
    expect(await failed({ nowMs: () => Date.now() - 86_400_000 })).toEqual(['clock']);
  });

  it('finds a box key that the manifest does not name', async () => {
    rmSync(nodePaths(small.dir).boxKey);
    createBoxKey(nodePaths(small.dir).boxKey);
    expect(await failed()).toEqual(['manifest']);
  });

  it('finds a manifest that another key signed', async () => {
    change(nodePaths(small.dir).manifest, (text) => text.replace('"serial":1', '"serial":2'));
    expect(await failed()).toEqual(expect.arrayContaining(['manifest', 'log']));
  });

  it.each(['entries.rec', 'checkpoint'])('finds a byte changed in %s', async (file) => {
    const path = join(nodePaths(small.dir).log, file);
    const bytes = readFileSync(path);
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(await failed()).toContain('log');
  });

  it('finds settings it does not know', async () => {
    change(nodePaths(small.dir).config, (text) => `${text}noise: off\n`);
    expect(await failed()).toContain('config');
  });
});

describe('the budget of a folder', () => {
  const question = (rho: string): string =>
    `{categories: [robbery], periods: [2024-01], resolution: 6, rho: "${rho}", purpose: hotspot-policing}`;

  it('tells what a question costs, that an answered one is free, and changes nothing', async () => {
    const before = readFileSync(join(nodePaths(small.dir).log, 'entries.rec'));
    expect((await readBudget(small.dir, question('1/4'))).preview).toMatchObject({
      affordable: true,
      cost: '1/4',
      sentence: 'this query costs 1/4; 6 like it remain this year',
    });
    expect((await readBudget(small.dir, question('3'))).preview).toMatchObject({
      affordable: false,
    });
    expect(readFileSync(join(nodePaths(small.dir).log, 'entries.rec'))).toEqual(before);
  });

  it.each([
    ['[]', 'query-not-object'],
    ['{', 'query-not-object'],
    ['{rho: "1/8"}', 'missing-field'],
    [question('0.125'), 'bad-rho'],
    [question('1/8').replace('robbery', 'arson'), 'unknown-category'],
  ])('refuses the question %s', async (text, code) => {
    await expect(readBudget(small.dir, text)).rejects.toMatchObject({ code });
  });
});
