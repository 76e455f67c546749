import { readFileSync } from 'node:fs';
import { ConcordatError } from '#libs/bytes';
import { openJournal } from '#libs/journal';
import { loadSigningKey, verifySignature } from '#libs/keystore';
import {
  createHttpApp,
  createLogger,
  type Logger,
  listen,
  type RunningProcess,
  SignedClient,
} from '#libs/nest-kit';
import { logOrigin, Manifest, openEnvelope } from '#libs/protocol';
import { encodeEntry } from '#libs/tlog';
import { appModule } from './app.module.js';
import { auditorPaths, loadConfig } from './config.js';
import { VERSION } from './version.js';
import { Witness } from './witness.js';
import { startWitnessLoop } from './witness-loop.js';

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
  const manifest = openEnvelope(
    'manifest',
    Manifest,
    signed,
    config.coordinator.publicKey,
    verifySignature,
  );
  if (manifest.auditor.publicKey !== key.publicKey) {
    throw new ConcordatError(
      'wrong-key',
      'the manifest names another key for the auditor than the one in its folder',
    );
  }
  const logger = options.logger ?? createLogger(config.id);
  const origin = logOrigin(manifest.federation, config.id);
  const journal = await openJournal({
    dir: paths.log,
    origin,
    signer: { name: origin, publicKey: key.publicKeyBytes, sign: (message) => key.sign(message) },
    clock: nowMs,
  });
  try {
    const at = new Date(nowMs()).toISOString();
    await journal.append(
      encodeEntry({ kind: 'started', at, actor: config.id, process: 'auditor', version: VERSION }),
    );
    const witness = await Witness.open(paths.witnessed, manifest);
    const stopLoop = startWitnessLoop({
      witness,
      client: new SignedClient(coordinatorUrl ?? config.coordinator.url, config.id, key, nowMs),
      journal,
      origin,
      pollMs: config.pollSeconds * 1000,
      logger,
    });
    const app = await createHttpApp(appModule(witness), logger);
    const url = await listen(app, config.listen.host, config.listen.port);
    return {
      url,
      stop: async () => {
        await stopLoop();
        await app.close();
        await journal.close();
      },
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}
