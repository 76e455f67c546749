import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, isConcordatError, type Json } from '#libs/bytes';
import type { JobView } from './job.js';
import type { Jobs, RunOptions } from './jobs.js';

/** Pause after the queue could not be reached. */
const OUTAGE_PAUSE_MS = 500;

/**
 * Asks for a job and waits until it is over, whatever happens to the queue meanwhile: what cannot be asked is asked again, what the
 * queue lost is enqueued again. `change` resolves when the job may have changed since the view.
 */
export async function runJob(
  queue: Pick<Jobs, 'enqueue' | 'find'>,
  kind: string,
  input: Json,
  { signal, onProgress, carrier }: RunOptions,
  change: (view: JobView, signal: AbortSignal | undefined) => Promise<void>,
): Promise<Json> {
  let shown = 0;
  let key: string | undefined;
  for (;;) {
    signal?.throwIfAborted();
    let view: JobView | undefined;
    try {
      key ??= await queue.enqueue(kind, input, carrier ? { carrier } : {});
      view = await queue.find(key);
    } catch (error) {
      if (!isConcordatError(error, 'queue-unavailable')) throw error;
      await pause(OUTAGE_PAUSE_MS, undefined, signal ? { signal } : {}).catch(() => undefined);
      continue;
    }
    if (!view) {
      key = undefined;
      continue;
    }
    if (view.progress > shown) {
      shown = view.progress;
      onProgress?.(shown);
    }
    if (view.status === 'done') return view.result;
    if (view.status === 'failed') throw new ConcordatError(view.fault.code, view.fault.message);
    if (view.status === 'cancelled') {
      throw new ConcordatError('job-cancelled', 'the job was cancelled; ask for it again');
    }
    await change(view, signal);
  }
}
