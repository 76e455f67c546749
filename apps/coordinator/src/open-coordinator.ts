import { ConcordatError } from '#libs/bytes';
import { VERSION } from '#libs/host';
import { openBlobs, openJournal } from '#libs/journal';
import { loadBoxKey, loadSigningKey, noteSigner, turnableKey } from '#libs/keystore';
import { createLogger, type Logger } from '#libs/nest-kit';
import { allLogKeys, logOrigin } from '#libs/protocol';
import { encodeEntry } from '#libs/tlog';
import { coordinatorPaths, loadConfig } from './config.js';
import type { Coordinator } from './coordinator.js';
import { assertDemoStaysHere } from './federation/demo-identity.js';
import { Federation } from './federation/federation.js';

/** Opens a coordinator's folder: settings, key, pinned manifest, log. Whatever is missing or wrong stops the start. */
export async function openCoordinator(
  dir: string,
  options: {
    readonly port?: number;
    readonly nowMs: () => number;
    readonly logger?: Logger;
    /** Who opens it, for the log: the server unless given. */
    readonly process?: 'cli' | 'coordinator';
  },
): Promise<Coordinator> {
  const paths = coordinatorPaths(dir);
  const loaded = loadConfig(dir);
  const config =
    options.port === undefined
      ? loaded
      : { ...loaded, listen: { ...loaded.listen, port: options.port } };
  const key = turnableKey(loadSigningKey(paths.signingKey));
  const federation = Federation.open(paths.manifest, paths.domains, key.publicKey);
  const { coordinator: own, formerKeys, identityProvider } = federation.manifest;
  assertDemoStaysHere(config, identityProvider);
  const known = [own, ...formerKeys.filter(({ id }) => id === own.id)];
  if (config.publicKey !== undefined && !known.some((one) => one.publicKey === config.publicKey)) {
    throw new ConcordatError(
      'wrong-key',
      'config.yaml names a public key that never was the one of this coordinator',
    );
  }
  const box = loadBoxKey(paths.boxKey);
  if (federation.manifest.coordinator.boxKey !== box.publicKey) {
    throw new ConcordatError(
      'wrong-key',
      'the manifest names another box key for the coordinator than the one in its folder',
    );
  }
  const origin = logOrigin(federation.manifest.federation, config.id);
  const journal = await openJournal({
    dir: paths.log,
    origin,
    signer: noteSigner(origin, key),
    formerKeys: allLogKeys(federation.manifest, config.id),
    clock: options.nowMs,
  });
  const coordinator: Coordinator = {
    config,
    key,
    box,
    federation,
    journal,
    blobs: await openBlobs({ dir: paths.blobs }),
    roundBlobs: await openBlobs({ dir: paths.rounds }),
    logger: options.logger ?? createLogger(config.id),
    nowMs: options.nowMs,
    append: (entry) => journal.append(encodeEntry(entry)),
    close: () => journal.close(),
  };
  await coordinator.append({
    kind: 'started',
    at: new Date(options.nowMs()).toISOString(),
    actor: config.id,
    process: options.process ?? 'coordinator',
    version: `concordat ${VERSION}`,
  });
  return coordinator;
}
