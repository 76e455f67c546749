import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { makeFolders } from '#libs/host';
import { createBoxKey, createSigningKey } from '#libs/keystore';
import { type AuditorConfig, auditorPaths } from './config.js';

/** Makes an auditor's folder: keys and settings. Returns the public keys that the federation enrols. Throws `key-exists`. */
export async function initAuditor(
  dir: string,
  config: AuditorConfig,
): Promise<{ readonly publicKey: string; readonly boxKey: string }> {
  const paths = auditorPaths(dir);
  makeFolders(dirname(paths.signingKey), { mode: 0o700 });
  const { publicKey } = createSigningKey(paths.signingKey);
  const { publicKey: boxKey } = createBoxKey(paths.boxKey);
  await writeFile(paths.config, stringify(config), { flag: 'wx' });
  return { publicKey, boxKey };
}
