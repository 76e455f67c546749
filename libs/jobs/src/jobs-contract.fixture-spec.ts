/** What every driver of `Jobs` must do, run against each. */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { defineJob, type JobContext, type JobKind, type JobView, jobKey } from './job.js';
import type { Jobs, JobsOptions } from './jobs.js';

/** Opens the driver; a second opening at the same place is a restart, or a second process. */
export type OpenJobs = (place: string, options: JobsOptions) => Promise<Jobs>;

const WITHIN_MS = 120_000;

/** Waits for a condition with a generous limit: machines that test are busy. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + WITHIN_MS;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error('did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const Input = z.strictObject({ n: z.int(), scheduledFor: z.string().optional() });

/** A promise and the function that resolves it. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** A kind that runs what the test says, and remembers every run. */
function probe(
  run: (n: number, context: JobContext) => Promise<number> = async (n) => n * n,
  rest: Partial<JobKind> = {},
): JobKind & { readonly ran: { n: number; scheduledFor: string | undefined }[] } {
  const ran: { n: number; scheduledFor: string | undefined }[] = [];
  const kind = defineJob({
    name: 'probe',
    input: Input,
    backoffMs: 20,
    ...rest,
    run: ({ n, scheduledFor }: z.infer<typeof Input>, context) => {
      ran.push({ n, scheduledFor });
      return run(n, context);
    },
  } as JobKind);
  return Object.assign(kind, { ran });
}

export function describeJobs(driver: string, open: OpenJobs): void {
  const opened: Jobs[] = [];
  const start = async (
    kind: JobKind,
    {
      place = randomUUID(),
      nowMs = Date.now,
      concurrency = 2,
    }: { place?: string; nowMs?: () => number; concurrency?: number } = {},
  ): Promise<Jobs> => {
    const jobs = await open(place, { kinds: [kind], concurrency, nowMs });
    opened.push(jobs);
    return jobs;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((jobs) => jobs.close()));
  });
  const statusIs = async (jobs: Jobs, key: string, status: JobView['status']): Promise<void> =>
    until(async () => (await jobs.find(key))?.status === status);

  describe(`${driver} jobs`, () => {
    it('runs once what is asked for twice, and finds the result by key', async () => {
      const kind = probe();
      const jobs = await start(kind);
      const [first, second] = await Promise.all([
        jobs.run('probe', { n: 12 }),
        jobs.run('probe', { n: 12 }),
      ]);
      expect([first, second]).toEqual([144, 144]);
      const key = await jobs.enqueue('probe', { n: 12 });
      expect(key).toBe(jobKey('probe', { n: 12 }));
      expect(await jobs.find(key)).toEqual({
        key,
        kind: 'probe',
        status: 'done',
        progress: 1,
        attempts: 1,
        result: 144,
      });
      expect(await jobs.run('probe', { n: 12 })).toBe(144);
      expect(kind.ran).toHaveLength(1);
      expect(await jobs.find(jobKey('probe', { n: 13 }))).toBeUndefined();
    });

    it('tells progress that only grows, and hands the carrier over', async () => {
      const step = gate();
      const seen: number[] = [];
      let carried = {};
      const jobs = await start(
        probe(async (n, context) => {
          carried = context.carrier;
          context.progress(0.25);
          context.progress(0.125);
          await step.passed;
          return n;
        }),
      );
      const result = jobs.run(
        'probe',
        { n: 1 },
        {
          carrier: { traceparent: '00-a-b-01' },
          onProgress: (fraction) => {
            seen.push(fraction);
            step.open();
          },
        },
      );
      expect(await result).toBe(1);
      expect(seen).toEqual([0.25, 1]);
      expect(carried).toEqual({ traceparent: '00-a-b-01' });
    });

    it('tries again what another try may mend', async () => {
      const kind = probe(
        async (n, { attempt }) => {
          if (attempt === 1) throw new Error('the network hiccuped');
          if (attempt === 2) throw new ConcordatError('blob-unavailable', 'check the disk');
          return n;
        },
        { attempts: 3, transientCodes: ['blob-unavailable'] },
      );
      const jobs = await start(kind);
      expect(await jobs.run('probe', { n: 5 })).toBe(5);
      expect(kind.ran).toHaveLength(3);
    });

    it('takes a verdict for final, and gives up after the last try', async () => {
      const verdict = probe(async (n) => {
        if (n === 0) throw new ConcordatError('no-contribution', 'ask more agencies');
        throw new Error('canary-4711');
      });
      const jobs = await start(verdict);
      await expect(jobs.run('probe', { n: 0 })).rejects.toMatchObject({
        code: 'no-contribution',
        message: 'ask more agencies',
      });
      expect(verdict.ran).toHaveLength(1);
      const failure = await jobs.run('probe', { n: 1 }).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'internal' });
      expect(String(failure)).not.toContain('canary');
      expect(verdict.ran).toHaveLength(4);
      expect(await jobs.find(jobKey('probe', { n: 1 }))).toMatchObject({
        status: 'failed',
        attempts: 3,
        fault: { code: 'internal' },
      });
    });

    it('runs again what failed when it is asked for again', async () => {
      let isMended = false;
      const kind = probe(
        async (n) => {
          if (!isMended) throw new Error('not yet');
          return n;
        },
        { attempts: 1 },
      );
      const jobs = await start(kind);
      await expect(jobs.run('probe', { n: 3 })).rejects.toMatchObject({ code: 'internal' });
      isMended = true;
      expect(await jobs.run('probe', { n: 3 })).toBe(3);
      expect(kind.ran).toHaveLength(2);
    });

    it('cancels a running job, which may be asked for again', async () => {
      const aborted: unknown[] = [];
      let isPatient = false;
      const kind = probe(async (n, { signal }) => {
        if (isPatient) return n;
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(n);
            reject(new Error('aborted'));
          });
        });
        return n;
      });
      const jobs = await start(kind);
      const waiting = jobs.run('probe', { n: 8 });
      const key = jobKey('probe', { n: 8 });
      const rejected = expect(waiting).rejects.toMatchObject({ code: 'job-cancelled' });
      await statusIs(jobs, key, 'running');
      await jobs.cancel(key);
      await rejected;
      await until(() => aborted.length === 1);
      expect((await jobs.find(key))?.status).toBe('cancelled');
      isPatient = true;
      expect(await jobs.run('probe', { n: 8 })).toBe(8);
      await jobs.cancel(key);
      expect((await jobs.find(key))?.status).toBe('done');
    });

    it('never starts a waiting job that was cancelled, and runs no more at once than it should', async () => {
      const step = gate();
      let atOnce = 0;
      let most = 0;
      const kind = probe(async (n) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await step.passed;
        atOnce -= 1;
        return n;
      });
      const jobs = await start(kind, { concurrency: 2 });
      const keys = await Promise.all([0, 1, 2, 3].map((n) => jobs.enqueue('probe', { n })));
      await until(() => kind.ran.length === 2);
      expect(await jobs.counts()).toMatchObject({ running: 2, waiting: 2, done: 0 });
      const waiting: string[] = [];
      for (const key of keys) {
        if ((await jobs.find(key))?.status === 'waiting') waiting.push(key);
      }
      expect(waiting).toHaveLength(2);
      const [cancelled = '', kept = ''] = waiting;
      await jobs.cancel(cancelled);
      expect((await jobs.find(cancelled))?.status).toBe('cancelled');
      step.open();
      await statusIs(jobs, kept, 'done');
      await until(async () => (await jobs.counts()).done === 3);
      expect(kind.ran).toHaveLength(3);
      expect(most).toBe(2);
    });

    it('takes what is urgent first', async () => {
      const step = gate();
      const order: string[] = [];
      const kind = (name: string, isUrgent: boolean): JobKind => ({
        ...probe(async (n) => {
          order.push(`${name} ${n}`);
          await step.passed;
          return n;
        }),
        name,
        isUrgent,
      });
      const jobs = await open(randomUUID(), {
        kinds: [kind('layer', false), kind('compose', true)],
        concurrency: 1,
        nowMs: Date.now,
      });
      opened.push(jobs);
      await jobs.enqueue('layer', { n: 1 });
      await until(() => order.length === 1);
      await jobs.enqueue('layer', { n: 2 });
      await jobs.enqueue('layer', { n: 3 });
      const last = await jobs.enqueue('compose', { n: 4 });
      step.open();
      await statusIs(jobs, last, 'done');
      await until(async () => (await jobs.counts()).done === 4);
      expect(order).toEqual(['layer 1', 'compose 4', 'layer 2', 'layer 3']);
    });

    it('ends the waiting, not the job, when the asker gives up', async () => {
      const step = gate();
      const jobs = await start(
        probe(async (n) => {
          await step.passed;
          return n;
        }),
      );
      const asker = new AbortController();
      const waiting = jobs.run('probe', { n: 6 }, { signal: asker.signal });
      const rejected = expect(waiting).rejects.toThrow('enough');
      await statusIs(jobs, jobKey('probe', { n: 6 }), 'running');
      asker.abort(new Error('enough'));
      await rejected;
      step.open();
      await statusIs(jobs, jobKey('probe', { n: 6 }), 'done');
    });

    it('refuses what it does not know or cannot read, without repeating it', async () => {
      const jobs = await start(probe());
      await expect(jobs.enqueue('other', { n: 1 })).rejects.toMatchObject({
        code: 'unknown-job-kind',
      });
      const malformed = { n: 1, secret: 'canary-4711' };
      const refusal = await jobs.run('probe', malformed).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'malformed-job' });
      expect(String(refusal)).not.toContain('canary');
      await expect(
        jobs.schedule({ id: 'monthly', cron: 'every month', kind: 'probe', input: { n: 1 } }),
      ).rejects.toMatchObject({ code: 'malformed-schedule' });
      await expect(
        jobs.schedule({ id: 'Not A Name', cron: '0 6 15 * *', kind: 'probe', input: { n: 1 } }),
      ).rejects.toMatchObject({ code: 'malformed-schedule' });
    });

    it('lets go of its waiters when it is closed', async () => {
      const jobs = await start(
        probe(
          (_n, { signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(new Error('aborted')));
            }),
        ),
      );
      const waiting = jobs.run('probe', { n: 1 });
      const rejected = expect(waiting).rejects.toMatchObject({ code: 'jobs-closed' });
      await statusIs(jobs, jobKey('probe', { n: 1 }), 'running');
      await jobs.close();
      await rejected;
      await expect(jobs.enqueue('probe', { n: 2 })).rejects.toMatchObject({ code: 'jobs-closed' });
    });

    it('fires a schedule once an instant, over restarts and with several processes', async () => {
      const place = randomUUID();
      const kind = probe();
      let clock = Date.parse('2026-03-14T12:00:00Z');
      const nowMs = (): number => clock;
      const monthly = { id: 'monthly', cron: '0 6 15 * *', kind: 'probe', input: { n: 2 } };
      const fired = (): (string | undefined)[] => kind.ran.map(({ scheduledFor }) => scheduledFor);

      const first = await start(kind, { place, nowMs });
      await first.schedule(monthly);
      expect(first.schedules()).toEqual([
        { ...monthly, nextMs: Date.parse('2026-03-15T06:00:00Z') },
      ]);
      clock = Date.parse('2026-03-15T06:00:00Z');
      await until(() => kind.ran.length === 1);
      await statusIs(
        first,
        jobKey('probe', { n: 2, scheduledFor: '2026-03-15T06:00:00.000Z' }),
        'done',
      );
      clock = Date.parse('2026-03-20T00:00:00Z');
      await first.close();

      // three instants pass while nobody runs: the newest fires, once
      clock = Date.parse('2026-06-20T00:00:00Z');
      const second = await start(kind, { place, nowMs });
      await second.schedule(monthly);
      await until(() => kind.ran.length === 2);
      clock = Date.parse('2026-07-15T05:59:59Z');
      const third = driver === 'inline' ? undefined : await start(kind, { place, nowMs });
      await third?.schedule(monthly);
      clock = Date.parse('2026-07-15T06:00:01Z');
      await until(() => kind.ran.length === 3);
      await statusIs(
        second,
        jobKey('probe', { n: 2, scheduledFor: '2026-07-15T06:00:00.000Z' }),
        'done',
      );
      clock = Date.parse('2026-08-15T06:00:00Z');
      await until(() => kind.ran.length === 4);
      expect(fired()).toEqual([
        '2026-03-15T06:00:00.000Z',
        '2026-06-15T06:00:00.000Z',
        '2026-07-15T06:00:00.000Z',
        '2026-08-15T06:00:00.000Z',
      ]);

      await second.unschedule('monthly');
      await third?.unschedule('monthly');
      expect(second.schedules()).toEqual([]);
    });
  });
}
