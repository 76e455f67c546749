import type { Inbox as InboxMessage, SignedTask } from '#libs/protocol';

type Item = InboxMessage['items'][number];

/**
 * One queue an agency with ascending sequence numbers. The queue is the truth; a waiting poll is only woken by it. Tasks stay until
 * their round is over, so a node that comes back asks from the number it knows and misses nothing.
 */
export class Inboxes {
  private readonly queues = new Map<string, Item[]>();
  private readonly waiting = new Map<string, Set<() => void>>();
  private readonly lastSeen = new Map<string, number>();
  private nextSequence = 1;

  put(agency: string, task: SignedTask): void {
    const queue = this.queues.get(agency) ?? [];
    queue.push({ sequence: this.nextSequence++, task });
    this.queues.set(agency, queue);
    for (const wake of this.waiting.get(agency) ?? []) wake();
  }

  /** Drops the tasks of a round that is over. */
  forget(round: string): void {
    for (const [agency, queue] of this.queues) {
      this.queues.set(
        agency,
        queue.filter(({ task }) => task.payload.round !== round),
      );
    }
  }

  /** Everything after `sequence`; waits up to `waitMs` for a first item. */
  async after(
    agency: string,
    sequence: number,
    waitMs: number,
    nowMs: number,
  ): Promise<InboxMessage> {
    this.lastSeen.set(agency, nowMs);
    const items = this.pending(agency, sequence);
    if (items.length > 0 || waitMs === 0) return { items };
    await this.wait(agency, waitMs);
    return { items: this.pending(agency, sequence) };
  }

  /** When an agency last asked, in Unix milliseconds. */
  lastContactMs(agency: string): number | undefined {
    return this.lastSeen.get(agency);
  }

  /** Lets every waiting poll return at once. */
  close(): void {
    for (const wakers of this.waiting.values()) for (const wake of wakers) wake();
  }

  private pending(agency: string, sequence: number): Item[] {
    return (this.queues.get(agency) ?? []).filter((item) => item.sequence > sequence);
  }

  private wait(agency: string, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wakers = this.waiting.get(agency) ?? new Set();
      this.waiting.set(agency, wakers);
      const wake = (): void => {
        clearTimeout(timer);
        wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      wakers.add(wake);
    });
  }
}
