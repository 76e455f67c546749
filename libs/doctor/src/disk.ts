/** What the log needs of its disk: room, and an fsync that takes place. */
import { randomBytes } from 'node:crypto';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finding, fail, ok, warn } from './finding.js';

const MIB = 2 ** 20;
/** A log grows by about 2 KB an answer and a release by megabytes: below the one nothing is safe, below the other soon. */
const LEAST_FREE_BYTES = 256 * MIB;
const COMFORTABLE_BYTES = 2048 * MIB;

/** Free space for a user without privileges, of the file system that holds `dir`. */
export async function checkDisk(dir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  const says = `${Math.floor(free / MIB)} MiB free`;
  if (free < LEAST_FREE_BYTES)
    return fail('disk', says, 'free at least 256 MiB: with a full disk nothing is answered');
  if (free < COMFORTABLE_BYTES) return warn('disk', says, 'make room: 2 GiB is comfortable');
  return ok('disk', says);
}

const ROUNDS = 9;
const BLOCK_BYTES = 4096;
const SLOW_MS = 250;
/** Less than a RAM disk takes: the call does nothing. */
const NOTHING_MS = 0.001;

/** Writes and syncs blocks in `dir` and measures the median; the file is removed again. */
export async function checkSync(dir: string): Promise<Finding> {
  const path = join(dir, `doctor-${process.pid}.tmp`);
  const took: number[] = [];
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await file.write(randomBytes(BLOCK_BYTES), 0, BLOCK_BYTES, round * BLOCK_BYTES);
        const started = performance.now();
        await file.datasync();
        took.push(performance.now() - started);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return fail(
      'fsync',
      `writing and syncing a file failed (${code})`,
      'make the disk writable and give it room; until then every question is refused',
    );
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
  const median = took.sort((a, b) => a - b)[ROUNDS >> 1] as number;
  const says = `works, ${median.toFixed(2)} ms median of ${ROUNDS}`;
  if (median > SLOW_MS) return warn('fsync', says, 'use a faster disk: every answer waits for it');
  if (median < NOTHING_MS)
    return warn('fsync', says, 'this is too fast to be true: check the file system options');
  return ok('fsync', says);
}
