/**
 * A node on a disk that fails under it, with questions that wait for a person; for the specs beside it (the name keeps it out of the build and out
 * of Jest's list).
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { readJournal } from '#libs/journal';
import { checkEntryOrder } from '#libs/ledger';
import { decodeEntry, type Entry } from '#libs/tlog';
import { nodePaths } from './config.js';
import { makeSmallNode } from './small-node.fixture-spec.js';
import {
  type NodeProcess,
  operatorOf,
  startNode,
  startTaskSource,
} from './task-source.fixture-spec.js';
import { run } from './test-disk.fixture-spec.js';

/** Questions that wait for a person. */
const HELD = 3;

const denial = { by: 'Sam Okafor', reason: 'not now' };

export type StruckNode = Awaited<ReturnType<typeof nodeOn>>;

/** Starts the node in a folder below `mountPoint`, and answers one of its questions. */
export async function nodeOn(mountPoint: string, env: Readonly<Record<string, string>> = {}) {
  const tasks = await startTaskSource();
  const dir = join(mountPoint, 'node');
  const folder = await makeSmallNode({ dir, coordinatorUrl: tasks.url });
  tasks.key = folder.coordinator;
  const queue = Array.from({ length: HELD }, (_, i) =>
    folder.task({ purpose: 'intervention-evaluation', rho: `1/${i + 8}` }),
  );
  let polls = 0;
  tasks.offer = () => {
    polls += 1;
    return queue.splice(0);
  };
  let url = '';
  let node: NodeProcess | undefined;
  const start = async (): Promise<void> => {
    node = startNode(dir, env);
    url = await node.ready;
  };
  /** Exit code or signal, and the end of what it logged. */
  const stop = async (signal: NodeJS.Signals) => {
    node?.child.kill(signal);
    return { how: await node?.ended, words: node?.words() ?? '' };
  };
  await start();
  while (tasks.sent.length < HELD) await pause(20);

  // the address changes when the node is started anew
  const call = (path: string, body?: object) => operatorOf(dir, url)(path, body);
  const { answer } = await call('/v1/requests');
  const [first = '', second = '', third = ''] = answer.requests?.map(({ id }) => id) ?? [];
  const deny = (id: string) => call(`/v1/requests/${id}/deny`, denial);
  const contributions = () => tasks.sent.filter(({ kind }) => kind === 'contribution');

  /** While the disk refuses: quick refusals, a process that lives, and no answer to a question that cannot be logged. */
  const expectRefusals = async (): Promise<void> => {
    const { log } = nodePaths(dir);
    const entriesBefore = statSync(join(log, 'entries.rec')).size;
    for (const id of [second, third]) {
      const refused = await deny(id);
      expect(refused).toMatchObject({ status: 503, answer: { code: 'log-unavailable' } });
      expect(refused.tookMs).toBeLessThan(1000);
    }
    expect((await call('/healthz')).status).toBe(200);
    const sentBefore = tasks.sent.length;
    const pollsBefore = polls;
    queue.push(folder.task());
    // handed over, tried, and asked for again
    while (polls < pollsBefore + 4) await pause(20);
    // that a question waits may be told again: it is in the log from before
    expect(tasks.sent.slice(sentBefore).filter(({ kind }) => kind !== 'hold')).toEqual([]);
    expect((await call('/healthz')).status).toBe(200);
    // an append that is under way may stand in the file until it is refused and cut off again
    while (statSync(join(log, 'entries.rec')).size !== entriesBefore) await pause(5);
  };

  /** Once it takes writes again: the refused decisions, and the answer to the question that waited. */
  const expectRecovery = async (): Promise<void> => {
    for (const id of [second, third]) expect((await deny(id)).status).toBe(200);
    while (contributions().length < 1) await pause(20);
  };

  /** Every decision and every answer that was given is in the log, read from the disk and not from memory. */
  const expectDurable = async (remount: () => void = () => {}): Promise<void> => {
    expect(await stop('SIGTERM')).toMatchObject({ how: 0 });
    remount();
    const entries: Entry[] = [];
    for await (const { bytes } of readJournal(nodePaths(dir).log)) entries.push(decodeEntry(bytes));
    expect(checkEntryOrder(entries).faults).toEqual([]);
    const denied = entries.filter(
      (entry) => entry.kind === 'query.refused' && entry.reason === denial.reason,
    );
    expect(denied).toHaveLength(HELD);
    expect(entries.filter(({ kind }) => kind === 'budget.reserved')).toHaveLength(1);
    const digests = entries.flatMap((entry) =>
      entry.kind === 'release.made' ? [entry.valueDigest] : [],
    );
    expect(digests).toEqual(contributions().map(({ says }) => says));
  };

  expect((await deny(first)).status).toBe(200);
  while (!tasks.sent.some(({ kind }) => kind === 'refusal')) await pause(20);
  // it asks for tasks again once all that it logged is signed: from here on a fault finds nothing under way
  const settled = polls + 2;
  while (polls < settled) await pause(20);
  // the folder is older than the fault: what was copied into it is on the disk
  run('sync', '-f', dir);
  const close = async (): Promise<void> => {
    await stop('SIGKILL');
    await tasks.close();
    folder.remove();
  };
  return { dir, start, stop, close, expectRefusals, expectRecovery, expectDurable };
}
