/** Workers and Redis killed in the middle: what was acknowledged is done, whoever waits gets the result. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { PrivateRedis, seededRandom } from '#libs/testing';
import { openBullJobs } from './bull-jobs.js';
import { defineJob, jobKey } from './job.js';
import type { Jobs } from './jobs.js';
import { until } from './jobs-contract.fixture-spec.js';
import { redisFaults } from './redis.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const Input = z.strictObject({ n: z.int() });
const square = defineJob({ name: 'square', input: Input, run: async ({ n }) => n * n });

/**
 * A worker process over the built library: leaves a file `<n>.<pid>` at every run, and squares once `go` is there.
 */
const WORKER = `
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { defineJob, openBullJobs } from '#libs/jobs';
const [redisUrl, queue, dir] = process.argv.slice(1);
const square = defineJob({
  name: 'square',
  input: z.strictObject({ n: z.int() }),
  run: async ({ n }, { signal }) => {
    writeFileSync(join(dir, n + '.' + process.pid), '');
    while (!existsSync(join(dir, 'go'))) await pause(20, undefined, { signal });
    return n * n;
  },
});
const jobs = await openBullJobs({ kinds: [square], concurrency: 2, nowMs: Date.now, redisUrl, queue, isWorker: true });
process.once('SIGTERM', () => jobs.close().then(() => process.exit(0)));
process.send('ready');
`;

let redis: PrivateRedis;
let dir: string;
let queue: string;
let jobs: Jobs;
const workers = new Set<ChildProcess>();

beforeEach(async () => {
  redis = await PrivateRedis.start();
  dir = mkdtempSync(join(tmpdir(), 'concordat-kills-'));
  queue = `kills-${randomUUID()}`;
  jobs = await openBullJobs({
    kinds: [square],
    concurrency: 1,
    nowMs: Date.now,
    redisUrl: redis.url,
    queue,
    isWorker: false,
  });
});
afterEach(async () => {
  await Promise.all([...workers].map(kill));
  await jobs.close();
  await redis.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function startWorker(): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', WORKER, redis.url, queue, dir],
    { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  workers.add(child);
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  expect(message).toBe('ready');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  workers.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const runsOf = (n: number): string[] => readdirSync(dir).filter((name) => name.startsWith(`${n}.`));
const letGo = (): void => writeFileSync(join(dir, 'go'), '');

describe('a queue in Redis', () => {
  it('gives the job of a killed worker to another', async () => {
    const victim = await startWorker();
    const result = jobs.run('square', { n: 7 });
    await until(() => runsOf(7).length === 1);
    const other = await startWorker();
    await until(async () => (await jobs.workers()) === 2);
    await kill(victim);
    const killedAt = Date.now();
    await until(() => existsSync(join(dir, `7.${other.pid}`)));
    const handedMs = Date.now() - killedAt;
    // lock 5 s and look 2 s on a quiet machine; bullmq's own settings take over 30 s
    expect(handedMs).toBeLessThan(30_000);
    process.stderr.write(`another worker began the job ${handedMs} ms after the kill\n`);
    letGo();
    expect(await result).toBe(49);
    expect(runsOf(7)).toHaveLength(2);
  });

  it('hands over at once what a worker that stops in order had begun', async () => {
    const leaving = await startWorker();
    const result = jobs.run('square', { n: 3 });
    await until(() => runsOf(3).length === 1);
    const exited = once(leaving, 'exit');
    leaving.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await jobs.find(jobKey('square', { n: 3 }))).toMatchObject({ status: 'waiting' });
    letGo();
    await startWorker();
    expect(await result).toBe(9);
  });

  it('loses no acknowledged job when Redis is killed', async () => {
    const ns = Array.from({ length: 100 }, (_, n) => n);
    for (const n of ns) await jobs.enqueue('square', { n });
    await redis.kill();
    await expect(jobs.enqueue('square', { n: 100 })).rejects.toMatchObject({
      code: 'queue-unavailable',
    });
    await expect(jobs.find(jobKey('square', { n: 0 }))).rejects.toMatchObject({
      code: 'queue-unavailable',
    });
    // asked for while Redis is away, by one who waits
    const late = jobs.run('square', { n: 100 });
    await redis.restart();
    await until(async () => (await jobs.counts().catch(() => undefined))?.waiting === 101);
    letGo();
    await startWorker();
    expect(await late).toBe(10_000);
    await until(async () => (await jobs.counts()).done === 101);
  });

  it('is filled again by those who wait when it was emptied', async () => {
    const results = [1, 2, 3].map((n) => jobs.run('square', { n }));
    await until(async () => (await jobs.counts()).waiting === 3);
    const operator = new Redis(redis.url);
    await operator.flushall();
    operator.disconnect();
    letGo();
    await startWorker();
    expect(await Promise.all(results)).toEqual([1, 4, 9]);
  });

  const kills = process.env.CONCORDAT_NIGHTLY === '1' ? 60 : 6;
  it(
    `answers everyone who waits, over ${kills} kills of workers and Redis in any order`,
    async () => {
      const random = seededRandom('kills');
      const word = new Uint32Array(1);
      const draw = (below: number): number => {
        random.fillWords(word);
        return (word[0] ?? 0) % below;
      };
      letGo();
      await startWorker();
      await startWorker();
      let isOver = false;
      let killedRedis = 0;
      const asked: Promise<unknown>[] = [];
      const asking = (async () => {
        for (let n = 0; !isOver; n += 1) {
          asked.push(jobs.run('square', { n }));
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      for (let k = 0; k < kills; k += 1) {
        await new Promise((resolve) => setTimeout(resolve, draw(300)));
        if (draw(2) === 0) {
          await redis.kill();
          await redis.restart();
          killedRedis += 1;
        } else {
          const [victim] = workers;
          if (victim) await kill(victim);
          await startWorker();
        }
      }
      isOver = true;
      await asking;
      const results = await Promise.all(asked);
      expect(results).toEqual(results.map((_, n) => n * n));
      expect(results.length).toBeGreaterThan(kills);
      process.stderr.write(
        `${kills} kills: Redis ${killedRedis}, workers ${kills - killedRedis}; ${results.length} jobs asked for, all answered right\n`,
      );
    },
    60_000 + kills * 15_000,
  );
});

describe('the settings of Redis', () => {
  it('are named when they lose jobs', async () => {
    expect(await redisFaults(redis.url)).toEqual([]);
    const asInstalled = await PrivateRedis.start(['--maxmemory-policy', 'allkeys-lru']);
    try {
      expect(await redisFaults(asInstalled.url)).toEqual([
        {
          setting: 'maxmemory-policy',
          found: 'allkeys-lru',
          remedy: 'CONFIG SET maxmemory-policy noeviction',
        },
        { setting: 'appendonly', found: 'no', remedy: 'CONFIG SET appendonly yes' },
      ]);
    } finally {
      await asInstalled.stop();
    }
    await expect(redisFaults(asInstalled.url)).rejects.toMatchObject({ code: 'queue-unavailable' });
    await expect(redisFaults('not a url')).rejects.toMatchObject({ code: 'malformed-redis-url' });
  });
});
