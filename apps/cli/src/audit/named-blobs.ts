/** Blobs that a log names by hash, wherever they are kept: in a folder (`stored-blobs.ts`) or at an address (`published-blobs.ts`). */

/** A blob whose bytes hash to its name; one that is not there; one that the keeper itself reports as a fault. */
export type BlobState = 'whole' | 'missing' | 'damaged';

export interface NamedBlobs {
  /** Reads the blob, or only looks that it was read already. */
  look(hash: string): Promise<BlobState>;
  /** The bytes of a document; undefined unless it is whole. */
  read(hash: string): Promise<Uint8Array | undefined>;
}

/** What an audit did not look at, and why; it is part of the report, so that nothing passes in silence. */
export interface Unchecked {
  readonly what: string;
  readonly count: number;
  readonly why: string;
}
