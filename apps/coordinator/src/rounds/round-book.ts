import { ConcordatError } from '#libs/bytes';
import { applyRoundEvent, isOver, type RoundEvent, type RoundState } from '#libs/protocol';

/** How many rounds that are over are kept in mind; older ones are in the log alone. */
const KEPT_OVER = 1_000;

/**
 * Every round as a fold of the log: the one place where a round moves. A new event is checked against the state, appended, and applied
 * once it is durable; events of one round are taken one after another, so that what was checked still holds when it is logged.
 */
export class RoundBook {
  private readonly states = new Map<string, RoundState>();
  private readonly sequences = new Map<string, number>();
  private readonly over: string[] = [];
  private readonly turns = new Map<string, Promise<unknown>>();
  private readonly marks = new Map<string, { readonly first: bigint; readonly newest: bigint }>();
  private readonly watchers = new Map<string, Set<(index: bigint, event: RoundEvent) => void>>();
  private newest = 0;

  constructor(private readonly append: (event: RoundEvent) => Promise<bigint>) {}

  state(id: string): RoundState | undefined {
    return this.states.get(id);
  }

  all(): RoundState[] {
    return [...this.states.values()];
  }

  /** Sequence number of a round's tasks in every inbox; 0 before they are offered. */
  sequenceOf(id: string): number {
    return this.sequences.get(id) ?? 0;
  }

  /** The highest sequence number there is. */
  get newestSequence(): number {
    return this.newest;
  }

  /** Indices of a round's first and newest entry; undefined for one that is not in mind. */
  marksOf(id: string): { readonly first: bigint; readonly newest: bigint } | undefined {
    return this.marks.get(id);
  }

  /** Calls `hear` for every further event of a round, once it is durable. Returns what ends that. */
  watch(id: string, hear: (index: bigint, event: RoundEvent) => void): () => void {
    const watching = this.watchers.get(id) ?? new Set();
    this.watchers.set(id, watching.add(hear));
    return () => {
      watching.delete(hear);
      if (watching.size === 0) this.watchers.delete(id);
    };
  }

  /** Applies an entry that is in the log. Throws `log-corrupt` when it does not follow from those before. */
  replay(index: bigint, event: RoundEvent): void {
    try {
      const before = this.states.get(event.round);
      const state = applyRoundEvent(before, event);
      if (state !== before) this.settle(index, event, state);
    } catch (cause) {
      throw new ConcordatError(
        'log-corrupt',
        `entry ${index} does not follow from the round's earlier ones; restore a copy of the log`,
        { cause },
      );
    }
  }

  /**
   * Moves a round by the event that `make` gives for its state at that moment, none for undefined. Returns the state after it and
   * whether it moved. Throws what `applyRoundEvent` throws, and `log-unavailable`; the round then stands as before.
   */
  advance(
    id: string,
    make: (state: RoundState | undefined) => RoundEvent | undefined,
  ): Promise<{ readonly state: RoundState; readonly hasMoved: boolean }> {
    const turn = (this.turns.get(id) ?? Promise.resolve()).then(
      () => this.move(id, make),
      () => this.move(id, make),
    );
    this.turns.set(id, turn);
    const forget = (): void => {
      if (this.turns.get(id) === turn) this.turns.delete(id);
    };
    turn.then(forget, forget);
    return turn;
  }

  private async move(
    id: string,
    make: (state: RoundState | undefined) => RoundEvent | undefined,
  ): Promise<{ readonly state: RoundState; readonly hasMoved: boolean }> {
    const before = this.states.get(id);
    const event = make(before);
    const state = event ? applyRoundEvent(before, event) : before;
    if (!state) throw new ConcordatError('not-found', 'there is no such round');
    if (!event || state === before) return { state, hasMoved: false };
    this.settle(await this.append(event), event, state);
    return { state, hasMoved: true };
  }

  private settle(index: bigint, event: RoundEvent, state: RoundState): void {
    this.states.set(state.id, state);
    this.marks.set(state.id, { first: this.marks.get(state.id)?.first ?? index, newest: index });
    for (const hear of this.watchers.get(state.id) ?? []) hear(index, event);
    if (event.kind === 'round.offered') {
      this.newest = Number(index) + 1;
      this.sequences.set(state.id, this.newest);
    }
    if (!isOver(state)) return;
    this.over.push(state.id);
    this.sequences.delete(state.id);
    const oldest = this.over.length > KEPT_OVER ? this.over.shift() : undefined;
    if (oldest === undefined) return;
    this.states.delete(oldest);
    this.marks.delete(oldest);
  }
}
