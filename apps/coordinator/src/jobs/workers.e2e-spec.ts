/** Rounds composed by worker processes out of a real Redis, while both are killed. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { openInlineJobs, Threads } from '#libs/jobs';
import { applyRoundEvent, isRoundEvent, type RoundState } from '#libs/protocol';
import {
  COORDINATOR,
  Federation,
  PrivateRedis,
  RunningProgram,
  seededRandom,
  streetFile,
} from '#libs/testing';
import { COMPOSE_JOB, composeInput, composeJob } from './compose-job.js';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const MAIN = 'dist/apps/coordinator/src/main.js';
const THREAD = join(ROOT, 'dist/apps/coordinator/src/jobs/compose-thread.js');
const KILLS = process.env.CONCORDAT_NIGHTLY === '1' ? 60 : 3;

const cell = cellAt(51.4545, -2.5879, 9);
const agency = (id: string, at: bigint) => ({
  id,
  domain: domainFromCells(`test/${id}`, disk(at, 3)),
  files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: at }]) },
});
const QUESTION = { categories: ['robbery' as const], periods: ['2024-01'] };

let redis: PrivateRedis;
let federation: Federation;
const workers = new Set<RunningProgram>();

beforeEach(async () => {
  redis = await PrivateRedis.start();
  federation = await Federation.open({
    agencies: [agency('alpha-police', cell), agency('beta-police', cellAt(53.4808, -2.2426, 9))],
    redisUrl: redis.url,
    // deadlines pass by the real clock too, and a busy machine may stop a node for half a minute
    roundDeadlineSeconds: 900,
  });
});
afterEach(async () => {
  await Promise.all([...workers].map(kill));
  await federation.close();
  await redis.stop();
});

async function startWorker(): Promise<RunningProgram> {
  const dir = federation.folder(COORDINATOR);
  const worker = new RunningProgram(['worker', '--dir', dir], MAIN, { REDIS_URL: redis.url });
  workers.add(worker);
  await worker.until(({ stderr }) => stderr.includes('"ready"'));
  return worker;
}
async function kill(worker: RunningProgram): Promise<void> {
  workers.delete(worker);
  worker.kill('SIGKILL');
  await worker.ended;
}

interface RoundView {
  readonly phase: string;
  readonly release: string | null;
}
const openRound = (): Promise<string> =>
  new Promise((resolve, reject) => {
    // the answer is looked up by id: the test goes on meanwhile
    federation.ask(QUESTION, resolve).catch(reject);
  });
const until = async (id: string, holds: (round: RoundView) => boolean): Promise<RoundView> => {
  for (;;) {
    const { round } = await federation.graphql<{ round: RoundView }>(
      'query ($id: ID!) { round(id: $id) { phase release } }',
      { id },
    );
    if (holds(round)) return round;
    if (isOver(round)) throw new Error(`the round ended as ${round.phase} before that`);
    await pause(50);
  }
};
const isOver = ({ phase }: RoundView): boolean =>
  ['released', 'aborted', 'expired'].includes(phase);

/** The release of a round, composed once more in this process over a copy of the coordinator's folder. */
async function composedHere(id: string, folder: string): Promise<unknown> {
  let state: RoundState | undefined;
  for (const entry of await federation.entries(COORDINATOR)) {
    if (isRoundEvent(entry) && entry.round === id) state = applyRoundEvent(state, entry);
  }
  if (!state) throw new Error('the log does not know the round');
  const threads = new Threads(THREAD);
  const jobs = openInlineJobs({
    kinds: [composeJob(folder, threads)],
    concurrency: 1,
    nowMs: Date.now,
    scheduleFile: join(folder, 'schedules.json'),
  });
  try {
    return await jobs.run(COMPOSE_JOB, composeInput(state, federation.manifestHash));
  } finally {
    await jobs.close();
    await threads.close();
  }
}

describe('workers of a coordinator', () => {
  it(
    'bring every round to the release that the coordinator itself would make, over kills of workers and Redis',
    async () => {
      const random = seededRandom('workers');
      const word = new Uint32Array(1);
      const draw = (below: number): number => {
        random.fillWords(word);
        return (word[0] ?? 0) % below;
      };
      for (let k = 0; k < KILLS; k += 1) {
        const id = await openRound();
        // nobody composes yet: what it is composed from lies whole on disk
        await until(id, ({ phase }) => phase === 'composing');
        const copy = join(federation.dir, `copy-${k}`);
        // the log is being written, and composing does not read it
        const log = join(federation.folder(COORDINATOR), 'log');
        const filter = (path: string): boolean => !path.startsWith(log);
        await cp(federation.folder(COORDINATOR), copy, { recursive: true, filter });
        const victim = await startWorker();
        const other = k % 2 === 0 ? startWorker() : undefined;
        await pause(draw(400));
        await (k % 3 === 2 ? redis.kill().then(() => redis.restart()) : kill(victim));
        if (k % 2 === 1) await startWorker();
        await other;
        const over = await until(id, isOver);
        expect(over.phase).toBe('released');
        expect(await composedHere(id, copy)).toBe(over.release);
        await Promise.all([...workers].map(kill));
      }
    },
    240_000 + KILLS * 45_000,
  );

  it('stop when they are told, and are refused without what they need', async () => {
    const worker = await startWorker();
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    workers.delete(worker);

    const dir = federation.folder(COORDINATOR);
    const lost = new RunningProgram(['worker', '--dir', dir], MAIN, { REDIS_URL: '' });
    expect(await lost.ended).toMatchObject({ code: 1 });
    expect(lost.stderr).toContain('redis-url-missing');

    const nowhere = new RunningProgram(['worker', '--dir', join(dir, 'nowhere')], MAIN, {
      REDIS_URL: redis.url,
    });
    expect(await nowhere.ended).toMatchObject({ code: 1 });
    expect(nowhere.stderr).toContain('manifest-missing');
  });

  it('are not started, nor is the coordinator, on a Redis that loses jobs', async () => {
    const asInstalled = await PrivateRedis.start([]);
    try {
      const dir = federation.folder(COORDINATOR);
      const env = { REDIS_URL: asInstalled.url };
      const worker = new RunningProgram(['worker', '--dir', dir], MAIN, env);
      expect(await worker.ended).toMatchObject({ code: 1 });
      expect(worker.stderr).toContain('redis-loses-jobs');
      const doctor = new RunningProgram(['doctor', '--dir', dir], MAIN, env);
      expect(await doctor.ended).toMatchObject({ code: 1 });
      expect(doctor.stdout).toMatch(/FAIL {2}jobs .*redis-loses-jobs/);
      expect(doctor.stdout).toContain('CONFIG SET');
      await federation.stop(COORDINATOR);
      federation.redisUrl = asInstalled.url;
      await expect(federation.startCoordinator()).rejects.toMatchObject({
        code: 'redis-loses-jobs',
      });
      federation.redisUrl = redis.url;
      await federation.startCoordinator();
    } finally {
      await asInstalled.stop();
    }
  });
});
