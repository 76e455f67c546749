/**
 * Files that survive a power cut. A file's bytes are durable after its own fsync, its name only after its directory's: so
 * data first, then the name, then the directory, from the innermost outwards.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Suffix of files still being written; whoever finds one after a crash may delete it. */
export const TEMPORARY = '.tmp';

export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates `dir` and its parents, each durable in its own parent. */
export async function makeDirectory(dir: string): Promise<void> {
  const first = await mkdir(dir, { recursive: true });
  if (first === undefined) return;
  for (let created = dir; created.length >= first.length; created = dirname(created)) {
    await syncDirectory(dirname(created));
  }
}

/**
 * Puts `bytes` at `path` at once or not at all, whatever stood there before. Without `durable` a power cut may leave an
 * older file or none, which suits what can be built again.
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array | string,
  { durable = true }: { readonly durable?: boolean } = {},
): Promise<void> {
  const dir = dirname(path);
  await makeDirectory(dir);
  // threads share a process id, and processes of several containers may share the folder
  const temporary = join(dir, `${randomBytes(8).toString('hex')}${TEMPORARY}`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(bytes);
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (durable) await syncDirectory(dir);
}

/** True for an error of the file system with one of these codes (`ENOENT`, ...). */
export const hasErrno = (error: unknown, ...codes: readonly string[]): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && codes.includes(`${error.code}`);
