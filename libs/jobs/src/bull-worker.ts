/** The side of a Redis queue that runs jobs. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { ConcordatError, type Json } from '#libs/bytes';
import { faultText, KEPT, keysOf, type QueuedJob, queueOptions } from './bull-queue.js';
import { checkInput, faultOf, isTransient, type JobEvent, type JobKind, jobKey } from './job.js';
import type { JobsOptions } from './jobs.js';

/** A worker that dies is noticed after its lock ran out, at the next look at the locks: within 5 + 2 s. */
const LOCK_MS = 5_000;
const STALLED_CHECK_MS = 2_000;
/** A job whose workers died so often is not given to another. */
const MOST_DEATHS = 20;
/** How often a running job looks whether it was cancelled. */
const CANCEL_LOOK_MS = 250;
const PROGRESS_EVERY_MS = 100;
/** What waits for Redis is tried again this often. */
const REDIS_RETRY_MS = 1_000;
/** How long a stopping worker waits for its jobs to let go. */
const CLOSE_WITHIN_MS = 5_000;

class Cancelled extends Error {}

export interface BullWorker {
  close(): Promise<void>;
}

export function startBullWorker(
  redis: Redis,
  queue: string,
  kindOf: (name: string) => JobKind,
  { concurrency, nowMs, onEvent }: JobsOptions,
): BullWorker {
  const { cancelled } = keysOf(queue);
  const closing = new AbortController();
  const running = new Map<string, AbortController>();
  const isCancelled = async (key: string): Promise<boolean> =>
    (await redis.zscore(cancelled, key)) !== null;

  const attempt = async (job: Job<QueuedJob, Json>, kind: JobKind, signal: AbortSignal) => {
    const input = checkInput(kind, job.data.input);
    // what lies in Redis is not trusted to be what its key says
    if (jobKey(job.name, input) !== job.id) {
      throw new ConcordatError('malformed-job', 'a job does not fit its key; ask for it again');
    }
    const told = progressTeller(job);
    const result = await kind.run(input, {
      key: job.id,
      attempt: job.attemptsStarted,
      signal,
      carrier: job.data.carrier,
      progress: told,
    });
    if (await isCancelled(job.id)) throw new Cancelled();
    return result;
  };

  const process = async (job: Job<QueuedJob, Json>, token: string | undefined): Promise<Json> => {
    // fetched just before the worker began to close
    if (closing.signal.aborted) return putBack(job, token);
    const key = job.id ?? '';
    const beganMs = nowMs();
    const controller = new AbortController();
    const { signal } = controller;
    const abort = (): void => controller.abort(closing.signal.reason);
    const look = setInterval(() => {
      isCancelled(key).then(
        (is) => is && controller.abort(new Cancelled()),
        () => undefined, // Redis is away: looked at again
      );
    }, CANCEL_LOOK_MS);
    closing.signal.addEventListener('abort', abort);
    running.set(key, controller);
    const tell = (type: JobEvent['type'], error?: unknown): void =>
      onEvent?.({
        type,
        kind: job.name,
        key,
        attempt: job.attemptsStarted,
        carrier: job.data.carrier,
        durationMs: type === 'started' ? 0 : nowMs() - beganMs,
        ...(error === undefined ? {} : { code: faultOf(error).code, error }),
      });
    try {
      const kind = kindOf(job.name);
      try {
        if (await isCancelled(key)) throw new Cancelled();
        tell('started');
        const result = await attempt(job, kind, signal);
        tell('done');
        return result;
      } catch (error) {
        if (closing.signal.aborted) return await putBack(job, token);
        if (error instanceof Cancelled || signal.reason instanceof Cancelled) {
          // asked for again meanwhile: it starts anew
          if (!(await isCancelled(key))) return await putBack(job, token);
          tell('cancelled');
          throw new UnrecoverableError('cancelled');
        }
        const isFinal = !isTransient(kind, error);
        const isLast = isFinal || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
        tell(isLast ? 'failed' : 'retried', error);
        const text = faultText(faultOf(error));
        throw isFinal ? new UnrecoverableError(text) : new Error(text);
      }
    } catch (error) {
      if (error instanceof ConcordatError) throw new UnrecoverableError(faultText(faultOf(error)));
      throw error;
    } finally {
      clearInterval(look);
      closing.signal.removeEventListener('abort', abort);
      running.delete(key);
    }
  };

  const worker = new Worker<QueuedJob, Json>(queue, process, {
    ...queueOptions,
    connection: redis,
    concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MOST_DEATHS,
    runRetryDelay: REDIS_RETRY_MS,
    removeOnComplete: KEPT,
    removeOnFail: KEPT,
  });
  let isAway = false;
  worker.on('error', (error) => {
    if (isAway) return;
    isAway = true;
    onEvent?.({
      type: 'queue-unavailable',
      kind: '',
      key: '',
      attempt: 0,
      carrier: {},
      durationMs: 0,
      error,
    });
  });
  worker.on('ready', () => {
    isAway = false;
  });
  // another worker has it now: two runs do no harm, but one is wasted
  worker.on('lockRenewalFailed', (keys: string[]) => {
    for (const key of keys) running.get(key)?.abort(new Error('the lock of the job was lost'));
  });

  return {
    close: async () => {
      // takes no further job from here on, not even those that are put back
      const closed = worker.close();
      closing.abort(new ConcordatError('jobs-closed', 'this process is stopping'));
      // a job that does not let go in time, or a Redis that is away: the lock runs out, and another worker has it
      const waited = new AbortController();
      const tooLong = pause(CLOSE_WITHIN_MS, undefined, { signal: waited.signal });
      await Promise.race([closed, tooLong]).catch(() => undefined);
      waited.abort();
      redis.disconnect();
    },
  };
}

/** Leaves a job to the next worker at once, and costs it no attempt. */
async function putBack(job: Job, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

/** Writes progress that only grows, at most every `PROGRESS_EVERY_MS`; what Redis does not take is lost, being a hint. */
function progressTeller(job: Job): (fraction: number) => void {
  let best = 0;
  let isBusy = false;
  let isNew = false;
  const write = (): void => {
    isBusy = true;
    isNew = false;
    job
      .updateProgress(best)
      .catch(() => undefined)
      .finally(() => {
        setTimeout(() => {
          isBusy = false;
          if (isNew) write();
        }, PROGRESS_EVERY_MS).unref();
      });
  };
  return (fraction) => {
    const next = Math.min(1, fraction);
    if (!(next > best)) return;
    best = next;
    isNew = true;
    if (!isBusy) write();
  };
}
