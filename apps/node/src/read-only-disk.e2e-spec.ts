/**
 * A disk that the kernel makes read-only under a running node. Needs root and loop devices: an ext4 file system in a file, mounted,
 * is the node's disk. `mount -o remount,ro` is refused while files are open for writing, so ext4's own answers are used: to an error, which only a new
 * mount ends, and to files marked immutable, which can be taken back at once.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { readJournal } from '#libs/journal';
import { checkEntryOrder } from '#libs/ledger';
import { decodeEntry, type Entry } from '#libs/tlog';
import { nodePaths } from './config.js';
import { makeSmallNode, type SmallNode } from './small-node.fixture-spec.js';
import {
  type NodeProcess,
  startNode,
  startTaskSource,
  type TaskSource,
} from './task-source.fixture-spec.js';

/** Questions that wait for a person. */
const HELD = 3;

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

interface Disk {
  readonly dir: string;
  readonly image: string;
  readonly device: string;
  unmount(): void;
  mount(): void;
  remove(): void;
}

/** Undefined where this user may not mount a file system out of a file. */
function makeDisk(options: string): Disk | undefined {
  const base = mkdtempSync(join(tmpdir(), 'concordat-disk-'));
  const image = join(base, 'image');
  const dir = join(base, 'mounted');
  mkdirSync(dir);
  writeFileSync(image, '');
  truncateSync(image, 96 << 20);
  let device = '';
  let mounted = false;
  const disk: Disk = {
    dir,
    image,
    get device() {
      return device;
    },
    mount: () => {
      run('mount', '-t', 'ext4', '-o', options, device, dir);
      mounted = true;
    },
    unmount: () => {
      if (mounted) run('umount', dir);
      mounted = false;
    },
    remove: () => {
      disk.unmount();
      if (device) run('losetup', '-d', device);
      rmSync(base, { recursive: true });
    },
  };
  try {
    run('mkfs.ext4', '-q', '-O', '^has_journal', image);
    device = run('losetup', '--find', '--show', image);
    disk.mount();
    return disk;
  } catch {
    disk.remove();
    return undefined;
  }
}

/** In CI a missing part is a failure; elsewhere a person without the right to mount is told that this test did not run. */
function cannotMount(): void {
  const why =
    'this user may not mount a loop device: run the tests as root to try a read-only disk';
  if (process.env.CI) throw new Error(why);
  process.stderr.write(`not run: ${why}\n`);
}

let disk: Disk | undefined;
let small: SmallNode | undefined;
let source: TaskSource | undefined;
let node: NodeProcess | undefined;

afterEach(async () => {
  node?.child.kill('SIGKILL');
  await node?.ended;
  await source?.close();
  small?.remove();
  disk?.remove();
});

const denial = { by: 'Sam Okafor', reason: 'not now' };

/** A node on `disk` with questions that wait for a person, and ways to ask it for more. */
async function nodeOn({ dir: mountPoint }: Disk) {
  const tasks = await startTaskSource();
  source = tasks;
  const dir = join(mountPoint, 'node');
  const folder = await makeSmallNode({ dir, coordinatorUrl: tasks.url });
  small = folder;
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
  const start = async () => {
    node = startNode(dir);
    url = await node.ready;
  };
  await start();
  while (tasks.sent.length < HELD) await pause(20);

  const call = async (path: string, body?: object) => {
    const { token } = JSON.parse(readFileSync(nodePaths(dir).control, 'utf8'));
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
    expect(statSync(join(log, 'entries.rec')).size).toBe(entriesBefore);
  };

  /** Once it takes writes again: the refused decisions, and the answer to the question that waited. */
  const expectRecovery = async (): Promise<void> => {
    for (const id of [second, third]) expect((await deny(id)).status).toBe(200);
    while (contributions().length < 1) await pause(20);
  };

  /** Every decision and every answer that was given is in the log, read from the disk and not from memory. */
  const expectDurable = async (mounted: Disk): Promise<void> => {
    node?.child.kill('SIGTERM');
    expect(await node?.ended).toBe(0);
    mounted.unmount();
    mounted.mount();
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
  // the folder is older than the fault: what was copied into it is on the disk
  run('sync', '-f', dir);
  return { start, expectRefusals, expectRecovery, expectDurable };
}

it('answers 503 when the kernel makes its file system read-only, and goes on after it was mounted anew', async () => {
  disk = makeDisk('errors=remount-ro');
  if (disk === undefined) return cannotMount();
  const subject = await nodeOn(disk);
  // what ext4 does after an error on the disk: EROFS at once, also on files that are open
  writeFileSync(`/sys/fs/ext4/${basename(disk.device)}/trigger_fs_error`, '1');
  const path = join(disk.dir, 'another');
  expect(() => openSync(path, 'w')).toThrow(expect.objectContaining({ code: 'EROFS' }));
  await subject.expectRefusals();
  // the kernel takes no remount,rw after an error: unmounted and mounted again, so the node has to end
  node?.child.kill('SIGTERM');
  await node?.ended;
  disk.unmount();
  disk.mount();
  await subject.start();
  await subject.expectRecovery();
  await subject.expectDurable(disk);
}, 120_000);

it('answers 503 while the kernel refuses every write to its folder, and goes on without a restart', async () => {
  disk = makeDisk('errors=remount-ro');
  if (disk === undefined) return cannotMount();
  const subject = await nodeOn(disk);
  const folder = join(disk.dir, 'node');
  // the read-only state that can be taken back under open files: ext4 refuses each write, truncation and new file with EPERM
  run('chattr', '-R', '+i', folder);
  try {
    expect(() => openSync(join(folder, 'another'), 'w')).toThrow(
      expect.objectContaining({ code: 'EPERM' }),
    );
    await subject.expectRefusals();
  } finally {
    run('chattr', '-R', '-i', folder);
  }
  await subject.expectRecovery();
  await subject.expectDurable(disk);
}, 120_000);
