/** What every process's folder is examined for, whatever the process: its disk, its log and its clock. */
import { decodeEntry, type Entry } from '#libs/tlog';
import { checkClock } from './clock.js';
import { checkDisk, checkSync } from './disk.js';
import type { Check } from './finding.js';
import { checkLog, type LogOptions } from './log.js';

export interface FolderOptions {
  /** The process's folder, and its log's within it. */
  readonly dir: string;
  readonly logDir: string;
  readonly nowMs: () => number;
  /** Verifies the whole log, not only its end. */
  readonly full: boolean;
  /** Whose log it is; what this throws is the finding of `log`. */
  readonly owner: () => Pick<LogOptions, 'origin' | 'verifierKeys'>;
  /** Of another process, whose clock is compared; undefined for none. */
  readonly url: () => string | undefined;
  /** Sees every entry of the log in order. */
  readonly onEntry?: (index: bigint, entry: Entry) => void;
}

/** The checks `disk`, `fsync`, `log` and `clock`, in this order: the clock is compared with what the log was found to hold. */
export function folderChecks(options: FolderOptions): readonly Check[] {
  const { dir, logDir, nowMs, full, owner, url, onEntry } = options;
  let newestEntryAt: string | undefined;
  const remember = (index: bigint, bytes: Uint8Array): void => {
    const entry = decodeEntry(bytes);
    onEntry?.(index, entry);
    newestEntryAt = entry.at;
  };
  return [
    ['disk', () => checkDisk(dir)],
    ['fsync', () => checkSync(dir)],
    ['log', () => checkLog({ dir: logDir, full, ...owner(), onEntry: remember })],
    ['clock', () => checkClock({ nowMs, dirs: [dir, logDir], newestEntryAt, url: url() })],
  ];
}
