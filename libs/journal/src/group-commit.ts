/**
 * Group commit: calls that wait at the same time share one write and its fsync, and keep their order (DeWitt et al. 1984, "Implementation
 * Techniques for Main Memory Database Systems").
 */

/** A batch takes no more entries or bytes than this; the rest waits for the next fsync. */
const MAX_BATCH_ENTRIES = 4096;
const MAX_BATCH_BYTES = 8 << 20;

interface Waiting {
  readonly entries: readonly Uint8Array[];
  readonly resolve: (first: bigint) => void;
  readonly reject: (error: unknown) => void;
}

export class GroupCommit {
  private waiting: Waiting[] = [];
  private committing: Promise<void> | undefined;

  /** `write` makes entries durable, all or none, and resolves to the index of the first; it is called for one batch at a time. */
  constructor(private readonly write: (entries: readonly Uint8Array[]) => Promise<bigint>) {}

  /** Resolves to the index of the first of `entries` (of the next one, for none) once they are durable; rejects with what `write` does. */
  add(entries: readonly Uint8Array[]): Promise<bigint> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ entries, resolve, reject });
      this.committing ??= this.commitAll();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.committing;
  }

  private async commitAll(): Promise<void> {
    // let the calls of this turn of the event loop join the first batch
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.takeBatch();
      try {
        let first = await this.write(batch.flatMap(({ entries }) => entries));
        for (const { entries, resolve } of batch) {
          resolve(first);
          first += BigInt(entries.length);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    // in the same step that found nobody waiting, so that no call slips in between and is never served
    this.committing = undefined;
  }

  /** The calls of the next batch: at least one, and not more than fit. */
  private takeBatch(): Waiting[] {
    let count = 0;
    let bytes = 0;
    let calls = 0;
    for (const { entries } of this.waiting) {
      count += entries.length;
      bytes += entries.reduce((sum, entry) => sum + entry.length, 0);
      if (calls > 0 && (count > MAX_BATCH_ENTRIES || bytes > MAX_BATCH_BYTES)) break;
      calls++;
    }
    return this.waiting.splice(0, calls);
  }
}
