import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { makeFolders } from '#libs/host';
import { createBoxKey, createSigningKey } from '#libs/keystore';
import { type CoordinatorConfig, coordinatorPaths } from './config.js';

/** Makes a coordinator's folder: keys and settings. Returns the public keys; agencies pin the first. Throws `key-exists`. */
export async function initCoordinator(
  dir: string,
  config: CoordinatorConfig,
): Promise<{ readonly publicKey: string; readonly boxKey: string }> {
  const paths = coordinatorPaths(dir);
  makeFolders(dirname(paths.signingKey), { mode: 0o700 });
  makeFolders(paths.domains);
  const { publicKey } = createSigningKey(paths.signingKey);
  const { publicKey: boxKey } = createBoxKey(paths.boxKey);
  await writeFile(paths.config, stringify({ ...config, publicKey }), { flag: 'wx' });
  return { publicKey, boxKey };
}
