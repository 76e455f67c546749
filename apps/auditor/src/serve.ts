import { existsSync } from 'node:fs';
import { ConcordatError, canonicalBytes } from '#libs/bytes';
import { VERSION } from '#libs/host';
import { openJournal, type Witness } from '#libs/journal';
import { noteSigner, PinnedManifest, ProcessKeys, verifySignature } from '#libs/keystore';
import {
  createHttpApp,
  createLogger,
  fetchManifest,
  type Logger,
  listen,
  loopbackOf,
  newToken,
  RefusedRequests,
  RequestVerifier,
  type RunningProcess,
  removeControl,
  SignedClient,
  serveOperations,
  startManifestFollower,
  stopInOrder,
  writeControl,
} from '#libs/nest-kit';
import { allLogKeys, logOrigin } from '#libs/protocol';
import { type Entry, encodeEntry } from '#libs/tlog';
import { appModule } from './app.module.js';
import { auditorPaths, loadConfig } from './config.js';
import { startKeyHolding } from './linkage.js';
import { auditorOperations } from './operations.js';
import { openSealing } from './sealing/open-sealing.js';
import { startRetiring } from './sealing/retire-rounds.js';
import { startUnmaskLoop } from './sealing/unmask-loop.js';
import { startWitnessing } from './witnessing.js';

/** Opens the folder, starts witnessing, serves what it has seen until stopped. */
export async function serveAuditor(
  dir: string,
  options: {
    /** Instead of the address in the settings. */
    readonly coordinatorUrl: string | undefined;
    /** Instead of the port in the settings. */
    readonly port?: number | undefined;
    readonly nowMs: () => number;
    readonly logger?: Logger;
  },
): Promise<RunningProcess> {
  const { coordinatorUrl, port, nowMs } = options;
  const config = loadConfig(dir);
  const paths = auditorPaths(dir);
  const keys = ProcessKeys.open(paths);
  const { key, box } = keys;
  const { url: configuredUrl, publicKey } = config.coordinator;
  const url = coordinatorUrl ?? configuredUrl;
  if (!existsSync(paths.manifest)) {
    PinnedManifest.create(paths.manifest, await fetchManifest(url), publicKey);
  }
  const pinned = PinnedManifest.open(paths.manifest, publicKey);
  const { manifest } = pinned;
  keys.isTurning(manifest.auditor);
  const logger = options.logger ?? createLogger(config.id);
  const origin = logOrigin(manifest.federation, config.id);
  const journal = await openJournal({
    dir: paths.log,
    origin,
    signer: noteSigner(origin, key),
    formerKeys: allLogKeys(manifest, config.id),
    clock: nowMs,
  });
  let witness: Witness | undefined;
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((end) => end()));
  };
  try {
    const at = new Date(nowMs()).toISOString();
    await journal.append(
      encodeEntry({
        kind: 'started',
        at,
        actor: config.id,
        process: 'auditor',
        version: `concordat ${VERSION}`,
      }),
    );
    const finishTurn = async (): Promise<void> => {
      if (!keys.isTurning(pinned.manifest.auditor)) return;
      const append = (entry: Entry) => journal.append(encodeEntry(entry));
      await keys.finish(pinned.manifest.auditor, { append, nowMs: nowMs() });
      logger.info('the new keys are in force from here on');
    };
    await finishTurn();
    const client = new SignedClient({
      url,
      id: config.id,
      key,
      server: () => pinned.manifest.coordinator.publicKey,
      verify: verifySignature,
      nowMs,
    });
    const watching = { id: config.id, key, pinned, journal, client, logger, nowMs };
    const witnessing = await startWitnessing(watching, paths.witnessed);
    const opened = witnessing.witness;
    witness = opened;
    stops.push(witnessing.stop);
    const follower = startManifestFollower({
      url,
      serial: () => pinned.manifest.serial,
      take: async (step) => {
        const { serial, change } = pinned.extend(step);
        witnessing.followManifest();
        logger.info({ serial, change: change.kind }, 'new manifest');
        await finishTurn();
      },
      logger,
    });
    stops.push(() => follower.stop());
    const sealing = await openSealing({
      ...{ id: config.id, pinned, key, box, journal, paths, nowMs, logger },
      coordinatorUrl: url,
    });
    stops.push(
      await startKeyHolding(
        { id: config.id, manifest: () => pinned.manifest, box, journal, client, logger, nowMs },
        paths.linkage,
      ),
    );
    const refused = new RefusedRequests((counts) =>
      journal.append(
        encodeEntry({
          kind: 'requests.refused',
          at: new Date(nowMs()).toISOString(),
          actor: config.id,
          counts,
        }),
      ),
    );
    stops.push(() => refused.stop());
    const verifier = new RequestVerifier({
      audience: () => key.publicKey,
      keyOf: (id) => pinned.manifest.agencies.find((agency) => agency.id === id)?.publicKey,
      verify: verifySignature,
      nowMs,
      onRefused: (because) => refused.note(because),
    });
    const turn = async () => {
      const before = key.publicKey;
      // a rotation names the manifest in force
      await follower.catchUp();
      const rotation = keys.rotation(pinned.manifest.auditor, pinned.hash, nowMs());
      await client.send('POST', '/v1/rotations', canonicalBytes(rotation), 'application/json');
      await follower.catchUp();
      if (key.publicKey === before) {
        throw new ConcordatError('not-yet', 'the new manifest has not arrived; look again later');
      }
      const { serial } = pinned.manifest;
      return { publicKey: key.publicKey, boxKey: box.publicKey, serial };
    };
    const token = newToken();
    const module = appModule(opened, pinned, paths.log, sealing, verifier, { token, turn });
    const app = await createHttpApp(module, logger, { id: config.id, key, nowMs });
    serveOperations(app, auditorOperations(config.id, journal, opened, pinned));
    const bound = await listen(app, config.listen.host, port ?? config.listen.port);
    writeControl(paths.control, { url: loopbackOf(bound), token });
    stops.push(startRetiring(sealing), startUnmaskLoop(sealing, client));
    return {
      url: bound,
      stop: () =>
        stopInOrder(logger, [
          () => removeControl(paths.control),
          () => app.close(),
          ...stops,
          () => opened.close(),
          // leaves no entry without a checkpoint, unless the other witnesses were never heard
          () => witnessing.log.checkpoint(),
          () => journal.close(),
        ]),
    };
  } catch (error) {
    await stop();
    await witness?.close();
    await journal.close();
    throw error;
  }
}
