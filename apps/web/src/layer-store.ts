import { type Chunk, COVERAGE, parentOf, type Resolution, resolutionOf } from '#libs/grid';
import type { DomainCells, Ring } from './domain-cells.js';
import { fetchChunk, type LayerAddress } from './release-client.js';
import { SharedRequest } from './shared-request.js';
import { type Bounds, parentOfChunk } from './viewport.js';

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
  readonly domain: DomainCells;
  readonly chunk: Chunk;
}

/** What one view of one layer shows. */
export class LayerView {
  constructor(
    readonly address: LayerAddress,
    private readonly parts: readonly Part[],
  ) {}

  /** Covered cells that touch the bounds, widened by a fifth so that a short pan finds them drawn. */
  cells({ west, south, east, north }: Bounds): CellValue[] {
    const dx = (east - west) / 5;
    const dy = (north - south) / 5;
    const values: CellValue[] = [];
    for (const part of this.parts) {
      for (let i = 0; i < part.cells.length; i++) {
        if (part.chunk.coverage[i] === COVERAGE.none) continue;
        const [x, y] = part.domain.ring(part.cells, i)[0] ?? [Number.NaN, Number.NaN];
        if (!(x > west - dx && x < east + dx && y > south - dy && y < north + dy)) continue;
        const value = valueAt(part, i);
        if (value) values.push(value);
      }
    }
    return values;
  }

  /** Values of a cell; `uncovered` when no agency reports on it, `undefined` when it is not loaded or of another resolution. */
  at(cell: bigint): CellValue | 'uncovered' | undefined {
    if (resolutionOf(cell) !== this.address.resolution) return undefined;
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

function valueAt({ cells, domain, chunk }: Part, i: number): CellValue | undefined {
  if (chunk.coverage[i] === COVERAGE.none) return undefined;
  return {
    cell: cells[i] ?? 0n,
    ring: domain.ring(cells, i),
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
  readonly #parts = new Map<string, SharedRequest<Part>>();

  constructor(readonly domain: DomainCells) {}

  async load(
    address: LayerAddress,
    parents: readonly bigint[],
    signal: AbortSignal,
  ): Promise<LayerView> {
    const parts = await Promise.all(parents.map((parent) => this.#part(address, parent, signal)));
    return new LayerView(address, parts);
  }

  /** Values of one cell; `uncovered` when no agency reports on it, or it is outside the grid. */
  async value(
    address: LayerAddress,
    cell: bigint,
    signal: AbortSignal,
  ): Promise<CellValue | 'uncovered'> {
    const parent = parentOfChunk(cell, address.resolution);
    if (this.domain.under(parent, address.resolution).length === 0) return 'uncovered';
    const part = await this.#part(address, parent, signal);
    const i = indexIn(part.cells, cell);
    return (i >= 0 && valueAt(part, i)) || 'uncovered';
  }

  async #part(address: LayerAddress, parent: bigint, signal: AbortSignal): Promise<Part> {
    const key = `${Object.values(address).join('/')}/${parent}`;
    let request = this.#parts.get(key);
    if (!request || request.isGivenUp) {
      request = new SharedRequest((shared) => this.#fetch(address, parent, shared));
      this.#parts.set(key, request);
    }
    for (const oldest of this.#parts.keys()) {
      if (this.#parts.size <= MOST_PARTS) break;
      this.#parts.delete(oldest);
    }
    try {
      return await request.join(signal);
    } catch (error) {
      if (this.#parts.get(key) === request) this.#parts.delete(key);
      throw error;
    }
  }

  async #fetch(address: LayerAddress, parent: bigint, signal: AbortSignal): Promise<Part> {
    const chunk = await fetchChunk(address, parent, signal);
    const cells = this.domain.under(parent, address.resolution);
    if (cells.length !== chunk.coverage.length) {
      throw new Error('the chunk and the grid disagree on the number of cells');
    }
    return { parent, cells, domain: this.domain, chunk };
  }
}
