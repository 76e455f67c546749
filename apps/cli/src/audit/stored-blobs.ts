/** Blobs in a folder: every file must hash to its name, whether the log names it or not. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BlobState, NamedBlobs } from './named-blobs.js';

const HASH = /^[0-9a-f]{64}$/;

export interface StoredBlobs extends NamedBlobs {
  /** Path below the folder of every file that does not hash to its name. */
  readonly damaged: readonly string[];
}

const sha256OfFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
};

/** Hashes every blob below `dir` (none when it is missing), a file at a time. Files that are not named by a hash are no blobs. */
export async function hashBlobs(
  dir: string,
  onProgress: (files: number) => void = () => {},
): Promise<StoredBlobs> {
  const names = await readdir(dir, { recursive: true }).catch(() => []);
  const states = new Map<string, BlobState>();
  const damaged: string[] = [];
  for (const name of names.sort()) {
    const hash = name.split(/[/\\]/).at(-1) ?? '';
    if (!HASH.test(hash)) continue;
    const found = await sha256OfFile(join(dir, name)).catch(() => undefined);
    if (found !== hash) damaged.push(name);
    states.set(hash, found === hash ? 'whole' : 'damaged');
    onProgress(states.size);
  }
  const look = async (hash: string): Promise<BlobState> => states.get(hash) ?? 'missing';
  return {
    damaged,
    look,
    async read(hash) {
      if ((await look(hash)) !== 'whole') return undefined;
      return readFile(join(dir, hash.slice(0, 2), hash));
    },
  };
}
