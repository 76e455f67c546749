/** How jobs lie in Redis: names, envelopes and retention that askers and workers share. */
import { ConcordatError, type Json } from '#libs/bytes';
import type { JobFault } from './job.js';

/** What bullmq keeps of a job; the kind is its name, the key its id. */
export interface QueuedJob {
  readonly input: Json;
  readonly carrier: Readonly<Record<string, string>>;
}

/** What is over stays found by key this long, and no longer than so many others came after it. */
export const KEPT = { age: 7 * 86_400, count: 10_000 } as const;

/** Prefix of every Redis key of a queue. */
const PREFIX = 'concordat';

export const queueOptions = { prefix: PREFIX } as const;

/** Names in Redis of what this project keeps beside bullmq's own. */
export const keysOf = (queue: string) => ({
  /** Sorted set of keys that were cancelled, by when in Unix milliseconds. */
  cancelled: `${PREFIX}:${queue}:concordat-cancelled`,
  /** bullmq's own sorted set of failed jobs. */
  failed: `${PREFIX}:${queue}:failed`,
  /** Hash of schedules: the newest instant dealt with. */
  schedules: `${PREFIX}:${queue}:concordat-schedules`,
});

/** Throws `malformed-queue-name`. */
export function checkQueueName(name: string): void {
  if (/^[a-z0-9][a-z0-9-]{0,127}$/.test(name)) return;
  throw new ConcordatError(
    'malformed-queue-name',
    'a queue is named by lower-case letters, digits and hyphens',
  );
}

/** bullmq keeps one text of a failure. */
export const faultText = (fault: JobFault): string => JSON.stringify(fault);

export function faultOfText(text: string | undefined): JobFault {
  if (text?.startsWith('{')) return JSON.parse(text) as JobFault;
  // bullmq's own word when a job's workers died too often
  return {
    code: 'worker-lost',
    message: 'the processes that ran this job died; look at their logs, then ask again',
  };
}
