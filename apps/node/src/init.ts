import { copyFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { makeFolders } from '#libs/host';
import { createBoxKey, createSecret, createSigningKey } from '#libs/keystore';
import { type NodeConfig, nodePaths } from './config.js';
import { signPolicies } from './signed-policy.js';

/** Files that a node's folder starts from; for the policy and the area, texts as well. */
export interface NodeSources {
  readonly policy: string | { readonly text: string };
  readonly federationPolicy: string;
  readonly domain: string | { readonly bytes: Uint8Array };
}

/**
 * Makes a node's folder: keys, settings, domain, and the policy signed by the new key. Returns the public keys that the federation
 * enrols. An existing key is never overwritten (`key-exists`).
 */
export async function initNode(
  dir: string,
  config: NodeConfig,
  sources: NodeSources,
): Promise<{ readonly publicKey: string; readonly boxKey: string }> {
  const paths = nodePaths(dir);
  makeFolders(dirname(paths.signingKey), { mode: 0o700 });
  const key = createSigningKey(paths.signingKey);
  const { publicKey: boxKey } = createBoxKey(paths.boxKey);
  createSecret(paths.recordSecret);
  if (typeof sources.policy === 'string') await copyFile(sources.policy, paths.policy);
  else await writeFile(paths.policy, sources.policy.text, { flag: 'wx' });
  await copyFile(sources.federationPolicy, paths.federationPolicy);
  if (typeof sources.domain === 'string') await copyFile(sources.domain, paths.domain);
  else await writeFile(paths.domain, sources.domain.bytes, { flag: 'wx' });
  signPolicies(paths, config.agency, key);
  await writeFile(paths.config, stringify(config), { flag: 'wx' });
  return { publicKey: key.publicKey, boxKey };
}
