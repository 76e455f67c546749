/** Blobs beside a log: every file must hash to its name, and every hash that the log names must be there. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const HASH = /^[0-9a-f]{64}$/;

export interface StoredBlobs {
  /** Names of all files whose bytes hash to their name. */
  readonly whole: ReadonlySet<string>;
  /** Path below the folder of every file that does not. */
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
  const whole = new Set<string>();
  const damaged: string[] = [];
  for (const name of names.sort()) {
    const hash = name.split(/[/\\]/).at(-1) ?? '';
    if (!HASH.test(hash)) continue;
    const found = await sha256OfFile(join(dir, name)).catch(() => undefined);
    if (found === hash) whole.add(hash);
    else damaged.push(name);
    onProgress(whole.size + damaged.length);
  }
  return { whole, damaged };
}
