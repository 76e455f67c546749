import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildTree, cellAt, disk, domainFromCells, type GridTree, sortedCells } from '#libs/grid';
import {
  type GroupColumns,
  RELEASE_READER,
  type ReleaseHeader,
  type ReleaseReader,
} from '../releases/release-reader.js';
import { mapControllers, mapProviders } from './map.module.js';
import { serveWeb } from './web-assets.js';

const CHROMIUM = '/usr/bin/chromium';
const root = new URL('../../../../', import.meta.url);
const web = fileURLToPath(new URL('dist/web/', root));
const shots = new URL('.cache/screenshots/', root);

/** City of London and Bristol with their surroundings: 2 x 1,261 cells, and a gap of hundreds of kilometres. */
const city = cellAt(51.5155, -0.0922, 9);
const bristol = cellAt(51.4545, -2.5879, 9);
const domain = domainFromCells(
  'synthetic/two-cities',
  sortedCells([...disk(city, 20), ...disk(bristol, 20)]),
);
const tree: GridTree = buildTree(domain, { finest: 9 });
const bristolCells = new Set(disk(bristol, 20));

const categories = ['asb', 'burglary', 'violence'];
const periods = ['2024-01', '2024-02'];
const header: ReleaseHeader = {
  id: '7f1c0c7e9ab24d10',
  fingerprint: 'f'.repeat(64),
  query: { categories, periods, resolution: 9, purpose: 'test', rho: '1/8' },
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

/** Peaks near the centres, flat noise from a fixed generator; ASB is reported in Bristol only. */
function groupColumns(group: number): GroupColumns {
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
const rings = [city, bristol].map((centre) =>
  [...Array(21).keys()].map((k) => new Set(disk(centre, k))),
);

class SyntheticReleases implements ReleaseReader {
  published: ReleaseHeader[] = [];
  list = () => this.published;
  header = (id: string) => this.published.find((release) => release.id === id);
  tree = async () => tree;
  columns = async (_id: string, group: number) => groupColumns(group);
}
const reader = new SyntheticReleases();

@Module({
  controllers: mapControllers,
  providers: [...mapProviders, { provide: RELEASE_READER, useValue: reader }],
})
class TestModule {}

let app: NestFastifyApplication;
let origin: string;
let browser: Browser;

beforeAll(async () => {
  const built = spawnSync(process.execPath, [fileURLToPath(new URL('tools/build-web.mjs', root))]);
  if (built.status !== 0) throw new Error(`the web build failed: ${built.stderr}`);
  if (!existsSync(CHROMIUM)) throw new Error('install Chromium: apt-get install chromium');
  mkdirSync(shots, { recursive: true });
  const module = await Test.createTestingModule({ imports: [TestModule] }).compile();
  app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
    logger: false,
  });
  serveWeb(app, web);
  await app.listen(0, '127.0.0.1');
  origin = await app.getUrl();
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-gl=angle',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
    ],
  });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await app?.close();
});

/** A page that records everything it asks for and everything it complains about. */
async function open(
  path: string,
): Promise<{ page: Page; foreign: string[]; complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 820 } });
  const foreign: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(?:blob|data):/.test(url)) foreign.push(url);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${origin}${path}`);
  return { page, foreign, complaints };
}

const shot = (page: Page, name: string) =>
  page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, shots)) });

describe('the map page', () => {
  it('shot', async () => {
    reader.published = [header];
    const { page, foreign, complaints } = await open(
      '/#layer=all&period=all&map=11.8/51.4545/-2.5879',
    );
    await page.waitForTimeout(4000);
    await shot(page, 'bristol');
    await page.mouse.click(372 + (1360 - 372) / 2, 430);
    await page.waitForTimeout(800);
    await shot(page, 'popup');
    await page.goto(`${origin}/#layer=violence&period=2024-01&map=5.6/52.7/-1.9`);
    await page.waitForTimeout(2500);
    await shot(page, 'national');
    reader.published = [];
    await page.goto(`${origin}/?x`);
    await page.waitForTimeout(1500);
    await shot(page, 'empty');
    console.log(foreign, complaints);
  });
});
