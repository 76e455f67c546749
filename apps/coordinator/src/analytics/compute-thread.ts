/** Thread that computes one layer and stores its bytes: heavy arithmetic beside the process, never in its event loop. */
import { parentPort, workerData } from 'node:worker_threads';
import { isConcordatError } from '#libs/bytes';
import { openBlobs } from '#libs/journal';
import { computeLayer, type LayerRequest } from '#libs/layers';

export interface ThreadTask {
  readonly request: LayerRequest;
  /** Folders of the releases' blobs and of the results. */
  readonly blobs: string;
  readonly results: string;
}

export type ThreadMessage =
  | { readonly type: 'progress'; readonly share: number }
  | { readonly type: 'done'; readonly hash: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

const tell = (message: ThreadMessage): void => parentPort?.postMessage(message);

const { request, blobs, results } = workerData as ThreadTask;
try {
  const source = await openBlobs({ dir: blobs });
  const bytes = await computeLayer(request, source, {
    onProgress: (share) => tell({ type: 'progress', share }),
  });
  tell({ type: 'done', hash: await (await openBlobs({ dir: results })).put(bytes) });
} catch (error) {
  // An error that is not ours ends the thread, and whoever waits for it hears that.
  if (!isConcordatError(error)) throw error;
  tell({ type: 'failed', code: error.code, message: error.message });
}
