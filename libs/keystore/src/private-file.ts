import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { ConcordatError } from '#libs/bytes';

const OWNER_ONLY = 0o600;

/** Writes a new file that only its owner can read, durably. An existing file is never overwritten (`key-exists`). */
export function writePrivateFile(path: string, content: Uint8Array): void {
  let file: number;
  try {
    file = openSync(path, 'wx', OWNER_ONLY);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new ConcordatError('key-exists', `${path} exists already and is not overwritten`);
  }
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Reads such a file; one that others can read is refused (`key-exposed`), a missing one is `key-missing`. */
export function readPrivateFile(path: string): Uint8Array {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new ConcordatError(
      'key-missing',
      `${path} is missing; create it with the init command of this process`,
    );
  }
  try {
    if ((fstatSync(file).mode & 0o077) !== 0) {
      throw new ConcordatError('key-exposed', `others may read ${path}; run: chmod 600 ${path}`);
    }
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
