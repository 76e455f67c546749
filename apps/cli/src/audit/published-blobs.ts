/** Blobs that a host publishes by hash: each is fetched once, bounded, and believed only when its bytes hash to its name. */
import { createHash } from 'node:crypto';
import { isConcordatError } from '#libs/bytes';
import type { BlobState, NamedBlobs } from './named-blobs.js';
import type { AuditFault } from './process-folder.js';
import { FETCH_LIMITS, type FetchLimits, fetchFile } from './published-files.js';

/** A column of every resolution-9 cell of England and Wales in eight bytes each is 15 MB, its domain file about 40 MB. */
const MAX_BLOB_BYTES = 256 << 20;
/** Headers, receipts, policies and steps are read whole. */
const MAX_DOCUMENT_BYTES = 16 << 20;
/** A host that fails this often in a row is asked no more. */
const MAX_FAILURES = 3;

export class PublishedBlobs implements NamedBlobs {
  /** Asked for by nobody any more, since the host had failed too often. */
  unasked = 0;
  private readonly states = new Map<string, Promise<BlobState>>();
  private readonly kinds = new Map<string, string>();
  private failures = 0;
  private files = 0;
  private bytes = 0;

  constructor(
    private readonly prefix: URL,
    private readonly options: {
      readonly onProgress: (text: string) => void;
      readonly limits?: FetchLimits | undefined;
      readonly maxBlobBytes?: number | undefined;
    },
  ) {}

  get faults(): AuditFault[] {
    return [...this.kinds].map(([at, kind]) => ({ at, kind }));
  }

  look(hash: string): Promise<BlobState> {
    const known = this.states.get(hash) ?? this.fetch(hash, () => {});
    this.states.set(hash, known);
    return known;
  }

  async read(hash: string): Promise<Uint8Array | undefined> {
    const known = this.states.get(hash);
    if (known && (await known) !== 'whole') return undefined;
    const chunks: Uint8Array[] = [];
    let size = 0;
    const keep = (chunk: Uint8Array): void => {
      size += chunk.length;
      if (size <= MAX_DOCUMENT_BYTES) chunks.push(chunk);
    };
    // fetched again where it was only looked at before: what is kept is the state, not the bytes
    const state = this.fetch(hash, keep);
    this.states.set(hash, state);
    if ((await state) !== 'whole') return undefined;
    if (size <= MAX_DOCUMENT_BYTES) return Uint8Array.from(Buffer.concat(chunks));
    this.fault(hash, 'blob-too-large');
    this.states.set(hash, Promise.resolve('damaged'));
    return undefined;
  }

  private async fetch(hash: string, keep: (chunk: Uint8Array) => void): Promise<BlobState> {
    if (this.failures >= MAX_FAILURES) {
      this.unasked += 1;
      return 'damaged';
    }
    const sha256 = createHash('sha256');
    const { onProgress, limits = FETCH_LIMITS, maxBlobBytes = MAX_BLOB_BYTES } = this.options;
    const onChunk = (chunk: Uint8Array): void => {
      sha256.update(chunk);
      this.bytes += chunk.length;
      keep(chunk);
    };
    try {
      const isThere = await fetchFile(new URL(hash, this.prefix), maxBlobBytes, onChunk, limits);
      this.failures = 0;
      if (!isThere) return 'missing';
      this.files += 1;
      onProgress(`${this.files} blobs fetched, ${(this.bytes / 1e6).toFixed(1)} MB`);
      if (sha256.digest('hex') === hash) return 'whole';
      return this.fault(hash, 'blob-corrupt');
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      if (error.code === 'file-too-large') return this.fault(hash, 'blob-too-large');
      this.failures += 1;
      return this.fault(hash, error.code === 'redirected' ? 'blob-redirected' : 'blob-unreachable');
    }
  }

  private fault(hash: string, kind: string): BlobState {
    this.kinds.set(`blobs/${hash}`, kind);
    return 'damaged';
  }
}
