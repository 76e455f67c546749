import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import {
  applyRoundEvent,
  isOver,
  isRoundEvent,
  type RoundEvent,
  type RoundState,
} from '#libs/protocol';
import { decodeEntry } from '#libs/tlog';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { RoundBook } from './round-book.js';

/** One step of a round as it is told to whoever watches: nothing that `round` over GraphQL does not say too. */
export interface RoundStep {
  /** Index of the entry in the coordinator's log. */
  readonly index: bigint;
  readonly kind: RoundEvent['kind'];
  readonly at: string;
  readonly phase: RoundState['phase'];
  /** Agencies that have ended the round, and all that were asked. */
  readonly settled: number;
  readonly asked: number;
  readonly agency?: string;
  readonly code?: string;
  readonly release?: string;
}

const stepOf = (index: bigint, event: RoundEvent, state: RoundState): RoundStep => {
  const open = [...state.standings.values()].filter(
    ({ status }) => status === 'waiting' || status === 'held',
  );
  return {
    ...{ index, kind: event.kind, at: event.at, phase: state.phase },
    ...{ settled: state.standings.size - open.length, asked: state.standings.size },
    ...('agency' in event ? { agency: event.agency } : {}),
    ...('code' in event ? { code: event.code } : {}),
    ...(state.release === null ? {} : { release: state.release }),
  };
};

/** A round step by step: what the log holds, then what comes, until the round is over. */
@Injectable()
export class RoundEvents {
  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(RoundBook) private readonly book: RoundBook,
  ) {}

  /** Whether a round is over and its last step is not after `index`: who has seen that has seen all. Throws `not-found`. */
  isDone(id: string, index: bigint): boolean {
    const { newest } = this.marks(id);
    const state = this.book.state(id);
    return state !== undefined && isOver(state) && newest <= index;
  }

  /** Every step after the entry `after`, in order. Ends with the round, or when `signal` is aborted. Throws `not-found`. */
  async *after(id: string, after: bigint, signal: AbortSignal): AsyncGenerator<RoundStep> {
    const { first } = this.marks(id);
    const queue: { readonly index: bigint; readonly event: RoundEvent }[] = [];
    let wake: () => void = () => {};
    // before the log is read, so that nothing falls between the two
    const unwatch = this.book.watch(id, (index, event) => {
      queue.push({ index, event });
      wake();
    });
    const stop = (): void => wake();
    signal.addEventListener('abort', stop);
    try {
      let state: RoundState | undefined;
      let last = first - 1n;
      for await (const { index, bytes } of this.coordinator.journal.entries(first)) {
        const event = decodeEntry(bytes);
        if (!isRoundEvent(event) || event.round !== id) continue;
        state = applyRoundEvent(state, event);
        last = index;
        if (index > after) yield stepOf(index, event, state);
        if (isOver(state)) return;
      }
      while (!signal.aborted) {
        const next = queue.shift();
        if (!next) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (signal.aborted) resolve();
          });
          continue;
        }
        if (next.index <= last) continue;
        state = applyRoundEvent(state, next.event);
        if (next.index > after) yield stepOf(next.index, next.event, state);
        if (isOver(state)) return;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      unwatch();
    }
  }

  private marks(id: string): { readonly first: bigint; readonly newest: bigint } {
    const marks = this.book.marksOf(id);
    if (marks) return marks;
    throw new ConcordatError('not-found', 'there is no such round, or it ended long ago');
  }
}
