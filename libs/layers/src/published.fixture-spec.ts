/** Releases of a small area as a coordinator publishes them, from counts known here (the name keeps it out of Jest's list). */
import { type Json, sha256Hex, utf8ToBytes } from '#libs/bytes';
import {
  discreteGaussian,
  estimateHierarchy,
  integerMap,
  levelVariances,
  noisyCountsFromWire,
  parseRho,
  planEstimate,
  type Resolution,
  rationalToNumberUp,
} from '#libs/dp';
import {
  buildTree,
  cellAt,
  disk,
  domainFromCells,
  formatDomainFile,
  type GridTree,
  rollUp,
  sortedCells,
} from '#libs/grid';
import { type ReleaseHeader, releaseBytes } from '#libs/protocol';
import type { Category } from '#libs/query';
import { seededRandom } from '#libs/testing';
import { type BlobSource, computeLayer, layerRequest, parseResult } from './index.js';

export const bristol = cellAt(51.4545, -2.5879, 9);

export class Published implements BlobSource {
  readonly blobs = new Map<string, Uint8Array>();

  async get(hash: string): Promise<Uint8Array> {
    const bytes = this.blobs.get(hash);
    if (!bytes) throw new Error(`no blob ${hash}`);
    return bytes;
  }

  put(bytes: Uint8Array | Int32Array | Float64Array): string {
    const raw = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
    const hash = sha256Hex(raw);
    this.blobs.set(hash, raw);
    return hash;
  }

  /** Parsed result of a request over the blobs. */
  async compute(method: string, parameters: Record<string, unknown>, releases: readonly string[]) {
    return parseResult(await computeLayer(layerRequest(method, parameters, releases), this));
  }
}

export interface Asking {
  readonly cells?: BigUint64Array;
  readonly resolution?: Resolution;
  readonly rho?: string;
  readonly seed?: string;
  /** Count of a cell (by its position) of a category in a month; undefined months are not in the release. */
  readonly counts: Partial<Record<Category, Record<string, (cell: number) => number>>>;
}

export const area = sortedCells(disk(bristol, 12));

/** Publishes one release of one agency and returns its id. */
export function publish(
  store: Published,
  { cells = area, resolution = 9, rho = '1/8', seed = 'layers', counts }: Asking,
): string {
  const domain = domainFromCells('test/area', cells);
  const tree: GridTree = buildTree(domain, { finest: resolution });
  const fine = buildTree(domain, { finest: 9 });
  const levels = levelVariances({
    rho: parseRho(rho),
    finest: resolution,
    l2SensitivitySquared: 1n,
  });
  const rawVariance = new Float64Array(tree.nodeCount);
  levels.forEach(({ sigma2 }, level) => {
    rawVariance.fill(
      rationalToNumberUp(sigma2),
      tree.levelStart[level],
      tree.levelStart[level + 1],
    );
  });
  const plan = planEstimate(tree, rawVariance);
  const random = seededRandom(seed);
  const samplers = levels.map(({ sigma2 }) => discreteGaussian({ sigma2 }));
  const categories = Object.keys(counts).sort() as Category[];
  const periods = [
    ...new Set(categories.flatMap((category) => Object.keys(counts[category] ?? {}))),
  ].sort();
  const groups = categories.flatMap((category) =>
    periods.flatMap((period) => {
      const count = counts[category]?.[period];
      if (!count) return [];
      const truth = rollUp(fine, Int32Array.from(cells.keys(), count)).slice(0, tree.nodeCount);
      const noise = new Int32Array(tree.nodeCount);
      samplers.forEach((sampler, level) => {
        sampler.sampleInto(
          noise.subarray(tree.levelStart[level], tree.levelStart[level + 1]),
          random,
        );
      });
      const raw = noisyCountsFromWire(truth.map((value, node) => value + (noise[node] as number)));
      const estimate = estimateHierarchy(plan, raw);
      return [
        {
          category,
          period,
          coverageClass: 0,
          raw: store.put(raw),
          estimate: store.put(estimate),
          integer: store.put(integerMap(tree, estimate)),
        },
      ];
    }),
  );
  const header = {
    version: 1,
    round: sha256Hex(utf8ToBytes(seed)).slice(0, 32),
    manifest: 'a'.repeat(64),
    fingerprint: 'b'.repeat(64),
    query: {
      version: 1,
      measure: 'incidents',
      categories,
      periods,
      resolution,
      grid: 'ew-2026-1',
      gridHash: 'c'.repeat(64),
      rho,
      purpose: 'test',
    },
    sentence: 'A test.',
    coverage: [],
    privacy: { unit: 'incident', rho, epsilon: '1', exactEpsilon: '1', delta: '0.000001' },
    classes: [
      {
        agencies: ['alpha-police'],
        domain: store.put(utf8ToBytes(formatDomainFile(domain))),
        variance: store.put(plan.variance),
        rawVariance: store.put(rawVariance),
      },
    ],
    groups,
  } as unknown as ReleaseHeader;
  return store.put(releaseBytes(header));
}

/** Months 2023-01 onward. */
export const months = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, t) => `${2023 + Math.floor(t / 12)}-${String((t % 12) + 1).padStart(2, '0')}`,
  );

export const numberOf = (value: Json | undefined): number => Number(value);
