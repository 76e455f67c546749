/** Thread that computes layers and stores their bytes: heavy arithmetic beside the process, never in its event loop. */
import { answerTasks } from '#libs/jobs';
import { openBlobs } from '#libs/journal';
import { computeLayer, type LayerRequest } from '#libs/layers';

export interface LayerTask {
  readonly request: LayerRequest;
  /** Folders of the releases' blobs and of the results. */
  readonly blobs: string;
  readonly results: string;
}

answerTasks(async (task, onProgress) => {
  const { request, blobs, results } = task as LayerTask;
  const bytes = await computeLayer(request, await openBlobs({ dir: blobs }), { onProgress });
  return (await openBlobs({ dir: results })).put(bytes);
});
