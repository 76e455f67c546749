import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { createSigningKey } from '#libs/keystore';
import { type CoordinatorConfig, coordinatorPaths } from './config.js';

/** Makes a coordinator's folder: key and settings. Returns the public key that agencies pin. Throws `key-exists`. */
export async function initCoordinator(dir: string, config: CoordinatorConfig): Promise<string> {
  const paths = coordinatorPaths(dir);
  await mkdir(dirname(paths.signingKey), { recursive: true, mode: 0o700 });
  await mkdir(paths.domains, { recursive: true });
  const key = createSigningKey(paths.signingKey);
  await writeFile(paths.config, stringify(config), { flag: 'wx' });
  return key.publicKey;
}
