import { copyFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { makeFolders } from '#libs/host';
import { createBoxKey, createSecret, createSigningKey } from '#libs/keystore';
import { type NodeConfig, nodePaths } from './config.js';
import { loadMappings, readMapping } from './mappings.js';
import { signPolicies } from './signed-policy.js';

/** Files that a node's folder starts from; for the policy and the area, texts as well. */
export interface NodeSources {
  readonly policy: string | { readonly text: string };
  readonly federationPolicy: string;
  readonly domain: string | { readonly bytes: Uint8Array };
  /** A mapping of its own; the settings then name it. */
  readonly mapping?: string;
}

/**
 * Makes a node's folder: keys, settings, domain, and the policy signed by the new key. Returns the public keys that the federation
 * enrols. An existing key is never overwritten (`key-exists`); a mapping that is not there or wrong is found before anything is made
 * (`unknown-mapping`, `bad-mapping`).
 */
export async function initNode(
  dir: string,
  config: NodeConfig,
  sources: NodeSources,
): Promise<{ readonly publicKey: string; readonly boxKey: string }> {
  const paths = nodePaths(dir);
  const own = sources.mapping === undefined ? undefined : readMapping(sources.mapping);
  const mapping = own?.mapping ?? config.dataset.mapping;
  if (own === undefined) loadMappings(mapping, paths.mappings);
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
  if (sources.mapping !== undefined) {
    makeFolders(paths.mappings);
    await copyFile(sources.mapping, join(paths.mappings, `${mapping}.yaml`));
  }
  const settings: NodeConfig = { ...config, dataset: { ...config.dataset, mapping } };
  await writeFile(paths.config, stringify(settings), { flag: 'wx' });
  return { publicKey: key.publicKey, boxKey };
}
