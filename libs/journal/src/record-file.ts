/** An append-only file of framed records, durable batch by batch; a torn tail is cut off when it is opened. */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConcordatError } from '#libs/bytes';
import { hasErrno, syncDirectory } from '#libs/host';
import { formatBatch, HEADER_BYTES, hasLaterBatch, MAX_PAYLOAD_BYTES, readFrame } from './frame.js';

const READ_BYTES = 1 << 20;

export interface Record {
  readonly payload: Uint8Array;
  /** Where its frame begins in the file. */
  readonly offset: number;
}

/** What stands after the last whole record of a scanned file. */
export interface Tail {
  /** Bytes of whole records. */
  readonly wholeBytes: number;
  /** Bytes after them, 0 for a clean file. */
  readonly tornBytes: number;
  /** True when a later batch follows the damage: no crash does that. */
  readonly isDamaged: boolean;
}

/** Yields the whole records from byte `from` up to `to`, and returns what the scan ended on. */
export async function* scanRecords(
  handle: FileHandle,
  from: number,
  to: number,
): AsyncGenerator<Record, Tail> {
  let window: Buffer = Buffer.alloc(0);
  let start = from;
  let at = 0;
  for (;;) {
    const frame = readFrame(window, at);
    if (typeof frame === 'object') {
      yield { payload: frame.payload, offset: start + at };
      at += frame.length;
      continue;
    }
    const unread = to - (start + window.length);
    if (frame === 'short' && unread > 0) {
      const rest = window.subarray(at);
      const next = Buffer.allocUnsafe(rest.length + Math.min(unread, READ_BYTES));
      next.set(rest);
      const { bytesRead } = await handle.read(
        next,
        rest.length,
        next.length - rest.length,
        start + window.length,
      );
      if (bytesRead === 0) break;
      start += at;
      at = 0;
      window = next.subarray(0, rest.length + bytesRead);
      continue;
    }
    break;
  }
  const wholeBytes = start + at;
  return {
    wholeBytes,
    tornBytes: to - wholeBytes,
    isDamaged: await damagedBefore(handle, wholeBytes, to),
  };
}

/** Looks for a later batch behind a damaged place, in overlapping windows. */
async function damagedBefore(handle: FileHandle, from: number, to: number): Promise<boolean> {
  const overlap = HEADER_BYTES + MAX_PAYLOAD_BYTES;
  for (let at = from; at < to; at += READ_BYTES) {
    const window = Buffer.alloc(Math.min(READ_BYTES + overlap, to - at));
    const { bytesRead } = await handle.read(window, 0, window.length, at);
    // a window after the first may begin with a frame: look at its first byte too
    if (hasLaterBatch(window.subarray(0, bytesRead), at === from ? 0 : -1)) return true;
  }
  return false;
}

export class RecordFile {
  readonly #handle: FileHandle;
  #durableBytes: number;
  /** Bytes past the durable ones may have been left by a write that failed. */
  #isTailDirty = false;

  private constructor(handle: FileHandle, durableBytes: number) {
    this.#handle = handle;
    this.#durableBytes = durableBytes;
  }

  /**
   * Opens or creates the file at `path`, hands every whole record to `onRecord` in order and cuts off a torn tail. Throws
   * `log-corrupt` when damage is not at the tail.
   */
  static async open(
    path: string,
    onRecord: (record: Record) => void | Promise<void>,
  ): Promise<{ readonly file: RecordFile; readonly tornBytes: number }> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o640);
    try {
      await syncDirectory(dirname(path));
      const { size } = await handle.stat();
      const scan = scanRecords(handle, 0, size);
      let step = await scan.next();
      for (; !step.done; step = await scan.next()) await onRecord(step.value);
      const { wholeBytes, tornBytes, isDamaged } = step.value;
      if (isDamaged) {
        throw new ConcordatError(
          'log-corrupt',
          `a record file is damaged at byte ${wholeBytes} with later records behind it; restore it from a copy`,
        );
      }
      if (tornBytes > 0) {
        await handle.truncate(wholeBytes);
        await handle.sync();
      }
      return { file: new RecordFile(handle, wholeBytes), tornBytes };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Bytes of durable records: where the next batch begins. */
  get durableBytes(): number {
    return this.#durableBytes;
  }

  /**
   * Appends one batch; durable when it resolves. When it rejects, with the file system's error, the file stands as before
   * and a later call starts afresh.
   */
  async append(payloads: readonly Uint8Array[]): Promise<void> {
    const batch = formatBatch(payloads);
    if (this.#isTailDirty) {
      await this.#handle.truncate(this.#durableBytes);
      this.#isTailDirty = false;
    }
    try {
      for (let done = 0; done < batch.length; ) {
        const at = this.#durableBytes + done;
        const { bytesWritten } = await this.#handle.write(batch, done, batch.length - done, at);
        done += bytesWritten;
      }
      await this.#handle.datasync();
    } catch (error) {
      this.#isTailDirty = true;
      // at once if possible, so that a crash now leaves nothing of the refused batch; else before the next one
      await this.#cut().catch(() => undefined);
      throw error;
    }
    this.#durableBytes += batch.length;
  }

  async #cut(): Promise<void> {
    await this.#handle.truncate(this.#durableBytes);
    await this.#handle.datasync();
    this.#isTailDirty = false;
  }

  /** The records from byte `from` (the beginning of a frame) up to byte `to`. */
  async *read(from: number, to: number): AsyncGenerator<Record> {
    yield* scanRecords(this.#handle, from, to);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Scans the file at `path` without touching it; undefined when there is none. For readers that hold no lock. */
export async function openForScan(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
