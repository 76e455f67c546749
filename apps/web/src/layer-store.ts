import { type Chunk, COVERAGE, cellBoundary, parentOf, type Resolution } from '#libs/grid';
import type { DomainCells } from './domain-cells.js';
import { fetchChunk, fetchSummary, type LayerAddress, type Summary } from './release-client.js';
import type { Bounds } from './viewport.js';

/** Closed ring of [longitude, latitude]. */
export type Ring = readonly (readonly [number, number])[];

/** One covered cell with its released values. */
export interface CellValue {
  readonly cell: bigint;
  readonly ring: Ring;
  readonly estimate: number;
  readonly standardError: number;
  /** True when the layer is a sum and some of its groups are missing here. */
  readonly partial: boolean;
}

interface Part {
  readonly parent: bigint;
  readonly cells: BigUint64Array;
  readonly rings: readonly (Ring | undefined)[];
  readonly chunk: Chunk;
}

/** What one view of one layer shows. */
export class LayerView {
  constructor(
    readonly address: LayerAddress,
    readonly summary: Summary,
    private readonly parts: readonly Part[],
  ) {}

  /** Covered cells that touch the bounds, widened by a fifth so that a short pan finds them drawn. */
  cells({ west, south, east, north }: Bounds): CellValue[] {
    const dx = (east - west) / 5;
    const dy = (north - south) / 5;
    const values: CellValue[] = [];
    for (const part of this.parts) {
      for (let i = 0; i < part.cells.length; i++) {
        const [x, y] = part.rings[i]?.[0] ?? [Number.NaN, Number.NaN];
        if (!(x > west - dx && x < east + dx && y > south - dy && y < north + dy)) continue;
        const value = valueAt(part, i);
        if (value) values.push(value);
      }
    }
    return values;
  }

  /** Values of a cell; `uncovered` when no agency reports on it, `undefined` when it is not loaded. */
  at(cell: bigint): CellValue | 'uncovered' | undefined {
    for (const part of this.parts) {
      const chunkParent = part.parent;
      if (chunkParent !== 0n && parentOf(cell, resolutionOfParent(part)) !== chunkParent) continue;
      const i = indexIn(part.cells, cell);
      if (i >= 0) return valueAt(part, i) ?? 'uncovered';
    }
    return undefined;
  }
}

const resolutionOfParent = (part: Part): Resolution => (part.chunk.resolution - 4) as Resolution;

function valueAt({ cells, rings, chunk }: Part, i: number): CellValue | undefined {
  const ring = rings[i];
  if (!ring || chunk.coverage[i] === COVERAGE.none) return undefined;
  return {
    cell: cells[i] ?? 0n,
    ring,
    estimate: chunk.estimate[i] ?? Number.NaN,
    standardError: chunk.standardError[i] ?? Number.NaN,
    partial: chunk.coverage[i] === COVERAGE.part,
  };
}

function indexIn(cells: BigUint64Array, cell: bigint): number {
  let low = 0;
  let high = cells.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cells[middle] ?? 0n) < cell) low = middle + 1;
    else high = middle;
  }
  return cells[low] === cell ? low : -1;
}

/** Parts kept per release: a day's wandering over one city, not the nation at its finest. */
const MOST_PARTS = 256;

/** Loads what views need and keeps the last parts; chunks themselves are also in the browser's HTTP cache. */
export class LayerStore {
  readonly #parts = new Map<string, Promise<Part>>();

  constructor(readonly domain: DomainCells) {}

  async load(
    address: LayerAddress,
    parents: readonly bigint[],
    signal: AbortSignal,
  ): Promise<LayerView> {
    const [summary, ...parts] = await Promise.all([
      fetchSummary(address, signal),
      ...parents.map((parent) => this.#part(address, parent, signal)),
    ]);
    return new LayerView(address, summary, parts);
  }

  #part(address: LayerAddress, parent: bigint, signal: AbortSignal): Promise<Part> {
    const key = `${Object.values(address).join('/')}/${parent}`;
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const part = this.#fetch(address, parent, signal);
    this.#parts.set(key, part);
    part.catch(() => {
      this.#parts.delete(key);
    });
    for (const oldest of this.#parts.keys()) {
      if (this.#parts.size <= MOST_PARTS) break;
      this.#parts.delete(oldest);
    }
    return part;
  }

  async #fetch(address: LayerAddress, parent: bigint, signal: AbortSignal): Promise<Part> {
    const chunk = await fetchChunk(address, parent, signal);
    const cells = this.domain.under(parent, address.resolution);
    if (cells.length !== chunk.coverage.length) {
      throw new Error('the chunk and the grid disagree on the number of cells');
    }
    const rings = Array.from(cells, (cell, i) =>
      chunk.coverage[i] === COVERAGE.none ? undefined : cellBoundary(cell),
    );
    return { parent, cells, rings, chunk };
  }
}
