/** How often deadlines are looked at. */
const SWEEP_MS = 100;

interface Deadline {
  readonly atMs: number;
  /** The same on the monotonic clock, so that a wall clock that is set back prolongs nothing. */
  readonly monotonicMs: number;
}

/**
 * Calls `onDue` once for each deadline that has passed, by the given clock or by the time that has really gone by, whichever is
 * earlier. One sweep for all, since a timer of its own cannot wait longer than 24 days.
 */
export class Deadlines {
  private readonly pending = new Map<string, Deadline>();
  private readonly sweeping: NodeJS.Timeout;

  constructor(
    private readonly nowMs: () => number,
    private readonly onDue: (id: string) => void,
  ) {
    this.sweeping = setInterval(() => this.sweep(), SWEEP_MS);
    this.sweeping.unref();
  }

  /** Sets or moves a deadline, in Unix milliseconds. */
  set(id: string, atMs: number): void {
    const leftMs = atMs - this.nowMs();
    this.pending.set(id, { atMs, monotonicMs: performance.now() + leftMs + SWEEP_MS });
  }

  clear(id: string): void {
    this.pending.delete(id);
  }

  stop(): void {
    clearInterval(this.sweeping);
    this.pending.clear();
  }

  private sweep(): void {
    const nowMs = this.nowMs();
    const monotonicMs = performance.now();
    for (const [id, deadline] of this.pending) {
      if (nowMs < deadline.atMs && monotonicMs < deadline.monotonicMs) continue;
      this.pending.delete(id);
      this.onDue(id);
    }
  }
}
