import { existsSync } from 'node:fs';
import { ConcordatError } from '#libs/bytes';
import { PinnedManifest } from '#libs/keystore';
import { fetchManifest } from '#libs/nest-kit';
import type { ManifestStep } from '#libs/protocol';
import { coordinatorOf, loadConfig, nodePaths } from './config.js';
import type { Node } from './node.js';
import { finishTurn } from './turn-key.js';

/**
 * Fetches the manifest for a folder that has none yet, as after `node enrol`, and keeps it once it names this agency. Throws `not-enrolled`,
 * `unreachable`, and what `PinnedManifest.create` throws for one that the pinned key does not vouch for.
 */
export async function ensureManifest(dir: string, coordinatorUrl?: string): Promise<void> {
  const paths = nodePaths(dir);
  if (existsSync(paths.manifest)) return;
  const config = loadConfig(dir);
  const { url, publicKey } = coordinatorOf(config);
  const document = await fetchManifest(coordinatorUrl ?? url);
  const { manifest } = PinnedManifest.read(document, publicKey);
  if (!manifest.agencies.some(({ id }) => id === config.agency)) {
    throw new ConcordatError(
      'not-enrolled',
      "the coordinator's operator has not confirmed this node yet; read the words to each other, then try again",
    );
  }
  PinnedManifest.create(paths.manifest, document, publicKey);
}

/** Makes the next manifest the one in force here. Throws what `PinnedManifest.extend` and `finishTurn` throw. */
export async function takeManifest(
  step: ManifestStep,
  node: Node,
  paths: ReturnType<typeof nodePaths>,
): Promise<void> {
  const manifest = node.pinned.extend(step);
  node.logger.info({ serial: manifest.serial, change: manifest.change.kind }, 'new manifest');
  if (manifest.agencies.some(({ id }) => id === node.config.agency)) {
    await finishTurn(node, paths);
  } else {
    node.logger.error({ code: 'revoked' }, 'the federation has revoked this agency');
  }
}
