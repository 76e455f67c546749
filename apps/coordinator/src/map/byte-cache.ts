/** Least recently used values up to a total weight in bytes. Values are shared promises: two callers compute once. */
export class ByteCache<T> {
  readonly #entries = new Map<string, { readonly value: Promise<T>; bytes: number }>();
  #bytes = 0;

  constructor(
    readonly maxBytes: number,
    readonly bytesOf: (value: T) => number,
  ) {}

  async get(key: string, compute: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.value;
    }
    const entry = { value: compute(), bytes: 0 };
    this.#entries.set(key, entry);
    try {
      const value = await entry.value;
      if (this.#entries.get(key) === entry) {
        entry.bytes = this.bytesOf(value);
        this.#bytes += entry.bytes;
        this.#trim();
      }
      return value;
    } catch (error) {
      this.#entries.delete(key);
      throw error;
    }
  }

  #trim(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.maxBytes || this.#entries.size === 1) return;
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
    }
  }
}
