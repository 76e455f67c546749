/** One request that several callers wait for: it is given up only when all of them have. */
export class SharedRequest<T> {
  #callers = 0;
  readonly #abort = new AbortController();
  readonly #result: Promise<T>;

  constructor(start: (signal: AbortSignal) => Promise<T>) {
    this.#result = start(this.#abort.signal);
  }

  /** True once nobody waits any more: another caller has to start anew. */
  get isGivenUp(): boolean {
    return this.#abort.signal.aborted;
  }

  join(signal: AbortSignal): Promise<T> {
    this.#callers++;
    signal.addEventListener('abort', () => {
      this.#callers--;
      if (this.#callers === 0) this.#abort.abort(signal.reason);
    });
    return this.#result;
  }
}
