import { ConcordatError } from '#libs/bytes';

interface Poll {
  end(): void;
  refuse(): void;
}

/** Answered with 503: who polls comes back in a second, when another process may listen. */
const stopping = (): ConcordatError =>
  new ConcordatError('stopping', 'the coordinator is stopping; ask again in a second');

/**
 * Long polls, each under the name of what it waits for, until they are woken, out of time, or given up by who asked. What they wait for is
 * kept by their owner, who looks again when they return.
 */
export class WaitingPolls {
  private readonly waiting = new Map<string, Set<Poll>>();
  private isClosed = false;

  /**
   * Resolves at the next `wake(name)`, after `waitMs`, or when `signal` aborts: at once when it has. Throws `stopping` once these are closed:
   * an empty answer would make who polls ask again at once.
   */
  async wait(name: string, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.isClosed) throw stopping();
    if (signal?.aborted) return;
    const polls = this.waiting.get(name) ?? new Set();
    this.waiting.set(name, polls);
    await new Promise<void>((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        polls.delete(poll);
        if (polls.size === 0) this.waiting.delete(name);
        signal?.removeEventListener('abort', end);
      };
      const end = (): void => {
        over();
        resolve();
      };
      const refuse = (): void => {
        over();
        reject(stopping());
      };
      const poll = { end, refuse };
      const timer = setTimeout(end, waitMs);
      polls.add(poll);
      signal?.addEventListener('abort', end);
    });
  }

  /** How many wait. */
  get size(): number {
    let size = 0;
    for (const polls of this.waiting.values()) size += polls.size;
    return size;
  }

  wake(name: string): void {
    for (const poll of this.waiting.get(name) ?? []) poll.end();
  }

  /** Refuses everything that waits and everything that comes. */
  close(): void {
    this.isClosed = true;
    for (const polls of [...this.waiting.values()]) for (const poll of polls) poll.refuse();
  }
}
