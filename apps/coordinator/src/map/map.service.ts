import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import { tellsFromZero } from '#libs/dp';
import { cellFromText, cellToText, compact, encodeChunk, resolutionOf } from '#libs/grid';
import {
  RELEASE_READER,
  type ReleaseHeader,
  type ReleaseReader,
} from '../releases/release-reader.js';
import { ByteCache } from './byte-cache.js';
import { classBreaks } from './class-breaks.js';
import { groupsOf, type LayerColumns, LayerSum, levelOf, nodesUnder } from './map-layer.js';
import { type StoredBody, storedBody } from './stored-body.js';

/** What a URL below `/v1/grid` names, still as text. */
export interface LayerAddress {
  readonly release: string;
  readonly layer: string;
  readonly period: string;
  readonly resolution: string;
}

export const CHUNK_TYPE = 'application/vnd.concordat.chunk';
/** Parent in a URL that stands for the whole domain. */
const DOMAIN = 'domain';
/** A JSON answer of more cells than this is slow for everyone: the binary form or a finer parent serves better. */
const MAX_JSON_CELLS = 40_000;
const BODY_CACHE_BYTES = 64 << 20;
const LAYER_CACHE_BYTES = 256 << 20;

const refuse = (code: string, message: string): never => {
  throw new ConcordatError(code, message);
};

/** Released numbers as the map reads them. Every answer is a pure function of a published release. */
@Injectable()
export class MapService {
  readonly #bodies = new ByteCache<StoredBody>(
    BODY_CACHE_BYTES,
    (b) => b.bytes.length + b.brotli.length,
  );
  readonly #layers = new ByteCache<LayerSum>(LAYER_CACHE_BYTES, (l) => 25 * l.coverage.length);

  constructor(@Inject(RELEASE_READER) private readonly releases: ReleaseReader) {}

  list(): readonly ReleaseHeader[] {
    return this.releases.list();
  }

  /** Throws `no-such-release`. */
  header(id: string): ReleaseHeader {
    return (
      this.releases.header(id) ??
      refuse('no-such-release', 'no such release here; GET /v1/releases lists them')
    );
  }

  /** Cells that the release has values for, as a compact list, one per line: what chunks leave out. */
  async cells(release: string): Promise<StoredBody> {
    this.header(release);
    return this.#bodies.get(`cells/${release}`, async () => {
      const tree = await this.releases.tree(release);
      const leaves = tree.cells.subarray(tree.levelStart[tree.levelResolution.length - 1]);
      const lines = Array.from(compact(leaves), (cell) => `${cellToText(cell)}\n`);
      return storedBody('text/plain; charset=utf-8', Buffer.from(lines.join('')));
    });
  }

  /** One chunk as docs/protocol/chunk.md lays it out. */
  async chunk(address: LayerAddress, parentText: string): Promise<StoredBody> {
    const key = `chunk/${Object.values(address).join('/')}/${parentText}`;
    return this.#bodies.get(key, async () => {
      const { resolution, parent, columns } = await this.#read(address, parentText);
      return storedBody(CHUNK_TYPE, encodeChunk(parent, resolution, columns));
    });
  }

  /** The same values unrounded, with their cells. Throws `too-many-cells` beyond 40,000. */
  async json(address: LayerAddress, parentText: string): Promise<StoredBody> {
    const { cells, columns } = await this.#read(address, parentText);
    if (cells.length > MAX_JSON_CELLS) {
      refuse(
        'too-many-cells',
        'ask for the binary form, or name a parent cell of a finer resolution',
      );
    }
    const { coverage, estimate, standardError, integer } = columns;
    const orNull = (values: Float64Array | Int32Array) =>
      Array.from(values, (value, i) => (coverage[i] === 0 ? null : value));
    return json({
      ...address,
      resolution: Number(address.resolution),
      parent: parentText,
      cells: Array.from(cells, cellToText),
      coverage: Array.from(coverage, (state) => ['none', 'part', 'full'][state]),
      estimate: orNull(estimate),
      standardError: orNull(standardError),
      integer: orNull(integer),
    });
  }

  /** Domain total and colour class limits of one layer at one resolution. */
  async summary(address: LayerAddress): Promise<StoredBody> {
    return this.#bodies.get(`summary/${Object.values(address).join('/')}`, async () => {
      const { layer, columns } = await this.#read(address, DOMAIN);
      const { coverage, estimate, standardError, integer } = layer.slice(0, 1);
      const clear = columns.estimate.reduce(
        (n, value, i) => n + (tellsFromZero(value, columns.standardError[i] ?? 0) ? 1 : 0),
        0,
      );
      return json({
        total:
          coverage[0] === 0
            ? null
            : {
                estimate: estimate[0],
                standardError: standardError[0],
                integer: integer[0],
                partial: coverage[0] === 1,
              },
        cells: {
          domain: columns.coverage.length,
          covered: columns.coverage.reduce((n, state) => n + (state === 0 ? 0 : 1), 0),
          clear,
        },
        breaks: classBreaks(columns),
      });
    });
  }

  async #read(
    { release, layer, period, resolution: resolutionText }: LayerAddress,
    parentText: string,
  ): Promise<{
    layer: LayerSum;
    resolution: number;
    parent: bigint;
    cells: BigUint64Array;
    columns: LayerColumns;
  }> {
    const header = this.header(release);
    const groups =
      groupsOf(header, layer, period) ??
      refuse(
        'no-such-layer',
        'a layer is a category of the release or "all", and a period likewise',
      );
    const resolution = /^(?:[0-9]|1[0-5])$/.test(resolutionText) ? Number(resolutionText) : -1;
    const parent = parentText === DOMAIN ? 0n : cellFromText(parentText);
    if (parent !== 0n && resolutionOf(parent) > resolution) {
      refuse('parent-too-fine', 'a parent is not finer than the resolution asked for');
    }
    const tree = await this.releases.tree(release);
    const level =
      levelOf(tree, resolution) ??
      refuse(
        'no-such-resolution',
        `the release has estimates at resolutions ${tree.levelResolution[1]} to ${tree.levelResolution.at(-1)}`,
      );
    const range =
      parent === 0n
        ? level
        : (nodesUnder(tree, resolution, parent) ??
          refuse('outside-grid', 'the parent cell is not in the grid of the release'));
    const sum = await this.#layers.get(`${release}/${layer}/${period}`, async () => {
      const total = new LayerSum(tree.nodeCount, groups.length);
      for (const group of groups) total.add(await this.releases.columns(release, group));
      return total;
    });
    return {
      layer: sum,
      resolution,
      parent,
      cells: tree.cells.subarray(range.start, range.end),
      columns: sum.slice(range.start, range.end),
    };
  }
}

const json = (value: unknown): Promise<StoredBody> =>
  storedBody('application/json; charset=utf-8', Buffer.from(JSON.stringify(value)));
