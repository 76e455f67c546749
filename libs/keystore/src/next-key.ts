import { existsSync, renameSync } from 'node:fs';
import { createSigningKey, loadSigningKey, type SigningKey } from './signing-key.js';

/** Where the key waits that follows the one at `path`. */
export const nextPath = (path: string): string => path.replace(/\.pem$/, '.next.pem');

/** Whether a key waits to follow the one at `path`. */
export const waitsAt = (path: string): boolean => existsSync(nextPath(path));

/** The key that is to follow the one at `path`; made when there is none yet, so that a rotation which was interrupted goes on. */
export const prepareNextKey = (path: string): SigningKey =>
  waitingNextKey(path) ?? createSigningKey(nextPath(path));

/** The key of a rotation that was begun; undefined when none was. Throws as `loadSigningKey` does. */
export const waitingNextKey = (path: string): SigningKey | undefined =>
  waitsAt(path) ? loadSigningKey(nextPath(path)) : undefined;

/** Puts the next key in the place of the one at `path`, which is gone then. */
export const installNextKey = (path: string): void => renameSync(nextPath(path), path);
