import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { parseDomainFile } from '#libs/grid';
import { packageRoot } from '#libs/host';
import { openBlobs } from '#libs/journal';
import { PinnedManifest } from '#libs/keystore';
import {
  createHttpApp,
  createLogger,
  fetchManifest,
  type Logger,
  listen,
  Metrics,
  type RunningProcess,
  serveOperations,
} from '#libs/nest-kit';
import { allLogKeys, logOrigin, problem } from '#libs/protocol';
import type { Entry } from '#libs/tlog';
import { openAnalytics } from '../analytics/analytics.js';
import { LayerStore } from '../analytics/layer-store.js';
import { coordinatorPaths } from '../config.js';
import type { Coordinator } from '../coordinator.js';
import { EventStreams } from '../event-streams.js';
import { Federation } from '../federation/federation.js';
import { defaultConcurrency, openCoordinatorJobs, queueOf } from '../jobs/coordinator-jobs.js';
import { limitRequests } from '../limit-requests.js';
import { serveWeb } from '../map/web-assets.js';
import { jobMetrics, queueMetrics } from '../operations.js';
import { ReleaseStore } from '../releases/release-store.js';
import { loadReplicaConfig } from './config.js';
import { fetchRelease } from './fetch-release.js';
import { replicaModule } from './replica.module.js';
import { ReplicaLog } from './replica-log.js';
import { Writer } from './writer.js';

const WEB_ROOT = join(packageRoot(import.meta.url), 'dist', 'web');
const LOOK_MS = 1_000;
const LONGEST_BACKOFF_MS = 10_000;
/** What no later look can mend: the log that was followed is not the one that is shown. */
const FINAL = new Set(['log-behind', 'log-forked']);
/** What only the writer answers, besides everything that is not read. */
const WRITERS =
  /^\/v1\/(?:checkpoints|inbox|linkage|log|manifests?|rounds|unmaskings|vectors|witnessing)(?:\/|$)/;

const writerOnly = (url: string): ConcordatError =>
  new ConcordatError('read-only-replica', `this is a replica that only reads; ask ${url}`);

/** Answers 421 (RFC 9110, section 15.5.20) to all that is for the writer, naming it. */
function refuseWrites(app: NestFastifyApplication, url: string): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', async (request, reply) => {
      const [path = ''] = request.url.split('?', 1);
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (path === '/graphql' || (isRead && !WRITERS.test(path))) return;
      const { code, message } = writerOnly(url);
      return reply
        .status(421)
        .header('content-type', 'application/problem+json')
        .send(Buffer.from(JSON.stringify(problem(421, code, message))));
    });
}

/** Fetches the areas that the manifest names and this folder lacks. Throws `wrong-domain`, `unreachable`. */
async function fetchDomains(federation: Federation, writer: Writer): Promise<void> {
  for (const { id, domain: hash } of federation.manifest.agencies) {
    if (existsSync(federation.domainPath(hash))) continue;
    const bytes = await writer.domain(hash);
    const domain = bytes && parseDomainFile(id, gunzipSync(bytes).toString('utf8'));
    if (domain?.hash !== hash)
      throw new ConcordatError('wrong-domain', 'the coordinator sent another area than it names');
    federation.keepDomain(domain);
  }
}

/**
 * Follows the log of a coordinator and serves what it published, for as long as the folder is there: also while the coordinator is
 * away. What does not verify is not taken; a log that was cut or forked is followed no further, and `/readyz` says so.
 */
export async function serveReplica(
  dir: string,
  options: { readonly port?: number; readonly nowMs: () => number; readonly logger?: Logger },
): Promise<RunningProcess> {
  const config = loadReplicaConfig(dir);
  const paths = coordinatorPaths(dir);
  const writer = new Writer(config.replicaOf);
  const logger = options.logger ?? createLogger('replica');
  const { nowMs } = options;
  mkdirSync(paths.domains, { recursive: true });
  if (!existsSync(paths.manifest)) {
    PinnedManifest.create(paths.manifest, await fetchManifest(writer.url), config.publicKey);
  }
  const federation = Federation.open(paths.manifest, paths.domains, config.publicKey);
  const { id } = federation.manifest.coordinator;
  const blobs = await openBlobs({ dir: paths.blobs });
  const missing = (): never => {
    throw writerOnly(writer.url);
  };
  const listenOn = {
    ...config.listen,
    ...(options.port === undefined ? {} : { port: options.port }),
  };
  const coordinator: Coordinator = {
    config: {
      ...{ version: 1, id, listen: listenOn, roundDeadlineSeconds: 1 },
      ...(config.limits ? { limits: config.limits } : {}),
    },
    get key() {
      return missing();
    },
    get box() {
      return missing();
    },
    get journal() {
      return missing();
    },
    get roundBlobs() {
      return missing();
    },
    ...{ federation, blobs, logger, nowMs },
    append: async () => missing(),
    close: async () => {},
  };
  const metrics = new Metrics(`${id}-replica`);
  const store = await LayerStore.open(paths.layers);
  const analytics = await openAnalytics(coordinator, store);
  const releases = new ReleaseStore(blobs);
  const take = async (entry: Entry): Promise<void> => {
    if (entry.kind === 'round.released') await releases.replay(entry.releaseDigest, entry.at);
    analytics.forecasts.apply(entry);
  };
  const log = await ReplicaLog.open(
    paths.log,
    {
      origin: () => logOrigin(federation.manifest.federation, id),
      logKeys: () => allLogKeys(federation.manifest, id),
    },
    take,
  );
  let fault: string | undefined;
  let contactMs: number | undefined;
  const prepare = async (entries: readonly Entry[]): Promise<void> => {
    for (const entry of entries) {
      if (entry.kind === 'round.released') await fetchRelease(entry.releaseDigest, blobs, writer);
    }
  };
  const look = async (): Promise<void> => {
    for (const step of await writer.stepsAfter(federation.manifest.serial)) federation.follow(step);
    await fetchDomains(federation, writer);
    for (const entry of await log.catchUp((path) => writer.log(path), prepare)) await take(entry);
    contactMs = nowMs();
  };
  const stopping = new AbortController();
  const follow = async (): Promise<void> => {
    let backoffMs = LOOK_MS;
    while (!stopping.signal.aborted) {
      try {
        await look();
        backoffMs = LOOK_MS;
        fault = undefined;
      } catch (error) {
        const code = isConcordatError(error) ? error.code : 'internal';
        const isAlarm = code !== 'unreachable';
        logger[isAlarm ? 'error' : 'warn'](
          { code, ...(code === 'internal' ? { err: error } : {}) },
          'the log was not followed',
        );
        if (isAlarm) fault = code;
        if (FINAL.has(code)) return;
        backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      }
      await pause(backoffMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const jobs = await openCoordinatorJobs({
    ...{ dir, layers: store, queue: queueOf(federation.manifest), redisUrl: undefined },
    ...{ isWorker: false, concurrency: defaultConcurrency(), logger, nowMs },
    onEvent: jobMetrics(metrics),
  });
  const lagSeconds = (): number | undefined =>
    contactMs === undefined ? undefined : Math.max(0, (nowMs() - contactMs) / 1000);
  metrics.gauge('concordat_log_entries', 'Entries of the log that were verified', () =>
    Number(log.size),
  );
  metrics.gauge('concordat_replica_lag_seconds', 'Since the log was last verified', lagSeconds);
  metrics.gauge('concordat_releases', 'Releases served', () => releases.all().length);
  queueMetrics(metrics, jobs);
  let following: Promise<void> | undefined;
  try {
    const app = await createHttpApp(
      replicaModule({ coordinator, releases, analytics, jobs }),
      logger,
      undefined,
      config.trustedProxies,
    );
    refuseWrites(app, writer.url);
    limitRequests(app, coordinator);
    serveOperations(app, {
      metrics,
      ready: {
        log: () => fault ?? (log.size > 0n ? undefined : 'not-synchronised'),
      },
      readyDetail: () => ({
        replicaOf: writer.url,
        entries: Number(log.size),
        lagSeconds: lagSeconds() ?? null,
      }),
    });
    await serveWeb(app, WEB_ROOT);
    // whoever asks at once finds what there is
    await look().catch((error: unknown) => {
      if (!isConcordatError(error, 'unreachable')) throw error;
      logger.warn({ code: error.code }, 'starting with what is held');
    });
    following = follow();
    const url = await listen(app, listenOn.host, listenOn.port);
    return {
      url,
      stop: async () => {
        stopping.abort();
        await following;
        app.get(EventStreams).close();
        await jobs.close();
        await app.close();
      },
    };
  } catch (error) {
    stopping.abort();
    await following;
    await jobs.close();
    throw error;
  }
}
