/** Where a log is read from: a directory, or wherever its files are published. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '#libs/host';

/** Bytes of the file at a path below the log's prefix; undefined when there is none. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

export const readFromDirectory =
  (dir: string): ReadFile =>
  async (path) => {
    try {
      return await readFile(join(dir, path));
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
      throw error;
    }
  };

/** Widths of the partial files of a tile that stand in a directory. */
export async function partialWidths(dir: string, fullPath: string): Promise<number[]> {
  const names = await readdir(join(dir, `${fullPath}.p`)).catch(() => []);
  return names.filter((name) => /^[1-9]\d{0,2}$/.test(name)).map(Number);
}
