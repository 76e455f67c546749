import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ConcordatError } from '#libs/bytes';
import { packageRoot } from '#libs/nest-kit';
import type { ThreadMessage, ThreadTask } from './compute-thread.js';

/** Built code, also where this module itself runs from its source. */
const THREAD = join(
  packageRoot(import.meta.url),
  'dist/apps/coordinator/src/analytics/compute-thread.js',
);

/**
 * Computes a layer in a thread of its own and resolves to the hash of the stored result. Aborting ends the thread at once. Rejects with
 * the code of the computation, `cancelled`, or the error that ended the thread.
 */
export function computeInThread(
  task: ThreadTask,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (share: number) => void },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const cancelled = () => new ConcordatError('cancelled', 'the computation was cancelled');
    if (signal.aborted) {
      reject(cancelled());
      return;
    }
    const thread = new Worker(THREAD, { workerData: task });
    const stop = (): void => {
      reject(cancelled());
      void thread.terminate();
    };
    signal.addEventListener('abort', stop, { once: true });
    thread.on('message', (message: ThreadMessage) => {
      if (message.type === 'progress') onProgress(message.share);
      if (message.type === 'done') resolve(message.hash);
      if (message.type === 'failed') reject(new ConcordatError(message.code, message.message));
    });
    thread.on('error', reject);
    thread.on('exit', () => {
      signal.removeEventListener('abort', stop);
      reject(new Error('the thread that computes a layer ended without a result'));
    });
  });
}
