/**
 * Files that survive a power cut. A file's bytes are durable after its own fsync, its name only after its directory's: so
 * data first, then the name, then the directory, from the innermost outwards.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolders } from './folder.js';

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
  for (const made of makeFolders(dir).toReversed()) await syncDirectory(dirname(made));
}

export interface ReplaceOptions {
  /** Without it a power cut may leave an older file or none, which suits what can be built again. */
  readonly durable?: boolean;
  /** Of the new file, less the process's umask. */
  readonly mode?: number;
}

/**
 * Puts `bytes` at `path` at once or not at all, whatever stood there before; its directory is made where it is missing. Any number of
 * writers may do so at a time: one of them is the last.
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array | string,
  { durable = true, mode = 0o666 }: ReplaceOptions = {},
): Promise<void> {
  const dir = dirname(path);
  await makeDirectory(dir);
  // threads share a process id, and processes of several containers may share the folder
  const temporary = join(dir, `${randomBytes(8).toString('hex')}${TEMPORARY}`);
  try {
    const handle = await open(temporary, 'wx', mode);
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

/** The same in one step of the event loop, for one writer of `path` at a time, in a directory that exists. */
export function replaceFileSync(
  path: string,
  bytes: Uint8Array | string,
  { durable = true, mode = 0o666 }: ReplaceOptions = {},
): void {
  const temporary = `${path}${TEMPORARY}`;
  // what a crash left would keep its mode
  rmSync(temporary, { force: true });
  withOpen(openSync(temporary, 'wx', mode), (file) => {
    writeFileSync(file, bytes);
    if (durable) fsyncSync(file);
  });
  renameSync(temporary, path);
  if (durable) withOpen(openSync(dirname(path), 'r'), fsyncSync);
}

function withOpen(file: number, run: (file: number) => void): void {
  try {
    run(file);
  } finally {
    closeSync(file);
  }
}

/** True for an error of the file system with one of these codes (`ENOENT`, ...). */
export const hasErrno = (error: unknown, ...codes: readonly string[]): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && codes.includes(`${error.code}`);
