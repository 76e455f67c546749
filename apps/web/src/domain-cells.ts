import {
  cellBoundary,
  cellFromText,
  decompact,
  parentOf,
  type Resolution,
  resolutionOf,
} from '#libs/grid';

/** Closed ring of [longitude, latitude]. */
export type Ring = readonly (readonly [number, number])[];

/**
 * The cells that a release has values for, held as its compact list and expanded only where the map looks. A cell of a coarser
 * resolution belongs to the domain when any cell under it does.
 */
export class DomainCells {
  readonly #compact: BigUint64Array;
  readonly #expanded = new Map<string, BigUint64Array>();
  readonly #rings = new Map<BigUint64Array, (Ring | undefined)[]>();

  private constructor(compact: BigUint64Array) {
    this.#compact = compact;
  }

  /** From the text of `/v1/grid/{release}/cells`: one cell a line. */
  static parse(text: string): DomainCells {
    return new DomainCells(BigUint64Array.from(text.trimEnd().split('\n'), cellFromText));
  }

  /** Cells of `resolution` under `parent` (0n: the whole domain), ascending: the order of a chunk. */
  under(parent: bigint, resolution: number): BigUint64Array {
    const key = `${parent}/${resolution}`;
    const known = this.#expanded.get(key);
    if (known) return known;
    const cells = decompact(this.#roots(parent, resolution), resolution);
    this.#expanded.set(key, cells);
    return cells;
  }

  /** Outline of the cell at a position of a list that `under` gave; made once, whatever is drawn in it. */
  ring(cells: BigUint64Array, at: number): Ring {
    let rings = this.#rings.get(cells);
    if (!rings) {
      rings = new Array(cells.length);
      this.#rings.set(cells, rings);
    }
    const known = rings[at];
    if (known) return known;
    const made = cellBoundary(cells[at] as bigint);
    rings[at] = made;
    return made;
  }

  /** Cells, none finer than `resolution`, that stand for what the domain has under `parent`. */
  #roots(parent: bigint, resolution: number): BigUint64Array {
    const parentResolution = parent === 0n ? -1 : resolutionOf(parent);
    const roots = new Set<bigint>();
    for (const cell of this.#compact) {
      const own = resolutionOf(cell);
      if (own <= parentResolution) {
        // The list holds the parent or a cell above it: everything under the parent belongs.
        if (parentOf(parent, own) === cell) return BigUint64Array.of(parent);
        continue;
      }
      if (parent !== 0n && parentOf(cell, parentResolution as Resolution) !== parent) continue;
      roots.add(own > resolution ? parentOf(cell, resolution as Resolution) : cell);
    }
    return BigUint64Array.from(roots);
  }
}
