import { Module } from '@nestjs/common';
import {
  createHttpApp,
  createLogger,
  listen,
  Metrics,
  type RunningProcess,
  serveOperations,
} from '#libs/nest-kit';
import { LayerStore } from './analytics/layer-store.js';
import { coordinatorPaths } from './config.js';
import { manifestInFolder } from './federation/federation.js';
import { openCoordinatorJobs, queueOf } from './jobs/coordinator-jobs.js';
import { jobMetrics, queueMetrics, workerCheck } from './operations.js';

@Module({})
class WorkerModule {}

/**
 * Runs the coordinator's jobs from Redis over its folder, or over a folder that shares its `manifest.json`, `domains`, `uploads`,
 * `rounds`, `blobs` and `layers`. Holds no key and writes no log: what it computes is checked and logged by the coordinator.
 */
export async function serveWorker(
  dir: string,
  options: {
    readonly redisUrl: string;
    readonly concurrency: number;
    readonly port: number;
    readonly nowMs: () => number;
  },
): Promise<RunningProcess> {
  const logger = createLogger('coordinator-worker');
  const metrics = new Metrics('coordinator-worker');
  const paths = coordinatorPaths(dir);
  const manifest = manifestInFolder(paths.manifest);
  const jobs = await openCoordinatorJobs({
    dir,
    layers: await LayerStore.open(paths.layers),
    queue: queueOf(manifest),
    redisUrl: options.redisUrl,
    isWorker: true,
    concurrency: options.concurrency,
    logger,
    nowMs: options.nowMs,
    onEvent: jobMetrics(metrics),
  });
  try {
    const app = await createHttpApp({ module: WorkerModule }, logger);
    queueMetrics(metrics, jobs);
    serveOperations(app, { metrics, ready: { jobs: workerCheck(jobs) } });
    const url = await listen(app, '127.0.0.1', options.port);
    return {
      url,
      stop: async () => {
        await jobs.close();
        await app.close();
      },
    };
  } catch (error) {
    await jobs.close();
    throw error;
  }
}
