import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { makeSmallNode, type SmallNode } from './small-node.fixture-spec.js';
import {
  type NodeProcess,
  operatorOf,
  startNode,
  startTaskSource,
  type TaskSource,
} from './task-source.fixture-spec.js';
import { cannotMount, fill, mountSmallDisk, unmountSmallDisk } from './test-disk.fixture-spec.js';

/** Questions that wait for a person: more than the slack of a page has room for decisions on. */
const HELD = 8;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let disk: string | undefined;
let small: SmallNode | undefined;
let source: TaskSource | undefined;
let node: NodeProcess | undefined;

afterEach(async () => {
  node?.child.kill('SIGKILL');
  await node?.ended;
  await source?.close();
  small?.remove();
  if (disk) unmountSmallDisk(disk);
});

it('answers 503 within a second on a full disk, stays up, and goes on by itself when there is room', async () => {
  disk = mountSmallDisk();
  if (disk === undefined) return cannotMount();
  const tasks = await startTaskSource();
  source = tasks;
  const dir = join(disk, 'node');
  const folder = await makeSmallNode({ dir, coordinatorUrl: tasks.url });
  small = folder;
  tasks.key = folder.coordinator;
  const queue = Array.from({ length: HELD }, (_, i) =>
    folder.task({ purpose: 'intervention-evaluation', rho: `1/${i + 8}` }),
  );
  tasks.offer = () => queue.splice(0);
  node = startNode(dir);
  const url = await node.ready;
  while (tasks.sent.length < HELD) await pause(50);
  expect(new Set(tasks.sent.map(({ kind }) => kind))).toEqual(new Set(['hold']));

  const call = operatorOf(dir, url);
  const { answer } = await call('/v1/requests');
  const ids = answer.requests?.map(({ id }) => id) ?? [];
  const wanted = ids.pop();

  // the last page of the log's file has room for a few entries more: decisions until one does not fit
  const ballast = join(disk, 'ballast');
  fill(ballast);
  const denial = { by: 'Sam Okafor', reason: 'x'.repeat(500) };
  const replies: Awaited<ReturnType<typeof call>>[] = [];
  let id: string | undefined;
  do {
    id = ids.pop();
    replies.push(await call(`/v1/requests/${id}/deny`, denial));
  } while (replies.at(-1)?.status === 200);
  expect(replies.at(-1)).toMatchObject({ status: 503, answer: { code: 'log-unavailable' } });
  expect(Math.max(...replies.map(({ tookMs }) => tookMs))).toBeLessThan(1000);
  expect((await call('/healthz')).status).toBe(200);

  // a question asked of a node that cannot log it gets no answer at all
  const before = tasks.sent.length;
  queue.push(folder.task());
  await pause(3_000);
  expect(tasks.sent.slice(before).filter(({ kind }) => kind === 'contribution')).toEqual([]);
  expect((await call('/healthz')).status).toBe(200);

  rmSync(ballast);
  expect((await call(`/v1/requests/${id}/deny`, denial)).status).toBe(200);
  const approval = { by: 'Sam Okafor' };
  expect((await call(`/v1/requests/${wanted}/approve`, approval)).status).toBe(200);
  const answered = () => tasks.sent.filter(({ kind }) => kind === 'contribution');
  while (answered().length < 2) await pause(50);
  expect(new Set(answered().map(({ fingerprint }) => fingerprint)).size).toBe(2);
});

it('does not start on a read-only disk, and says what to do', async () => {
  disk = mountSmallDisk();
  if (disk === undefined) return cannotMount();
  const dir = join(disk, 'node');
  small = await makeSmallNode({ dir });
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  node = startNode(dir);
  await expect(node.ready).rejects.toThrow(
    'the log cannot be written; check disk space and rights',
  );
  expect(await node.ended).toBe(1);
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  node = startNode(dir);
  await node.ready;
});
