/**
 * Jobs in this process: the default. What waits or runs is lost with the process, which is no harm: whoever needs the result asks again,
 * and the log says who does. Heavy computing belongs in a thread, or it holds up everything else of the process.
 */
import { ConcordatError, type Json } from '#libs/bytes';
import {
  backoffOf,
  checkInput,
  DEFAULT_ATTEMPTS,
  faultOf,
  isTransient,
  type JobEvent,
  type JobFault,
  type JobKind,
  type JobStatus,
  type JobView,
  jobKey,
  kindTable,
} from './job.js';
import type { EnqueueOptions, Jobs, JobsOptions, RunOptions } from './jobs.js';
import { runJob } from './run-job.js';
import { type Recurring, type ScheduleMemory, Schedules, type ScheduleView } from './schedule.js';
import { scheduleFile } from './schedule-file.js';

/** Jobs that are over and still found by key; the oldest are forgotten. */
const KEPT_JOBS = 1_000;

interface InlineJob {
  readonly key: string;
  readonly kind: JobKind;
  readonly input: Json;
  readonly carrier: Readonly<Record<string, string>>;
  readonly controller: AbortController;
  status: JobStatus;
  progress: number;
  attempts: number;
  result: Json;
  fault: JobFault | undefined;
  retryTimer: NodeJS.Timeout | undefined;
  /** Called once at the next change, then forgotten. */
  readonly watchers: Set<() => void>;
}

export interface InlineJobsOptions extends JobsOptions {
  /** File that remembers the schedules' newest instants. */
  readonly scheduleFile: string;
}

export function openInlineJobs(options: InlineJobsOptions): Jobs {
  return new InlineJobs(options, scheduleFile(options.scheduleFile));
}

const isOver = ({ status }: InlineJob): boolean => status !== 'waiting' && status !== 'running';

class InlineJobs implements Jobs {
  private readonly kindOf: (name: string) => JobKind;
  /** In the order they were asked for. */
  private readonly jobs = new Map<string, InlineJob>();
  private readonly queue: InlineJob[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly recurring: Schedules;
  private isClosed = false;

  constructor(
    private readonly options: JobsOptions,
    memory: ScheduleMemory,
  ) {
    this.kindOf = kindTable(options.kinds);
    this.recurring = new Schedules(memory, options.nowMs, async (kind, input) => {
      // a verdict settles a firing as a result does; only the end of this process does not
      await this.run(kind, input).catch((error: unknown) => {
        if (this.isClosed) throw error;
      });
    });
  }

  async enqueue(name: string, input: Json, { carrier = {} }: EnqueueOptions = {}): Promise<string> {
    const kind = this.kindOf(name);
    const checked = checkInput(kind, input);
    if (this.isClosed) throw closed();
    const key = jobKey(name, checked);
    const known = this.jobs.get(key);
    if (known && known.status !== 'failed' && known.status !== 'cancelled') return key;
    const job: InlineJob = {
      key,
      kind,
      input: checked,
      carrier,
      controller: new AbortController(),
      status: 'waiting',
      progress: 0,
      attempts: 0,
      result: null,
      fault: undefined,
      retryTimer: undefined,
      watchers: new Set(),
    };
    this.jobs.delete(key);
    this.jobs.set(key, job);
    this.forgetOldest();
    this.queue.push(job);
    this.takeNext();
    return key;
  }

  run(kind: string, input: Json, options: RunOptions = {}): Promise<Json> {
    return runJob(this, kind, input, options, async ({ key }, signal) => {
      const job = this.jobs.get(key);
      if (!job || isOver(job)) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          job.watchers.delete(wake);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        job.watchers.add(wake);
        signal?.addEventListener('abort', wake);
      });
      if (this.isClosed && !isOver(job)) throw closed();
    });
  }

  async find(key: string): Promise<JobView | undefined> {
    const job = this.jobs.get(key);
    if (!job) return undefined;
    const { status, progress, attempts, result, fault } = job;
    const seen = { key, kind: job.kind.name, progress, attempts };
    if (status === 'done') return { ...seen, status, result };
    if (status === 'failed') return { ...seen, status, fault: fault ?? faultOf(undefined) };
    return { ...seen, status };
  }

  async cancel(key: string): Promise<void> {
    const job = this.jobs.get(key);
    if (!job || isOver(job)) return;
    this.settle(job, 'cancelled');
    job.controller.abort(new ConcordatError('job-cancelled', 'the job was cancelled'));
    this.tell(job, 'cancelled', 0);
  }

  schedule(recurring: Recurring): Promise<void> {
    this.kindOf(recurring.kind);
    return this.recurring.add(recurring);
  }

  unschedule(id: string): Promise<void> {
    return this.recurring.remove(id);
  }

  schedules(): readonly ScheduleView[] {
    return this.recurring.views();
  }

  async counts(): Promise<Readonly<Record<JobStatus, number>>> {
    const counts = { waiting: 0, running: 0, done: 0, failed: 0, cancelled: 0 };
    for (const { status } of this.jobs.values()) counts[status] += 1;
    return counts;
  }

  async workers(): Promise<number> {
    return this.isClosed ? 0 : 1;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.recurring.close();
    this.queue.length = 0;
    for (const job of this.jobs.values()) {
      clearTimeout(job.retryTimer);
      if (isOver(job)) continue;
      job.controller.abort(closed());
      wake(job);
    }
    await Promise.allSettled(this.running);
  }

  private takeNext(): void {
    while (this.running.size < this.options.concurrency) {
      const urgent = this.queue.findIndex(({ kind }) => kind.isUrgent);
      const [job] = this.queue.splice(Math.max(0, urgent), 1);
      if (!job) return;
      if (job.status !== 'waiting') continue;
      const attempt: Promise<void> = this.attempt(job).finally(() => {
        this.running.delete(attempt);
        this.takeNext();
      });
      this.running.add(attempt);
    }
  }

  private async attempt(job: InlineJob): Promise<void> {
    const { nowMs } = this.options;
    const beganMs = nowMs();
    job.status = 'running';
    job.attempts += 1;
    wake(job);
    this.tell(job, 'started', 0);
    try {
      const result = await job.kind.run(job.input, {
        key: job.key,
        attempt: job.attempts,
        signal: job.controller.signal,
        carrier: job.carrier,
        progress: (fraction) => {
          if (job.status !== 'running') return;
          job.progress = Math.min(1, Math.max(job.progress, fraction));
          wake(job);
        },
      });
      if (isOver(job)) return;
      job.result = result;
      job.progress = 1;
      this.settle(job, 'done');
      this.tell(job, 'done', nowMs() - beganMs);
    } catch (error) {
      // cancelled, or this process stops
      if (isOver(job) || this.isClosed) return;
      const { attempts = DEFAULT_ATTEMPTS } = job.kind;
      if (job.attempts < attempts && isTransient(job.kind, error)) {
        job.status = 'waiting';
        job.retryTimer = setTimeout(
          () => {
            this.queue.push(job);
            this.takeNext();
          },
          backoffOf(job.kind, job.attempts),
        );
        this.tell(job, 'retried', nowMs() - beganMs, error);
        return;
      }
      job.fault = faultOf(error);
      this.settle(job, 'failed');
      this.tell(job, 'failed', nowMs() - beganMs, error);
    }
  }

  private settle(job: InlineJob, status: 'done' | 'failed' | 'cancelled'): void {
    clearTimeout(job.retryTimer);
    job.status = status;
    wake(job);
  }

  private forgetOldest(): void {
    let surplus = this.jobs.size - KEPT_JOBS;
    for (const [key, job] of this.jobs) {
      if (surplus <= 0) return;
      if (!isOver(job)) continue;
      this.jobs.delete(key);
      surplus -= 1;
    }
  }

  private tell(job: InlineJob, type: JobEvent['type'], durationMs: number, error?: unknown): void {
    this.options.onEvent?.({
      type,
      kind: job.kind.name,
      key: job.key,
      attempt: job.attempts,
      carrier: job.carrier,
      durationMs,
      ...(error === undefined ? {} : { code: faultOf(error).code, error }),
    });
  }
}

const wake = ({ watchers }: InlineJob): void => {
  for (const watcher of [...watchers]) watcher();
};

const closed = (): ConcordatError =>
  new ConcordatError('jobs-closed', 'this process is stopping; ask again once it runs');
