/**
 * What needs the clients of Redis, which are loaded when it is first asked for: they take longer to load than all else here, and threads
 * that compute, commands and a coordinator without Redis have no use for them.
 */
import type { BullJobsOptions } from './bull-jobs.js';
import type { Jobs } from './jobs.js';

/** As `openBullJobs` of `bull-jobs.ts`. */
export async function openBullJobs(options: BullJobsOptions): Promise<Jobs> {
  const loaded = await import('./bull-jobs.js');
  return loaded.openBullJobs(options);
}

/** As `requireDurableRedis` of `redis.ts`. */
export async function requireDurableRedis(url: string): Promise<void> {
  const loaded = await import('./redis.js');
  return loaded.requireDurableRedis(url);
}
