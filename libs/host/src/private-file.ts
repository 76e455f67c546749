/** Files with secrets in them: only their owner can read them, and they are overwritten before they are removed. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { ConcordatError } from '#libs/bytes';
import { hasErrno } from './durable-file.js';

const OWNER_ONLY = 0o600;

/** Writes a new file that only its owner can read, durably. An existing file is never overwritten (`key-exists`). */
export function writePrivateFile(path: string, content: Uint8Array): void {
  let file: number;
  try {
    file = openSync(path, 'wx', OWNER_ONLY);
  } catch (cause) {
    if (!hasErrno(cause, 'EEXIST')) throw cause;
    throw new ConcordatError('key-exists', `${path} exists already and is not overwritten`);
  }
  try {
    writeFileSync(file, content);
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
    if (!hasErrno(cause, 'ENOENT')) throw cause;
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

/** Overwrites a file with zeros, then removes it; a missing one is gone already. What a disk keeps of overwritten blocks is the disk's. */
export function eraseFile(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'r+');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    throw error;
  }
  try {
    writeSync(file, new Uint8Array(fstatSync(file).size), 0, undefined, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  rmSync(path, { force: true });
}
