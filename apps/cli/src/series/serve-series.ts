/** Runs every series of a folder on its calendar until it is stopped. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { defineJob, openInlineJobs } from '#libs/jobs';
import { runDue } from './run-series.js';
import { listSeries, type SeriesRun } from './series-file.js';

const KIND = 'series';
/** A coordinator that is down when a series is due is tried again over about an hour. */
const ATTEMPTS = 10;
const BACKOFF_MS = 5_000;
const A_DAY_MS = 86_400_000;

/** Resolves once `signal` says so. A month missed while nothing ran is asked at the next look, because what is due is what is not done. */
export async function serveSeries(
  dir: string,
  options: {
    readonly nowMs: () => number;
    readonly signal: AbortSignal;
    readonly onRun: (name: string, run: SeriesRun) => void;
    readonly onFailure: (name: string, code: string) => void;
  },
): Promise<readonly string[]> {
  const kind = defineJob({
    name: KIND,
    input: z.strictObject({ name: z.string(), scheduledFor: z.string() }),
    attempts: ATTEMPTS,
    backoffMs: BACKOFF_MS,
    transientCodes: ['unreachable'],
    run: async ({ name }) => {
      const runs = await runDue(dir, name, {
        nowMs: options.nowMs,
        onRun: (run) => options.onRun(name, run),
      });
      return runs.length;
    },
  });
  const jobs = openInlineJobs({
    kinds: [kind],
    concurrency: 1,
    nowMs: options.nowMs,
    scheduleFile: join(dir, 'schedules.json'),
    onEvent: ({ type, code = 'internal' }) => {
      if (type === 'failed') options.onFailure(KIND, code);
    },
  });
  const active = listSeries(dir).filter(({ stopped }) => !stopped);
  for (const { name, cron } of active) {
    await jobs.schedule({ id: name, cron, kind: KIND, input: { name } });
  }
  // A timer keeps the process alive, which the calendar's own do not.
  while (!options.signal.aborted) {
    await pause(A_DAY_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
  await jobs.close();
  return active.map(({ name }) => name);
}
