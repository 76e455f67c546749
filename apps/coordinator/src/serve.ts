import { join } from 'node:path';
import { packageRoot } from '#libs/host';
import type { Jobs } from '#libs/jobs';
import {
  createHttpApp,
  type Logger,
  listen,
  loopbackOf,
  Metrics,
  newToken,
  RefusedRequests,
  type RunningProcess,
  removeControl,
  serveOperations,
  stopInOrder,
  writeControl,
} from '#libs/nest-kit';
import { isRoundEvent } from '#libs/protocol';
import { decodeEntry } from '#libs/tlog';
import { openAnalytics } from './analytics/analytics.js';
import { DriftMonitor } from './analytics/drift-monitor.js';
import { ForecastsService } from './analytics/forecasts.service.js';
import { LayerStore } from './analytics/layer-store.js';
import { appModule } from './app.module.js';
import { coordinatorPaths } from './config.js';
import { EventStreams } from './event-streams.js';
import { openOffice } from './federation/office.js';
import { startWitnessing, type Witnessing } from './federation/witnessing.js';
import { defaultConcurrency, openCoordinatorJobs, queueOf } from './jobs/coordinator-jobs.js';
import { limitRequests } from './limit-requests.js';
import { LinkageService } from './linkage/linkage.service.js';
import { serveWeb } from './map/web-assets.js';
import { openCoordinator } from './open-coordinator.js';
import { coordinatorOperations, jobMetrics } from './operations.js';
import { ReleaseStore } from './releases/release-store.js';
import { Inboxes } from './rounds/inbox.js';
import { RoundBook } from './rounds/round-book.js';
import { RoundsService } from './rounds/rounds.service.js';
import { Unmaskings } from './sealing/unmaskings.js';

const WEB_ROOT = join(packageRoot(import.meta.url), 'dist', 'web');

/** Opens the folder, replays the log, takes up the rounds under way, binds the port. */
export async function serveCoordinator(
  dir: string,
  options: {
    readonly port?: number;
    readonly nowMs: () => number;
    readonly logger?: Logger;
    /** Where jobs wait for workers; without it they run here. */
    readonly redisUrl?: string | undefined;
  },
): Promise<RunningProcess> {
  const coordinator = await openCoordinator(dir, options);
  const { config, key, nowMs } = coordinator;
  const refused = new RefusedRequests((counts) =>
    coordinator.append({
      kind: 'requests.refused',
      at: new Date(nowMs()).toISOString(),
      actor: config.id,
      counts,
    }),
  );
  const metrics = new Metrics(config.id);
  let witnessing: Witnessing | undefined;
  const { control, signingKey } = coordinatorPaths(dir);
  let jobs: Jobs | undefined;
  let linkage: LinkageService | undefined;
  try {
    const office = await openOffice(coordinator, signingKey, (code) => refused.note(code));
    witnessing = startWitnessing(coordinator);
    const witnessed = witnessing;
    const store = await LayerStore.open(coordinatorPaths(dir).layers);
    const analytics = await openAnalytics(coordinator, store);
    jobs = await openCoordinatorJobs({
      dir,
      layers: store,
      queue: queueOf(coordinator.federation.manifest),
      redisUrl: options.redisUrl,
      isWorker: false,
      concurrency: defaultConcurrency(),
      logger: coordinator.logger,
      nowMs,
      onEvent: jobMetrics(metrics),
    });
    const opened = jobs;
    const releases = new ReleaseStore(coordinator.blobs);
    const book = new RoundBook(coordinator.append);
    for await (const { index, bytes } of coordinator.journal.entries()) {
      const entry = decodeEntry(bytes);
      if (entry.kind === 'round.released') await releases.replay(entry.releaseDigest, entry.at);
      if (isRoundEvent(entry)) book.replay(index, entry);
      analytics.forecasts.apply(entry);
    }
    const linking = await LinkageService.open(coordinator);
    linkage = linking;
    const controlToken = newToken();
    const app = await createHttpApp(
      appModule({
        coordinator,
        dir,
        releases,
        book,
        witnessing: witnessed,
        refused,
        office,
        controlToken,
        analytics,
        jobs: opened,
        linkage: linking,
      }),
      coordinator.logger,
      { id: config.id, key, nowMs },
      config.trustedProxies,
    );
    limitRequests(app, coordinator);
    serveOperations(app, coordinatorOperations(metrics, coordinator, book, releases, opened));
    await serveWeb(app, WEB_ROOT);
    await app.get(RoundsService).recover();
    app.get(DriftMonitor).start();
    const { host, port: wanted } = config.listen;
    const url = await listen(app, host, wanted);
    writeControl(control, { url: loopbackOf(url), token: controlToken });
    return {
      url,
      // the control file first: once the lock is free, it is the standby's
      stop: () =>
        stopInOrder(coordinator.logger, [
          () => removeControl(control),
          () => app.get(EventStreams).close(),
          () => app.get(Inboxes).close(),
          () => office.succession.close(),
          () => app.get(Unmaskings).close(),
          () => app.get(RoundsService).stop(),
          () => app.get(DriftMonitor).stop(),
          () => opened.close(),
          () => app.get(ForecastsService).stop(),
          () => refused.stop(),
          () => witnessed.stop(),
          () => linking.stop(),
          () => app.close(),
          () => coordinator.close(),
        ]),
    };
  } catch (error) {
    await jobs?.close();
    await linkage?.stop();
    await witnessing?.stop();
    await coordinator.close();
    throw error;
  }
}
