/** A small release on real cells, for the specs beside it (the name keeps it out of the build and out of Jest's list). */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { buildTree, cellAt, disk, domainFromCells, type GridTree, sortedCells } from '#libs/grid';
import { createHttpApp, createLogger } from '#libs/nest-kit';
import {
  type GroupColumns,
  RELEASE_READER,
  type ReleaseHeader,
  type ReleaseReader,
} from '../releases/release-reader.js';
import { mapControllers, mapProviders } from './map.module.js';
import { serveWeb } from './web-assets.js';

/** City of London and Bristol with their surroundings: 2 x 1,261 cells, and a gap of hundreds of kilometres. */
export const city = cellAt(51.5155, -0.0922, 9);
export const bristol = cellAt(51.4545, -2.5879, 9);
export const domain = domainFromCells(
  'synthetic/two-cities',
  sortedCells([...disk(city, 20), ...disk(bristol, 20)]),
);
export const tree: GridTree = buildTree(domain, { finest: 9 });
const bristolCells = new Set(disk(bristol, 20));

const categories = ['asb', 'burglary', 'violence'];
const periods = ['2024-01', '2024-02'];
export const header: ReleaseHeader = {
  id: '7f1c0c7e9ab24d10',
  fingerprint: 'f'.repeat(64),
  query: { measure: 'incidents', categories, periods, resolution: 9, purpose: 'test', rho: '1/8' },
  sentence: 'Counts of three categories in two months.',
  grid: domain.name,
  gridHash: domain.hash,
  groups: categories.flatMap((category) => periods.map((period) => ({ category, period }))),
  privacy: { unit: 'incident', rho: '1/8', epsilon: 2.7512, delta: 1e-6 },
  agencies: [
    { id: 'city', name: 'City of London Police', status: 'contributed' },
    { id: 'avon', name: 'Avon and Somerset Police', status: 'contributed' },
    { id: 'kent', name: 'Kent Police', status: 'refused', code: 'purpose-not-granted' },
  ],
  releasedAt: '2024-06-03T09:30:00Z',
};

/** Cells up to each distance from either centre. */
const rings = [city, bristol].map((centre) =>
  [...Array(21).keys()].map((k) => new Set(disk(centre, k))),
);

/** Peaks near the centres, flat noise from a fixed generator; ASB is reported in Bristol only. */
export function groupColumns(group: number): GroupColumns {
  const { category } = header.groups[group] ?? { category: '' };
  let seed = 17 + group;
  const uniform = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const gauss = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(6.2832 * uniform());
  const n = tree.nodeCount;
  const columns = {
    raw: new Int32Array(n),
    estimate: new Float64Array(n),
    variance: new Float64Array(n),
    integer: new Int32Array(n),
    covered: new Uint8Array(n),
  };
  const leaves = tree.levelStart[tree.levelResolution.length - 1] ?? 0;
  for (let node = n - 1; node >= 0; node--) {
    if (node >= leaves) {
      const cell = tree.cells[node] ?? 0n;
      const inBristol = bristolCells.has(cell);
      if (category === 'asb' && !inBristol) continue;
      const ring =
        [...Array(21).keys()].find((k) => rings[inBristol ? 1 : 0]?.[k]?.has(cell)) ?? 20;
      const truth = Math.floor((90 * uniform() ** 2) / (1 + ring) ** 1.1);
      columns.estimate[node] = truth + 1.5 * gauss();
      columns.variance[node] = 2.25;
      columns.integer[node] = truth;
      columns.covered[node] = 1;
    }
    if (node > 0 && columns.covered[node] === 1) {
      const parent = tree.parent[node] ?? 0;
      for (const name of ['estimate', 'variance', 'integer'] as const) {
        columns[name][parent] = (columns[name][parent] ?? 0) + (columns[name][node] ?? 0);
      }
      columns.covered[parent] = 1;
    }
  }
  return columns;
}
export class SyntheticReleases implements ReleaseReader {
  #published: ReleaseHeader[] = [];
  readonly #watchers = new Set<() => void>();
  get published(): ReleaseHeader[] {
    return this.#published;
  }
  set published(releases: ReleaseHeader[]) {
    this.#published = releases;
    for (const wake of this.#watchers) wake();
  }
  list = () => this.#published;
  async *growth(signal: AbortSignal): AsyncGenerator<number> {
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
        signal.addEventListener('abort', () => resolve());
      });
      yield this.#published.length;
      await changed;
    }
  }
  header = (id: string) => this.#published.find((release) => release.id === id);
  tree = async () => tree;
  columns = async (_id: string, group: number) => groupColumns(group);
}

/** The map routes and freshly built pages over `reader`, on a free port. */
export async function serve(reader: ReleaseReader): Promise<NestFastifyApplication> {
  const folder = await mkdtemp(join(tmpdir(), 'concordat-web-'));
  await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL('../../../../tools/build-web.mjs', import.meta.url)),
    folder,
  ]);
  @Module({
    controllers: mapControllers,
    providers: [...mapProviders, { provide: RELEASE_READER, useValue: reader }],
  })
  class MapApplication {}
  const app = await createHttpApp({ module: MapApplication }, createLogger('map', 'silent'));
  serveWeb(app, folder);
  await rm(folder, { recursive: true });
  await app.listen(0, '127.0.0.1');
  return app;
}
