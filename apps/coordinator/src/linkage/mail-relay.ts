import { ConcordatError } from '#libs/bytes';
import { type LinkageMail, processKey } from '#libs/protocol';
import type { Federation } from '../federation/federation.js';
import { WaitingPolls } from '../waiting-polls.js';

type Item = LinkageMail['items'][number];

/** Boxes kept for one process that does not fetch them; senders try again later. */
const MAX_WAITING = 256;
/** Boxes handed over at once. */
const PAGE = 16;

/**
 * Carries boxes between processes that cannot dial each other. Kept in memory, since every letter that is not answered is sent again. The
 * relay can open none but those to the coordinator itself, and is believed in nothing.
 */
export class MailRelay {
  private readonly boxes = new Map<string, Item[]>();
  private readonly polls = new WaitingPolls();
  private nextSequence: number;

  /** Sequence numbers begin at the clock, so that a relay that restarts never gives one that a reader has passed. */
  constructor(
    private readonly federation: () => Federation,
    nowMs: number,
  ) {
    this.nextSequence = nowMs * 1000;
  }

  /** Throws `unknown-process` for a recipient outside the federation, `mailbox-full`. */
  put(from: string, to: string, box: string): void {
    if (processKey(this.federation().manifest, to) === undefined) {
      throw new ConcordatError('unknown-process', 'the manifest names no process of this id');
    }
    const waiting = this.boxes.get(to) ?? [];
    if (waiting.length >= MAX_WAITING) {
      throw new ConcordatError('mailbox-full', 'the recipient is away; send it again later');
    }
    waiting.push({ sequence: this.nextSequence++, from, box });
    this.boxes.set(to, waiting);
    this.polls.wake(to);
  }

  /**
   * What is there for a process after `sequence`, which also says that it has the rest; waits up to `waitMs` for a first item.
   * Throws `stopping` once it is closed.
   */
  async after(
    process: string,
    sequence: number,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<LinkageMail> {
    const left = (this.boxes.get(process) ?? []).filter((item) => item.sequence > sequence);
    this.boxes.set(process, left);
    if (left.length === 0) await this.polls.wait(process, waitMs, signal);
    return { items: (this.boxes.get(process) ?? []).slice(0, PAGE) };
  }

  /** Refuses every waiting poll, and new ones. */
  close(): void {
    this.polls.close();
  }
}
