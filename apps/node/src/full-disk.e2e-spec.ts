import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { nodePaths } from './config.js';
import { makeSmallNode, type SmallNode } from './small-node.fixture-spec.js';
import {
  type NodeProcess,
  startNode,
  startTaskSource,
  type TaskSource,
} from './task-source.fixture-spec.js';

/** Questions that wait for a person: more than the slack of a page has room for decisions on. */
const HELD = 8;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A file system of its own that can be filled; undefined where this user may not mount one. */
function mountSmallDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'concordat-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', dir], { stdio: 'ignore' });
    return dir;
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
}

/** Writes until there is no room for another byte. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  let block = 1 << 20;
  while (block >= 1) {
    try {
      if (writeSync(file, Buffer.alloc(block)) < block) block >>= 1;
    } catch {
      block >>= 1;
    }
  }
  closeSync(file);
}

let disk: string | undefined;
let small: SmallNode | undefined;
let source: TaskSource | undefined;
let node: NodeProcess | undefined;

afterEach(async () => {
  node?.child.kill('SIGKILL');
  await node?.ended;
  await source?.close();
  small?.remove();
  if (disk) {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  }
});

/** In CI a missing part is a failure; elsewhere a person without the right to mount is told that two tests did not run. */
function cannotMount(): void {
  const why = 'this user may not mount a file system: run the tests as root to try a full disk';
  if (process.env.CI) throw new Error(why);
  process.stderr.write(`not run: ${why}\n`);
}

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

  const { token } = JSON.parse(readFileSync(nodePaths(dir).control, 'utf8'));
  const call = async (path: string, body?: object) => {
    const started = performance.now();
    const response = await fetch(new URL(path, url), {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = (await response.json()) as { code?: string; requests?: { id: string }[] };
    return { status: response.status, answer, tookMs: performance.now() - started };
  };
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
