import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Finding, fail, ok, warn } from './finding.js';

/**
 * What to say when a manifest names other keys for a process than its folder holds; undefined when they fit. `who` is the process as a
 * person reads it, such as `the auditor`; `todo` is for another signing key.
 */
export function checkNamedKeys(
  who: string,
  standing: 'fit' | 'turning' | 'other-box-key' | 'other-key',
  todo: string,
): Finding | undefined {
  if (standing === 'other-key') return fail('manifest', `names another key for ${who}`, todo);
  if (standing === 'other-box-key')
    return fail('manifest', `names another box key for ${who}`, 'restore keys/box.pem');
  if (standing === 'turning')
    return warn('manifest', 'names the next keys, which wait in keys/', 'start it: it goes on');
  return undefined;
}

/** Private files must be regular files of mode 0600 in folders that only their owner can change. */
export function checkPrivateFiles(paths: readonly string[]): Finding {
  for (const path of paths) {
    const file = lstatSync(path, { throwIfNoEntry: false });
    if (!file) return fail('keys', `${path} is missing`, 'restore it, or enrol this process anew');
    if (!file.isFile())
      return fail('keys', `${path} is not a regular file`, 'put the key itself there');
    const mode = file.mode & 0o777;
    if ((mode & 0o077) !== 0) {
      const shown = mode.toString(8).padStart(4, '0');
      return fail('keys', `${path} has mode ${shown}: others may use it`, `run: chmod 600 ${path}`);
    }
    const folder = dirname(path);
    if ((lstatSync(folder).mode & 0o022) !== 0)
      return fail('keys', `others may change ${folder}`, `run: chmod 700 ${folder}`);
  }
  return ok('keys', `${paths.length} private ${paths.length === 1 ? 'file' : 'files'}, mode 0600`);
}
