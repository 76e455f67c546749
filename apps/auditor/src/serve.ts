import { readFileSync } from 'node:fs';
import { ConcordatError, canonicalBytes } from '#libs/bytes';
import { openJournal, openWitness, type Witness, WitnessedLog } from '#libs/journal';
import { loadBoxKey, loadSigningKey, verifySignature } from '#libs/keystore';
import {
  createHttpApp,
  createLogger,
  type Logger,
  listen,
  Metrics,
  type RunningProcess,
  relayOver,
  SignedClient,
  serveOperations,
  startWitnessLoop,
} from '#libs/nest-kit';
import {
  logOrigin,
  logVerifierKey,
  logVerifierKeys,
  openSignedManifest,
  witnessVerifierKeys,
} from '#libs/protocol';
import { encodeEntry, type NoteSigner } from '#libs/tlog';
import { appModule } from './app.module.js';
import { auditorPaths, loadConfig } from './config.js';
import { startKeyHolding } from './linkage.js';
import { VERSION } from './version.js';

/** Opens the folder, starts witnessing, serves what it has seen until stopped. */
export async function serveAuditor(
  dir: string,
  options: {
    /** Instead of the address in the settings. */
    readonly coordinatorUrl: string | undefined;
    readonly nowMs: () => number;
    readonly logger?: Logger;
  },
): Promise<RunningProcess> {
  const { coordinatorUrl, nowMs } = options;
  const config = loadConfig(dir);
  const paths = auditorPaths(dir);
  const key = loadSigningKey(paths.signingKey);
  let signed: unknown;
  try {
    signed = JSON.parse(readFileSync(paths.manifest, 'utf8'));
  } catch {
    throw new ConcordatError(
      'manifest-missing',
      `${paths.manifest} cannot be read; put the signed federation manifest there`,
    );
  }
  const manifest = openSignedManifest(signed, config.coordinator.publicKey, verifySignature);
  if (manifest.auditor.publicKey !== key.publicKey) {
    throw new ConcordatError(
      'wrong-key',
      'the manifest names another key for the auditor than the one in its folder',
    );
  }
  const box = loadBoxKey(paths.boxKey);
  if (manifest.auditor.boxKey !== box.publicKey) {
    throw new ConcordatError(
      'wrong-key',
      'the manifest names another box key for the auditor than the one in its folder',
    );
  }
  const logger = options.logger ?? createLogger(config.id);
  const origin = logOrigin(manifest.federation, config.id);
  const signer: NoteSigner = {
    name: origin,
    publicKey: key.publicKeyBytes,
    sign: (message) => key.sign(message),
  };
  const journal = await openJournal({ dir: paths.log, origin, signer, clock: nowMs });
  let witness: Witness | undefined;
  let stopLoop: (() => Promise<void>) | undefined;
  let stopHolding: (() => Promise<void>) | undefined;
  try {
    const at = new Date(nowMs()).toISOString();
    await journal.append(
      encodeEntry({ kind: 'started', at, actor: config.id, process: 'auditor', version: VERSION }),
    );
    const opened = await openWitness({
      dir: paths.witnessed,
      logKeys: logVerifierKeys(manifest),
      signer,
      clock: nowMs,
    });
    witness = opened;
    const url = coordinatorUrl ?? config.coordinator.url;
    const client = new SignedClient({
      url,
      id: config.id,
      key,
      server: () => manifest.coordinator.publicKey,
      verify: verifySignature,
      nowMs,
    });
    const relay = relayOver(client);
    const log = new WitnessedLog({
      journal,
      origin,
      logKeys: [logVerifierKey(manifest, config.id)],
      witnesses: witnessVerifierKeys(manifest, config.id),
      quorum: manifest.quorum,
      send: relay.send,
      onNote: (note) => {
        // shown again with the next note, when the coordinator is away
        client
          .send('POST', '/v1/checkpoints', canonicalBytes({ origin, note }), 'application/json')
          .catch(() => undefined);
      },
    });
    stopLoop = startWitnessLoop({
      relay,
      federation: manifest.federation,
      log,
      witness: opened,
      logger,
    });
    stopHolding = await startKeyHolding(
      { id: config.id, manifest: () => manifest, box, journal, client, logger, nowMs },
      paths.linkage,
    );
    const app = await createHttpApp(appModule(opened, manifest, paths.log), logger);
    const metrics = new Metrics(config.id);
    metrics.gauge('concordat_log_entries', 'Size of the own log', () => Number(journal.size));
    metrics.gaugeBy(
      'concordat_witnessed_log_entries',
      'Size of each log at its newest cosigned checkpoint',
      ['origin'],
      async () =>
        [...logVerifierKeys(manifest).keys()].flatMap((name) => {
          const latest = opened.latest(name);
          return latest ? [{ labels: { origin: name }, value: Number(latest.size) }] : [];
        }),
    );
    serveOperations(app, {
      metrics,
      ready: {
        log: () => (journal.size > 0n ? undefined : 'log-unavailable'),
        manifest: () => undefined,
      },
    });
    const bound = await listen(app, config.listen.host, config.listen.port);
    return {
      url: bound,
      stop: async () => {
        await stopHolding?.();
        await stopLoop?.();
        await app.close();
        await opened.close();
        // leaves nothing unsigned behind, unless the other witnesses were never heard
        await log.checkpoint();
        await journal.close();
      },
    };
  } catch (error) {
    await stopHolding?.();
    await stopLoop?.();
    await witness?.close();
    await journal.close();
    throw error;
  }
}
