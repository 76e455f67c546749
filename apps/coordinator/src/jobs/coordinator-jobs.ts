/** The jobs of a coordinator: which kinds there are, who carries them, what its log says of them. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '#libs/host';
import {
  type JobEvent,
  type JobKind,
  type Jobs,
  openBullJobs,
  openInlineJobs,
  requireDurableRedis,
  Threads,
} from '#libs/jobs';
import type { Logger } from '#libs/nest-kit';
import type { Manifest } from '#libs/protocol';
import { layerJob } from '../analytics/layer-job.js';
import type { LayerStore } from '../analytics/layer-store.js';
import { coordinatorPaths } from '../config.js';
import { composeJob, type Rehearsal } from './compose-job.js';

/** Injection token of the `CoordinatorJobs` of the process. */
export const JOBS = Symbol('Jobs');

export interface CoordinatorJobs extends Jobs {
  /** A round is under way: what will compose it here gets ready meanwhile. */
  readyToCompose(rehearsal?: Rehearsal): void;
}

/** A program of threads: built code, also where this module itself runs from its source. */
const threadsOf = (program: string): Threads =>
  new Threads(join(packageRoot(import.meta.url), 'dist/apps/coordinator/src', program));

/** Name of a coordinator's queue: several may share a Redis. */
export const queueOf = ({ federation, coordinator }: Manifest): string =>
  `${federation}-${coordinator.id}`;

/** Jobs that a process runs at once: one processor stays for everything else, and one long job never holds up all others. */
export const defaultConcurrency = (): number => Math.max(2, availableParallelism() - 1);

export interface CoordinatorJobsOptions {
  readonly dir: string;
  readonly layers: LayerStore;
  readonly queue: string;
  /** Jobs run in this process when undefined. */
  readonly redisUrl: string | undefined;
  /** Whether this process runs what lies in Redis. */
  readonly isWorker: boolean;
  readonly concurrency: number;
  readonly logger: Logger;
  readonly nowMs: () => number;
  readonly onEvent?: (event: JobEvent) => void;
}

/** Rejects with `redis-loses-jobs` and with what opening a queue rejects with. */
export async function openCoordinatorJobs(
  options: CoordinatorJobsOptions,
): Promise<CoordinatorJobs> {
  if (options.redisUrl !== undefined) await requireDurableRedis(options.redisUrl);
  const { dir, layers, queue, redisUrl, isWorker, concurrency, logger, nowMs } = options;
  const paths = coordinatorPaths(dir);
  const composing = threadsOf('jobs/compose-thread.js');
  const computing = threadsOf('analytics/layer-thread.js');
  const kinds: JobKind[] = [composeJob(dir, composing), layerJob(layers, paths.blobs, computing)];
  const onEvent = (event: JobEvent): void => {
    logEvent(logger, event);
    options.onEvent?.(event);
  };
  const shared = { kinds, concurrency, nowMs, onEvent };
  const jobs =
    redisUrl === undefined
      ? openInlineJobs({ ...shared, scheduleFile: paths.schedules })
      : await openBullJobs({ ...shared, redisUrl, queue, isWorker });
  const composesHere = redisUrl === undefined || isWorker;
  // a worker hears of a round only when it is to be composed
  if (redisUrl !== undefined && isWorker) composing.warm();
  const close = jobs.close.bind(jobs);
  return Object.assign(jobs, {
    readyToCompose: (rehearsal?: Rehearsal) => {
      if (composesHere) composing.warm(rehearsal && { dir, ...rehearsal });
    },
    close: async () => {
      await close();
      await Promise.all([composing.close(), computing.close()]);
    },
  });
}

function logEvent(logger: Logger, { error, carrier, ...event }: JobEvent): void {
  const { type, code } = event;
  const about = { ...carrier, job: event };
  if (type === 'queue-unavailable') {
    logger.warn('Redis is away; jobs wait until it is back');
  } else if (type === 'failed' || type === 'retried') {
    // a verdict is for the asker; what is not ours is for whoever runs this process
    logger.warn({ ...about, ...(code === 'internal' ? { err: error } : {}) }, `job ${type}`);
  } else logger.info(about, `job ${type}`);
}
