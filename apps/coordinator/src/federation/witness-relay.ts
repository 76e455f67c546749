import { ConcordatError } from '#libs/bytes';
import {
  processKey,
  type WitnessMail,
  type WitnessMessage,
  type WitnessPost,
} from '#libs/protocol';
import { WaitingPolls } from '../waiting-polls.js';
import type { Federation } from './federation.js';

type Item = WitnessMail['items'][number];

const unknownProcess = (): ConcordatError =>
  new ConcordatError('unknown-process', 'the manifest names no process of this id');

/**
 * Carries messages between log owners and witnesses, neither of which can dial the other. Kept in memory: the newest of each kind from
 * each sender, since both sides say again what got lost. The relay reads nothing and is believed in nothing.
 */
export class WitnessRelay {
  private readonly boxes = new Map<string, Map<string, Item>>();
  private readonly polls = new WaitingPolls();
  private nextSequence: number;

  /** Sequence numbers begin at the clock, so that a relay that restarts never gives one that a reader has passed. */
  constructor(
    private readonly federation: Federation,
    nowMs: number,
  ) {
    this.nextSequence = nowMs * 1000;
  }

  /** Leaves every message that can be left. Throws `unknown-process` when one is for a recipient outside the federation. */
  putAll(from: string, items: WitnessPost['items']): void {
    const { manifest } = this.federation;
    const known = items.filter(({ to }) => processKey(manifest, to) !== undefined);
    for (const { to, message } of known) this.put(from, to, message);
    if (known.length < items.length) throw unknownProcess();
  }

  /** Throws `unknown-process` for a recipient outside the federation. */
  put(from: string, to: string, message: WitnessMessage): void {
    if (processKey(this.federation.manifest, to) === undefined) throw unknownProcess();
    const box = this.boxes.get(to) ?? new Map<string, Item>();
    this.boxes.set(to, box);
    const key = `${from} ${message.kind}`;
    // deleted first, so that the box stays in the order of the sequence
    box.delete(key);
    box.set(key, { sequence: this.nextSequence++, from, message });
    this.polls.wake(to);
  }

  /**
   * Everything for a process after `sequence`, which also says that it has the rest; waits up to `waitMs` for a first item.
   * Throws `stopping` once it is closed.
   */
  async after(
    process: string,
    sequence: number,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<WitnessMail> {
    const box = this.boxes.get(process);
    for (const [key, item] of box ?? []) if (item.sequence <= sequence) box?.delete(key);
    if (this.pending(process).length === 0) {
      await this.polls.wait(process, waitMs, signal);
    }
    return { items: this.pending(process) };
  }

  /** Refuses every waiting poll, and new ones. */
  close(): void {
    this.polls.close();
  }

  private pending(process: string): Item[] {
    return [...(this.boxes.get(process)?.values() ?? [])];
  }
}
