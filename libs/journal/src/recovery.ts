/** What a journal does before it takes entries: finding its last checkpoint, and mending what a crash left. */

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError, equalBytes } from '#libs/bytes';
import { hasErrno, replaceFile, TEMPORARY, verifyEd25519ByNode } from '#libs/host';
import {
  type Checkpoint,
  EMPTY_ROOT,
  formatVerifierKey,
  type NoteSigner,
  openCheckpoint,
  parseCheckpoint,
  parseEntryBundle,
  rootOfPrefix,
  signCheckpoint,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from '#libs/tlog';
import { CHECKPOINT, formatHistoryRecord } from './layout.js';
import type { RecordFile } from './record-file.js';
import type { TileStore } from './tile-store.js';

export interface JournalOptions {
  readonly dir: string;
  /** Name of the log, in every checkpoint. */
  readonly origin: string;
  readonly signer: NoteSigner;
  /** POSIX milliseconds; told in the lock file alone. */
  readonly clock?: () => number;
  /** Keys that signed this log's checkpoints before `signer` did, `name+id+base64`. */
  readonly formerKeys?: readonly string[];
}

/** What opening a log found and mended; every number is 0 after a clean stop. */
export interface Recovery {
  /** Bytes of a torn record cut off the end: an append that was never acknowledged. */
  readonly tornBytes: number;
  /** Entries put back from entry bundles because the record file ended before the checkpoint. */
  readonly restoredEntries: number;
  /** Whole entries after the last checkpoint, kept; the next checkpoint signs them. */
  readonly unsignedEntries: number;
}

/** Deletes files whose writing a crash cut short. */
export async function removeTemporaries(dir: string): Promise<void> {
  const tiles = await readdir(join(dir, 'tile'), { recursive: true }).catch(() => []);
  for (const name of [...(await readdir(dir)), ...tiles.map((path) => join('tile', path))]) {
    if (name.endsWith(TEMPORARY)) await rm(join(dir, name), { force: true });
  }
}

/**
 * The last checkpoint that was signed. The history is written first and holds it; a crash before the file `checkpoint` was
 * replaced, or damage to that file, is mended from there.
 */
export async function latestCheckpoint(
  { dir, origin, signer, formerKeys = [] }: JournalOptions,
  notes: readonly string[],
): Promise<{ note: string; checkpoint: Checkpoint } | undefined> {
  const policy = {
    origin,
    logKeys: [formatVerifierKey(signer), ...formerKeys],
    verify: verifyEd25519ByNode,
  };
  const path = join(dir, CHECKPOINT);
  const published = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  const note = notes.at(-1);
  if (note === undefined && published === undefined) return undefined;
  if (note === undefined || (published !== undefined && sizeOf(published) > sizeOf(note))) {
    throw new ConcordatError(
      'log-corrupt',
      'the history lacks the published checkpoint; restore the log from a copy',
    );
  }
  const { checkpoint } = openCheckpoint(note, policy);
  if (published !== note) await replaceFile(path, note);
  return { note, checkpoint };
}

/** Size a note claims, whoever signed it; -1n when it is no checkpoint. */
function sizeOf(note: string): bigint {
  try {
    return parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1)).size;
  } catch {
    return -1n;
  }
}

/** Signs and publishes the empty tree, so that a log has a checkpoint from its first moment. */
export async function foundLog(
  { dir, origin, signer }: JournalOptions,
  history: RecordFile,
): Promise<{ note: string; checkpoint: Checkpoint }> {
  const checkpoint = { origin, size: 0n, root: EMPTY_ROOT };
  const note = signCheckpoint(checkpoint, signer);
  await history.append([formatHistoryRecord(0, note)]);
  await replaceFile(join(dir, CHECKPOINT), note);
  return { note, checkpoint };
}

/** Entries `[from, to)` out of the bundles, which hold whatever a checkpoint covers. Throws `log-corrupt`. */
export async function entriesFromBundles(
  dir: string,
  from: bigint,
  to: bigint,
): Promise<Uint8Array[]> {
  const width = BigInt(TILE_WIDTH);
  const entries: Uint8Array[] = [];
  for (let bundle = from / width; bundle * width < to; bundle++) {
    const count = tileWidth('entries', bundle, to);
    let whole: Uint8Array[] | undefined;
    // a full bundle stands in for the partial one, which is deleted when it fills
    for (const path of [tilePath('entries', bundle, count), tilePath('entries', bundle)]) {
      whole ??= await readFile(join(dir, path)).then(parseEntryBundle, () => undefined);
    }
    if (!whole || whole.length < count) {
      throw new ConcordatError(
        'log-corrupt',
        'entries that a checkpoint signed are gone from the record file and from the bundles; restore a copy',
      );
    }
    const skip = from > bundle * width ? Number(from - bundle * width) : 0;
    entries.push(...whole.slice(skip, count).map((entry) => Uint8Array.from(entry)));
  }
  return entries;
}

/** Throws `log-corrupt` unless the entries hash to the checkpoint's root. */
export async function assertRoot(tiles: TileStore, { size, root }: Checkpoint): Promise<void> {
  if (equalBytes(await rootOfPrefix(size, tiles.reader()), root)) return;
  throw new ConcordatError(
    'log-corrupt',
    'the entries do not hash to the signed root; find the place with concordat audit and restore a copy',
  );
}
