/** A federation folder that is being made: what an interrupted run left half made is known as such, and made anew. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { replaceFileSync } from '#libs/host';
import { Name } from '#libs/protocol';

/** Names the folders that a run is making; gone when all of them are made. */
const MARKER = 'unfinished.json';

/**
 * Says in `dir` that `folders` below it are being made, after removing what an earlier run did not finish: nobody has been asked anything with those
 * keys. Throws `dir-not-empty` where a folder of that name is there that no run of ours was making.
 */
export function beginFolders(dir: string, folders: readonly string[]): void {
  const marker = join(dir, MARKER);
  if (existsSync(marker)) {
    for (const name of readMarker(marker))
      rmSync(join(dir, name), { recursive: true, force: true });
  }
  const taken = folders.find((name) => existsSync(join(dir, name)));
  if (taken !== undefined) {
    throw new ConcordatError(
      'dir-not-empty',
      `${join(dir, taken)} is there already and is no folder of a federation; give another --dir`,
    );
  }
  replaceFileSync(marker, JSON.stringify(folders));
}

function readMarker(marker: string): readonly string[] {
  try {
    return z.array(Name).parse(JSON.parse(readFileSync(marker, 'utf8')));
  } catch {
    throw new ConcordatError(
      'dir-not-empty',
      `${marker} is of no run of concordat start; give another --dir`,
    );
  }
}

export const finishFolders = (dir: string): void => rmSync(join(dir, MARKER), { force: true });
