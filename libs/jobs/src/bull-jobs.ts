/**
 * Jobs over Redis (bullmq), run by as many processes as wanted. Redis holds who waits for what, never what is true: a queue that was
 * emptied is filled again by those who wait.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { ConcordatError, type Json } from '#libs/bytes';
import {
  checkQueueName,
  faultOfText,
  KEPT,
  keysOf,
  type QueuedJob,
  queueOptions,
} from './bull-queue.js';
import { type BullWorker, startBullWorker } from './bull-worker.js';
import {
  backoffOf,
  checkInput,
  DEFAULT_ATTEMPTS,
  type JobKind,
  type JobStatus,
  type JobView,
  jobKey,
  kindTable,
} from './job.js';
import type { EnqueueOptions, Jobs, JobsOptions, RunOptions } from './jobs.js';
import { connectRedis, connectWaitingRedis, reachQueue } from './redis.js';
import { runJob } from './run-job.js';
import { type Recurring, type ScheduleMemory, Schedules, type ScheduleView } from './schedule.js';

/** A waiting asker looks so often at first, and less and less. */
const FIRST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 500;

export interface BullJobsOptions extends JobsOptions {
  readonly redisUrl: string;
  /** One for each coordinator that shares the Redis. */
  readonly queue: string;
  /** Whether this process runs jobs, or only asks for them. */
  readonly isWorker: boolean;
}

/** Rejects with `queue-unavailable`, `malformed-redis-url` or `malformed-queue-name`. */
export async function openBullJobs(options: BullJobsOptions): Promise<Jobs> {
  checkQueueName(options.queue);
  const kindOf = kindTable(options.kinds);
  const redis = await connectRedis(options.redisUrl);
  const queue = new Queue<QueuedJob, Json, string>(options.queue, {
    ...queueOptions,
    connection: redis,
  });
  // outages are told by the calls that meet them
  queue.on('error', () => undefined);
  let worker: BullWorker | undefined;
  try {
    if (options.isWorker) {
      const waiting = await connectWaitingRedis(options.redisUrl);
      worker = startBullWorker(waiting, options.queue, kindOf, options);
    }
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return new BullJobs(redis, queue, worker, kindOf, options);
}

/** Remembers schedules in a hash of the queue; a later instant is never replaced by an earlier one. */
const scheduleHash = (redis: Redis, hash: string): ScheduleMemory => ({
  read: (id) =>
    reachQueue(async () => {
      const found = await redis.hget(hash, id);
      return found === null ? undefined : Number(found);
    }),
  write: (id, instantMs) =>
    reachQueue(async () => {
      await redis.eval(
        `if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') < tonumber(ARGV[2]) then
           redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
         end`,
        1,
        hash,
        id,
        instantMs,
      );
    }),
  remove: (id) =>
    reachQueue(async () => {
      await redis.hdel(hash, id);
    }),
});

class BullJobs implements Jobs {
  private readonly keys: ReturnType<typeof keysOf>;
  private readonly recurring: Schedules;
  private readonly closing = new AbortController();

  constructor(
    private readonly redis: Redis,
    private readonly queue: Queue<QueuedJob, Json, string>,
    private readonly worker: BullWorker | undefined,
    private readonly kindOf: (name: string) => JobKind,
    private readonly options: BullJobsOptions,
  ) {
    // everyone who waits listens
    setMaxListeners(0, this.closing.signal);
    this.keys = keysOf(options.queue);
    const memory = scheduleHash(redis, this.keys.schedules);
    this.recurring = new Schedules(memory, options.nowMs, async (kind, input) => {
      // a verdict settles a firing as a result does; only the end of this process does not
      await this.run(kind, input).catch((error: unknown) => {
        if (this.closing.signal.aborted) throw error;
      });
    });
  }

  async enqueue(name: string, input: Json, { carrier = {} }: EnqueueOptions = {}): Promise<string> {
    const kind = this.kindOf(name);
    const checked = checkInput(kind, input);
    if (this.closing.signal.aborted) throw closed();
    const key = jobKey(name, checked);
    return reachQueue(async () => {
      await this.redis.zrem(this.keys.cancelled, key);
      const data = { input: checked, carrier };
      const job = await this.queue.add(name, data, {
        jobId: key,
        // without a priority comes before any other
        ...(kind.isUrgent ? {} : { priority: 1 }),
        attempts: kind.attempts ?? DEFAULT_ATTEMPTS,
        backoff: { type: 'exponential', delay: backoffOf(kind, 1) },
        removeOnComplete: KEPT,
        removeOnFail: KEPT,
      });
      if ((await job.getState()) === 'failed') {
        // someone else may have asked for it just now, and it is no longer failed
        await job
          .retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
          .catch(async (error: unknown) => {
            if ((await job.getState()) === 'failed') throw error;
          });
      }
      return key;
    });
  }

  run(kind: string, input: Json, options: RunOptions = {}): Promise<Json> {
    let lookMs = FIRST_LOOK_MS;
    const { signal } = options;
    const both = signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
    return runJob(this, kind, input, { ...options, signal: both }, async () => {
      await pause(lookMs, undefined, { signal: both }).catch(() => undefined);
      lookMs = Math.min(lookMs * 1.5, LONGEST_LOOK_MS);
    });
  }

  find(key: string): Promise<JobView | undefined> {
    return reachQueue(async () => {
      const [state, isCancelled] = await Promise.all([
        this.queue.getJobState(key),
        this.redis.zscore(this.keys.cancelled, key),
      ]);
      // read after its state, so that what is over has its outcome
      const job = await this.queue.getJob(key);
      const kind = job?.name ?? key.replace(/-[0-9a-f]{64}$/, '');
      const progress = typeof job?.progress === 'number' ? job.progress : 0;
      const seen = { key, kind, progress, attempts: job?.attemptsStarted ?? 0 };
      if (job && state === 'completed') {
        return { ...seen, progress: 1, status: 'done', result: job.returnvalue };
      }
      if (isCancelled !== null) return { ...seen, status: 'cancelled' };
      if (!job) return undefined;
      if (state === 'failed' && job.failedReason) {
        return { ...seen, status: 'failed', fault: faultOfText(job.failedReason) };
      }
      return { ...seen, status: state === 'active' ? 'running' : 'waiting' };
    });
  }

  cancel(key: string): Promise<void> {
    return reachQueue(async () => {
      const state = await this.queue.getJobState(key);
      if (!['waiting', 'delayed', 'prioritized', 'active'].includes(state)) return;
      const nowMs = this.options.nowMs();
      await this.redis.zadd(this.keys.cancelled, nowMs, key);
      await this.redis.zremrangebyscore(this.keys.cancelled, 0, nowMs - KEPT.age * 1000);
      // a running job is locked, stays, and sees that it was cancelled
      await this.queue.remove(key);
    });
  }

  async schedule(recurring: Recurring): Promise<void> {
    this.kindOf(recurring.kind);
    await this.recurring.add(recurring);
  }

  unschedule(id: string): Promise<void> {
    return this.recurring.remove(id);
  }

  schedules(): readonly ScheduleView[] {
    return this.recurring.views();
  }

  counts(): Promise<Readonly<Record<JobStatus, number>>> {
    return reachQueue(async () => {
      const [counts, cancelled, failedByCancel] = await Promise.all([
        this.queue.getJobCounts('wait', 'delayed', 'prioritized', 'active', 'completed', 'failed'),
        this.redis.zcard(this.keys.cancelled),
        this.redis.zinter(2, this.keys.cancelled, this.keys.failed),
      ]);
      const of = (state: string): number => counts[state] ?? 0;
      return {
        waiting: of('wait') + of('delayed') + of('prioritized'),
        running: of('active'),
        done: of('completed'),
        failed: of('failed') - failedByCancel.length,
        cancelled,
      };
    });
  }

  workers(): Promise<number> {
    return reachQueue(() => this.queue.getWorkersCount());
  }

  async close(): Promise<void> {
    this.closing.abort(closed());
    this.recurring.close();
    await this.worker?.close();
    await this.queue.close().catch(() => undefined);
    this.redis.disconnect();
  }
}

const closed = (): ConcordatError =>
  new ConcordatError('jobs-closed', 'this process is stopping; ask again once it runs');
