import { get as httpGet, type IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { sha256Hex } from '#libs/bytes';
import {
  cellAt,
  cellFromText,
  cellToText,
  decodeChunk,
  formatDomainFile,
  indexOf,
  parentOf,
} from '#libs/grid';
import {
  bristol,
  city,
  domain,
  groupColumns,
  header,
  SyntheticReleases,
  serve,
  tree,
} from './synthetic-release.fixture-spec.js';

const grid = `/v1/grid/${header.id}`;
let app: NestFastifyApplication;
let origin: string;

beforeAll(async () => {
  const reader = new SyntheticReleases();
  reader.published = [header];
  app = await serve(reader);
  origin = await app.getUrl();
});
afterAll(() => app?.close());

interface Answer {
  readonly statusCode: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
  readonly body: string;
}

/** One request as it is: no decoding, no redirect, no tidying of the path. */
const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    httpGet({ hostname, port, path, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const all = Buffer.concat(parts);
        resolve({
          statusCode: response.statusCode,
          headers: response.headers,
          bytes: new Uint8Array(all),
          body: all.toString(),
        });
      });
    }).on('error', reject);
  });
const getJson = async (path: string) =>
  JSON.parse((await get(path, { accept: 'application/json' })).body);

describe('map routes', () => {
  it('lists releases and gives one', async () => {
    expect(await getJson('/v1/releases')).toEqual([header]);
    expect(await getJson(`/v1/releases/${header.id}`)).toEqual(header);
  });

  it('gives the cells of a release as their compact list', async () => {
    const { body, headers } = await get(`${grid}/cells`);
    expect(body).toBe(formatDomainFile(domain));
    expect(headers['cache-control']).toContain('immutable');
  });

  it('sums groups exactly: estimates and variances add, integers too, coverage is partial', async () => {
    const parent = cellToText(parentOf(bristol, 5));
    const { cells, ...sum } = await getJson(`${grid}/all/all/9/${parent}`);
    expect(cells.length).toBeGreaterThan(500);
    const groups = header.groups.map((_, group) => groupColumns(group));
    cells.forEach((text: string, i: number) => {
      const node = indexOf(tree, cellFromText(text));
      const covering = groups.filter((group) => group.covered[node] === 1);
      const add = (name: 'estimate' | 'variance' | 'integer') =>
        covering.reduce((total, group) => total + (group[name][node] ?? 0), 0);
      expect(sum.coverage[i]).toBe(covering.length === groups.length ? 'full' : 'part');
      expect(sum.estimate[i]).toBeCloseTo(add('estimate'), 9);
      expect(sum.standardError[i] ** 2).toBeCloseTo(add('variance'), 9);
      expect(sum.integer[i]).toBe(add('integer'));
    });
  });

  it('marks what nobody covers as missing, in both forms', async () => {
    const parent = cellToText(parentOf(city, 5));
    const url = `${grid}/asb/2024-01/9/${parent}`;
    const json = await getJson(url);
    expect(new Set(json.estimate)).toEqual(new Set([null]));
    const chunk = decodeChunk((await get(url)).bytes);
    expect(chunk.coverage).toEqual(new Uint8Array(json.cells.length));
    expect(chunk.estimate.every(Number.isNaN)).toBe(true);
  });

  it.each(['domain', cellToText(parentOf(bristol, 5))])(
    'sends the same values as a chunk, plain and under brotli: %s',
    async (parent) => {
      const url = `${grid}/violence/all/8/${parent}`;
      const plain = await get(url);
      const coded = await get(url, { 'accept-encoding': 'gzip, br' });
      expect(coded.headers['content-encoding']).toBe('br');
      expect(new Uint8Array(brotliDecompressSync(coded.bytes))).toEqual(plain.bytes);
      expect(plain.headers).toMatchObject({
        'content-type': 'application/vnd.concordat.chunk',
        etag: `W/"${sha256Hex(plain.bytes)}"`,
        vary: 'Accept, Accept-Encoding',
      });
      const chunk = decodeChunk(plain.bytes);
      const json = await getJson(url);
      json.estimate.forEach((estimate: number, i: number) => {
        expect(Math.abs((chunk.estimate[i] ?? 0) - estimate)).toBeLessThanOrEqual(chunk.step / 2);
      });
      const again = await get(url, { 'if-none-match': String(plain.headers.etag) });
      expect([again.statusCode, again.body]).toEqual([304, '']);
    },
  );

  it.each([
    [404, 'no-such-release', '/v1/releases/nothing'],
    [404, 'no-such-release', '/v1/grid/nothing/all/all/9/domain'],
    [404, 'no-such-release', '/v1/grid/nothing/cells'],
    [404, 'no-such-layer', `${grid}/arson/all/9/domain`],
    [404, 'no-such-layer', `${grid}/all/2024-13/9/domain`],
    [404, 'no-such-layer', `${grid}/__proto__/all/9/domain`],
    [404, 'no-such-resolution', `${grid}/all/all/10/domain`],
    [404, 'no-such-resolution', `${grid}/all/all/3/domain`],
    [404, 'no-such-resolution', `${grid}/all/all/09/domain`],
    [404, 'no-such-resolution', `${grid}/all/all/1e0/domain`],
    [400, 'invalid-cell', `${grid}/all/all/9/everything`],
    [400, 'invalid-cell', `${grid}/all/all/9/851951FFFFFFFFF`],
    [400, 'invalid-cell', `${grid}/all/all/9/8f1951fffffffff`],
    [400, 'parent-too-fine', `${grid}/all/all/8/${cellToText(bristol)}`],
    [404, 'outside-grid', `${grid}/all/all/9/${cellToText(cellAt(55, -3, 5))}`],
  ])('refuses with a problem document: %d %s %s', async (status, code, url) => {
    const { statusCode, headers, body } = await get(url);
    expect([statusCode, headers['content-type']]).toEqual([status, 'application/problem+json']);
    expect(JSON.parse(body)).toMatchObject({ status, code });
    // what is missing now may be published next
    expect(headers['cache-control']).toBe('no-store');
  });

  it('serves the page with a policy that lets nothing else in', async () => {
    const page = await get('/');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.body).not.toMatch(/https?:|<script>|style=| on[a-z]+=/);
    expect((await get('/assets/../../package.json')).statusCode).toBe(404);
  });
});
