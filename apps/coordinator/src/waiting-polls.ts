/**
 * Long polls, each under the name of what it waits for, until they are woken, out of time, or given up by who asked. What they wait for is
 * kept by their owner, who looks again when they return.
 */
export class WaitingPolls {
  private readonly waiting = new Map<string, Set<() => void>>();

  /** Resolves at the next `wake(name)`, after `waitMs`, or when `signal` aborts: at once when it has. */
  wait(name: string, waitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wakers = this.waiting.get(name) ?? new Set();
      this.waiting.set(name, wakers);
      const wake = (): void => {
        clearTimeout(timer);
        wakers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      wakers.add(wake);
      signal?.addEventListener('abort', wake);
      if (signal?.aborted) wake();
    });
  }

  wake(name: string): void {
    for (const wake of this.waiting.get(name) ?? []) wake();
  }

  wakeAll(): void {
    for (const wakers of this.waiting.values()) for (const wake of wakers) wake();
  }
}
