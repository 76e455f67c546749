import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Threads } from './threads.js';

const BUILT = pathToFileURL(
  join(import.meta.dirname, '../../../dist/libs/jobs/src/threads.js'),
).href;
const ERRORS = pathToFileURL(
  join(import.meta.dirname, '../../../dist/libs/bytes/src/index.js'),
).href;

/** Computes for as long as it is told without ever yielding, as arithmetic does. */
const PROGRAM = `
import { threadId } from 'node:worker_threads';
import { answerTasks } from '${BUILT}';
import { ConcordatError } from '${ERRORS}';
answerTasks(async ({ what, ms }, onProgress) => {
  if (what === 'verdict') throw new ConcordatError('no-contribution', 'ask more agencies');
  if (what === 'crash') throw new Error('canary-4711');
  if (what === 'exit') process.exit(3);
  onProgress(0.5);
  const end = Date.now() + ms;
  while (Date.now() < end);
  return threadId;
});
`;

let dir: string;
let threads: Threads;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-threads-'));
  writeFileSync(join(dir, 'program.mjs'), PROGRAM);
  threads = new Threads(join(dir, 'program.mjs'));
});
afterAll(async () => {
  await threads.close();
  rmSync(dir, { recursive: true, force: true });
});

const call = (signal = new AbortController().signal, onProgress = (_: number) => {}) => ({
  signal,
  onProgress,
});

describe('threads', () => {
  it('compute beside the process, and are kept for the next task', async () => {
    let turns = 0;
    const turning = setInterval(() => {
      turns += 1;
    }, 5);
    const progress: number[] = [];
    const first = await threads.run(
      { what: 'compute', ms: 500 },
      call(undefined, (fraction) => progress.push(fraction)),
    );
    clearInterval(turning);
    expect(turns).toBeGreaterThan(10);
    expect(progress).toEqual([0.5]);
    expect(await threads.run({ what: 'compute', ms: 1 }, call())).toBe(first);
    const both = await Promise.all([
      threads.run({ what: 'compute', ms: 100 }, call()),
      threads.run({ what: 'compute', ms: 100 }, call()),
    ]);
    expect(new Set(both).size).toBe(2);
  });

  it('may be started before the first task, which then finds its modules loaded', async () => {
    const early = new Threads(join(dir, 'program.mjs'));
    try {
      early.warm();
      early.warm();
      const id = await early.run({ what: 'compute', ms: 1 }, call());
      early.warm();
      expect(await early.run({ what: 'compute', ms: 1 }, call())).toBe(id);
    } finally {
      await early.close();
    }
  });

  it('are ended in the middle of arithmetic by an abort', async () => {
    const controller = new AbortController();
    const endless = threads.run(
      { what: 'compute', ms: 3_600_000 },
      call(controller.signal, () => controller.abort(new Error('enough'))),
    );
    await expect(endless).rejects.toThrow('enough');
    await expect(threads.run({ what: 'compute', ms: 1 }, call(controller.signal))).rejects.toThrow(
      'enough',
    );
  });

  it('tell our faults by their code, and others by their end', async () => {
    await expect(threads.run({ what: 'verdict' }, call())).rejects.toMatchObject({
      code: 'no-contribution',
      message: 'ask more agencies',
    });
    await expect(threads.run({ what: 'crash' }, call())).rejects.toThrow('canary-4711');
    await expect(threads.run({ what: 'exit' }, call())).rejects.toThrow();
    expect(await threads.run({ what: 'compute', ms: 1 }, call())).toEqual(expect.any(Number));
  });
});
