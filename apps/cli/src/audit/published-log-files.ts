/** The files of a published log, each no larger than C2SP tlog-tiles lets it be. */
import { isConcordatError } from '#libs/bytes';
import { HASH_BYTES, TILE_WIDTH } from '#libs/tlog';
import type { AuditFault } from './process-folder.js';
import { type FetchLimits, readPublished } from './published-files.js';

/** A note with the cosignatures of hundreds of witnesses. */
const MAX_NOTE_BYTES = 1 << 20;
/** Entries of a bundle have a length of 16 bits. */
const MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + 0xffff);
const MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES;

const maxBytes = (path: string): number => {
  if (path.startsWith('tile/entries/')) return MAX_BUNDLE_BYTES;
  return path.startsWith('tile/') ? MAX_TILE_BYTES : MAX_NOTE_BYTES;
};

export class PublishedLogFiles {
  /** Files that were too large to be any of a log's; they count as missing. */
  readonly faults: AuditFault[] = [];

  constructor(
    private readonly prefix: URL,
    private readonly limits?: FetchLimits,
  ) {}

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await readPublished(new URL(path, this.prefix), maxBytes(path), this.limits);
    } catch (error) {
      if (!isConcordatError(error, 'file-too-large')) throw error;
      this.faults.push({ at: path, kind: 'file-too-large' });
      return undefined;
    }
  }
}
