import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root.js';

const readVersion = (): string => {
  const text = readFileSync(join(packageRoot(import.meta.url), 'package.json'), 'utf8');
  return String((JSON.parse(text) as { readonly version: unknown }).version);
};

/** Version of this software, from its package. */
export const VERSION = readVersion();
