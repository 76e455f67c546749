import { ConcordatError } from '#libs/bytes';
import type { Inbox as InboxMessage, SignedTask } from '#libs/protocol';
import { WaitingPolls } from '../waiting-polls.js';

type Item = InboxMessage['items'][number];

/**
 * One queue an agency with ascending sequence numbers, which come from the log and so mean the same after a restart. The queue is the
 * truth; a waiting poll is only woken by it. Tasks stay until their round closes, so a node that comes back asks from the number it
 * knows and misses nothing.
 */
export class Inboxes {
  private readonly queues = new Map<string, Item[]>();
  private readonly polls = new WaitingPolls();
  private readonly lastSeen = new Map<string, number>();

  /** `newestSequence`: the highest number ever given, for any agency. */
  constructor(private readonly newestSequence: () => number) {}

  /** Numbers ascend from call to call. */
  put(agency: string, sequence: number, task: SignedTask): void {
    const queue = this.queues.get(agency) ?? [];
    queue.push({ sequence, task });
    this.queues.set(agency, queue);
    this.polls.wake(agency);
  }

  /** Drops the tasks of a round that takes no more answers. */
  forget(round: string): void {
    for (const [agency, queue] of this.queues) {
      this.queues.set(
        agency,
        queue.filter(({ task }) => task.payload.round !== round),
      );
    }
  }

  /**
   * Everything after `sequence`; waits up to `waitMs` for a first item. Throws `wrong-cursor` for a number that was never given: the
   * log was put back to an older copy, and the node reads from the beginning; `stopping` once this is closed.
   */
  async after(
    agency: string,
    sequence: number,
    waitMs: number,
    nowMs: number,
    signal?: AbortSignal,
  ): Promise<InboxMessage> {
    this.lastSeen.set(agency, nowMs);
    if (sequence > this.newestSequence()) {
      throw new ConcordatError('wrong-cursor', 'no task has this number yet; ask from 0');
    }
    const items = this.pending(agency, sequence);
    if (items.length > 0 || waitMs === 0) return { items };
    await this.polls.wait(agency, waitMs, signal);
    return { items: this.pending(agency, sequence) };
  }

  /** When an agency last asked, in Unix milliseconds. */
  lastContactMs(agency: string): number | undefined {
    return this.lastSeen.get(agency);
  }

  /** Refuses every waiting poll, and new ones. */
  close(): void {
    this.polls.close();
  }

  private pending(agency: string, sequence: number): Item[] {
    return (this.queues.get(agency) ?? []).filter((item) => item.sequence > sequence);
  }
}
