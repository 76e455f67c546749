import { join } from 'node:path';
import {
  createHttpApp,
  type Logger,
  listen,
  packageRoot,
  RefusedRequests,
  type RunningProcess,
} from '#libs/nest-kit';
import { isRoundEvent } from '#libs/protocol';
import { decodeEntry } from '#libs/tlog';
import { openAnalytics } from './analytics/analytics.js';
import { appModule } from './app.module.js';
import { coordinatorPaths } from './config.js';
import { startWitnessing } from './federation/witnessing.js';
import { serveWeb } from './map/web-assets.js';
import { openCoordinator } from './open-coordinator.js';
import { ReleaseStore } from './releases/release-store.js';
import { Inboxes } from './rounds/inbox.js';
import { RoundBook } from './rounds/round-book.js';
import { RoundsService } from './rounds/rounds.service.js';

const WEB_ROOT = join(packageRoot(import.meta.url), 'dist', 'web');

/** Opens the folder, replays the log, takes up the rounds under way, binds the port. */
export async function serveCoordinator(
  dir: string,
  options: { readonly port?: number; readonly nowMs: () => number; readonly logger?: Logger },
): Promise<RunningProcess> {
  const coordinator = await openCoordinator(dir, options);
  const witnessing = startWitnessing(coordinator);
  const { config, key, nowMs } = coordinator;
  const refused = new RefusedRequests((counts) =>
    coordinator.append({
      kind: 'requests.refused',
      at: new Date(nowMs()).toISOString(),
      actor: config.id,
      counts,
    }),
  );
  try {
    const { layers, blobs } = coordinatorPaths(dir);
    const analytics = await openAnalytics(coordinator, { folder: layers, blobs });
    const releases = new ReleaseStore(coordinator.blobs);
    const book = new RoundBook(coordinator.append);
    for await (const { index, bytes } of coordinator.journal.entries()) {
      const entry = decodeEntry(bytes);
      if (entry.kind === 'round.released') await releases.replay(entry.releaseDigest, entry.at);
      if (isRoundEvent(entry)) book.replay(index, entry);
      analytics.forecasts.apply(entry);
    }
    const app = await createHttpApp(
      appModule(coordinator, dir, releases, book, witnessing, refused, analytics),
      coordinator.logger,
      { id: config.id, key, nowMs },
    );
    await serveWeb(app, WEB_ROOT);
    await app.get(RoundsService).recover();
    const { host, port: wanted } = config.listen;
    const url = await listen(app, host, wanted);
    return {
      url,
      stop: async () => {
        app.get(Inboxes).close();
        await app.get(RoundsService).stop();
        await analytics.jobs.close();
        await refused.stop();
        await witnessing.stop();
        await app.close();
        await coordinator.close();
      },
    };
  } catch (error) {
    await witnessing.stop();
    await coordinator.close();
    throw error;
  }
}
