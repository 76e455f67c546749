/** What every process's folder is examined for, whatever the process: its disk, its log and its clock. */
import { allLogKeys, logOrigin, type Manifest } from '#libs/protocol';
import { decodeEntry, type Entry } from '#libs/tlog';
import { checkClock } from './clock.js';
import type { Examination } from './command.js';
import { checkDisk, checkSync } from './disk.js';
import type { Check } from './finding.js';
import { checkLog } from './log.js';

export interface FolderOptions extends Examination {
  /** The process's folder, and its log's within it. */
  readonly dir: string;
  readonly logDir: string;
  /** Whose log it is: the process `id` of this manifest; what this throws is the finding of `log`. */
  readonly owner: () => { readonly manifest: Manifest; readonly id: string };
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
    [
      'log',
      () => {
        const { manifest, id } = owner();
        const origin = logOrigin(manifest.federation, id);
        const verifierKeys = allLogKeys(manifest, id);
        return checkLog({ dir: logDir, full, origin, verifierKeys, onEntry: remember });
      },
    ],
    ['clock', () => checkClock({ nowMs, dirs: [dir, logDir], newestEntryAt, url: url() })],
  ];
}
