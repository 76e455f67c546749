/** The one interface to background work, whatever carries it. */
import type { Json } from '#libs/bytes';
import type { JobEvent, JobKind, JobStatus, JobView } from './job.js';
import type { Recurring, ScheduleView } from './schedule.js';

export interface EnqueueOptions {
  /** Travels with the job and is no part of its key, such as a W3C `traceparent`. The first asker's is kept. */
  readonly carrier?: Readonly<Record<string, string>>;
}

export interface RunOptions extends EnqueueOptions {
  /** Ends the waiting, not the job: `cancel` does that. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number) => void;
}

export interface Jobs {
  /**
   * Asks for a job and returns its key once the queue has it. What waits, runs or is done is not asked for again; what failed or was
   * cancelled is. Rejects with `unknown-job-kind`, `malformed-job` or `queue-unavailable`.
   */
  enqueue(kind: string, input: Json, options?: EnqueueOptions): Promise<string>;
  /**
   * Asks for a job and waits for its result, over outages and losses of the queue. Rejects with the job's own code, `job-cancelled`,
   * `unknown-job-kind`, `malformed-job`, `jobs-closed` or the reason of `signal`.
   */
  run(kind: string, input: Json, options?: RunOptions): Promise<Json>;
  /** What became of a job; undefined when the queue does not know it. Rejects with `queue-unavailable`. */
  find(key: string): Promise<JobView | undefined>;
  /** Ends a job that waits or runs; anything else is left as it is. Rejects with `queue-unavailable`. */
  cancel(key: string): Promise<void>;
  /**
   * Enqueues a job at every instant of a calendar, from now on, as long as some process holds this schedule. Survives restarts;
   * of the instants missed meanwhile only the newest fires. Rejects with `malformed-schedule`.
   */
  schedule(recurring: Recurring): Promise<void>;
  /** Forgets a schedule; its jobs under way go on. */
  unschedule(id: string): Promise<void>;
  schedules(): readonly ScheduleView[];
  /** How many jobs the queue holds of each status. Rejects with `queue-unavailable`. */
  counts(): Promise<Readonly<Record<JobStatus, number>>>;
  /** How many processes take jobs from this queue. Rejects with `queue-unavailable`. */
  workers(): Promise<number>;
  /** Ends schedules and waits; jobs of this process are aborted and, where the queue outlives the process, run elsewhere. */
  close(): Promise<void>;
}

/** What both drivers are opened with. */
export interface JobsOptions {
  readonly kinds: readonly JobKind[];
  /** Jobs that this process runs at once. */
  readonly concurrency: number;
  readonly nowMs: () => number;
  readonly onEvent?: (event: JobEvent) => void;
}
