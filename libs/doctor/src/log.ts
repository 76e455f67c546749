/** Whether a process's log is whole: its end by default, all of it on request. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError, equalBytes } from '#libs/bytes';
import { verifyEd25519ByNode } from '#libs/host';
import { readJournal, verifyJournal } from '#libs/journal';
import { leafHash, openCheckpoint, rootOfPrefix, tileHashReader, tilePath } from '#libs/tlog';
import { type Finding, fail, ok } from './finding.js';

/** How many of the newest entries the quick check hashes. */
const RECENT = 512;
const TODO =
  'run concordat audit on this folder, restore the log from a copy, and start nothing until then';

export interface LogOptions {
  readonly dir: string;
  readonly origin: string;
  /** Of every key that ever signed this log: older checkpoints bear those it had before. */
  readonly verifierKeys: readonly string[];
  readonly full: boolean;
  /** Sees every entry of the record file in order, also those that no checkpoint signs yet. */
  readonly onEntry?: (index: bigint, bytes: Uint8Array) => void;
}

async function verifyAll({ dir, origin, verifierKeys }: LogOptions): Promise<Finding> {
  const report = await verifyJournal(dir, { verifierKeys, origin });
  const [first] = report.faults;
  if (first)
    return fail('log', `${first.kind} at ${first.at}, ${report.faults.length} faults`, TODO);
  return ok('log', `all ${report.size} entries verified, ${report.history} checkpoints consistent`);
}

/**
 * Verifies the log in `dir`. Quick: the checkpoint's signature, the root over the tiles of its right edge, and the newest entries
 * against their hashes; `full`: everything `verifyJournal` compares. Throws for a log that cannot be read at all.
 */
export async function checkLog(options: LogOptions): Promise<Finding> {
  const { dir, origin, verifierKeys, full, onEntry } = options;
  if (!existsSync(dir))
    return fail(
      'log',
      'there is none',
      'nothing before the first start, which founds it; else restore it from a copy, and start nothing until then',
    );
  const recent = new Map<bigint, Uint8Array>();
  for await (const { index, bytes } of readJournal(dir, { unsigned: true })) {
    onEntry?.(index, bytes);
    recent.set(index, bytes);
    recent.delete(index - BigInt(RECENT));
  }
  if (full) return verifyAll(options);
  const { checkpoint } = openCheckpoint(await readFile(join(dir, 'checkpoint'), 'utf8'), {
    origin,
    logKeys: verifierKeys,
    verify: verifyEd25519ByNode,
  });
  const { size, root } = checkpoint;
  const reader = tileHashReader(size, async ({ level, index, width }) => {
    // a tile that has filled since the checkpoint stands in for its partial one
    for (const path of [tilePath(level, index, width), tilePath(level, index)]) {
      const tile = await readFile(join(dir, path)).catch(() => undefined);
      if (tile) return tile;
    }
    throw new ConcordatError(
      'tile-missing',
      `${tilePath(level, index, width)} is missing; ${TODO}`,
    );
  });
  if (!equalBytes(await rootOfPrefix(size, reader), root))
    return fail('log', 'its hashes do not add up to the signed checkpoint', TODO);
  let checked = 0;
  for (const [index, bytes] of recent) {
    if (index >= size) continue;
    if (!equalBytes(await reader(0, index), leafHash(bytes)))
      return fail('log', `entry ${index} is not the one that was signed`, TODO);
    checked++;
  }
  return ok('log', `${size} entries signed; the newest ${checked} verified (--full: all)`);
}
