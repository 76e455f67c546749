/**
 * Refused requests for the log of a process. Anyone can send them, so they must not be able to fill a disk: the first after a quiet time is
 * logged at once, those that follow are counted and logged together, one entry a window.
 */

const WINDOW_MS = 60_000;

/** How many requests were refused for which reason. */
export type RefusalCounts = Readonly<Record<string, number>>;

export class RefusedRequests {
  private counts = new Map<string, number>();
  private window: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  /** `write` resolves once the counts are durable; what it could not write is kept and written with the next. */
  constructor(
    private readonly write: (counts: RefusalCounts) => Promise<unknown>,
    private readonly windowMs: number = WINDOW_MS,
  ) {}

  /** Notes one refusal. `because` is one of a fixed set of codes, never text of the request. */
  note(because: string): void {
    this.counts.set(because, (this.counts.get(because) ?? 0) + 1);
    if (!this.window) this.turn();
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    clearTimeout(this.window);
    this.flush();
    await this.writing;
  }

  private turn(): void {
    this.window = undefined;
    if (this.counts.size === 0) return;
    this.flush();
    this.window = setTimeout(() => this.turn(), this.windowMs);
    this.window.unref();
  }

  private flush(): void {
    this.writing = this.writing.then(async () => {
      if (this.counts.size === 0) return;
      const counts = this.counts;
      this.counts = new Map();
      const ordered = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
      try {
        await this.write(Object.fromEntries(ordered));
      } catch {
        // the disk is full or the log closed: they count with the next
        for (const [because, count] of counts) {
          this.counts.set(because, (this.counts.get(because) ?? 0) + count);
        }
      }
    });
  }
}
