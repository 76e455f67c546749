/** Layers through a whole federation: served by the coordinator, computed again by the command line. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { equalBytes, sha256Hex } from '#libs/bytes';
import { cellToText, parentOf } from '#libs/grid';
import { computeLayer, layerKey, layerRequest } from '#libs/layers';
import { COORDINATOR, type Federation } from '#libs/testing';
import { bristol, cells, hot, type LayerReply, LayersSite } from './layers-site.fixture-spec.js';

let site: LayersSite;
let federation: Federation;
let release: string;
let category: string;
beforeAll(async () => {
  site = await LayersSite.open();
  ({ federation, release, category } = site);
});
afterAll(() => site?.close());
const layer = (field: string) => site.layer(field);
const served = (key: string) => site.served(key);
const run = (...args: string[]) => site.run(...args);
const question = () =>
  `releases: $releases, category: "${category}", resolution: 9, waitSeconds: 20`;
const area = (cell: bigint): string => cellToText(parentOf(cell, 8));

describe('a layer of the coordinator', () => {
  it.each([
    ['hotspots', '', []],
    ['emerging', ', draws: 20', ['--draws', '20']],
    ['fairness', ', worlds: 2', ['--worlds', '2']],
  ])(
    '%s is what the command line computes from the public release',
    async (method, more, flags) => {
      const reply = await layer(`${method}(${question()}${more})`);
      expect(reply).toMatchObject({ status: 'done', releases: [release] });
      const bytes = Buffer.from(await (await served(reply.key)).arrayBuffer());
      const own = await run(
        ...['analyse', method, '--release', release, '--category', category],
        ...['--resolution', '9', ...flags, '--json', '--compare'],
      );
      expect(own.stderr).toBe('');
      expect(sha256Hex(Buffer.from(own.stdout))).toBe(sha256Hex(bytes));
    },
  );

  it.each([
    ['trend', {}],
    ['warnings', { recent: 2 }],
    ['concentration', {}],
  ])('%s is what its request gives over the public blobs', async (method, more) => {
    const given = Object.entries(more).map(([name, value]) => `, ${name}: ${value}`);
    const { key } = await layer(`${method}(${question()}${given.join('')})`);
    const request = layerRequest(method, { category, resolution: 9, ...more }, [release]);
    const own = await computeLayer(request, { get: (hash) => federation.blob(hash) });
    expect(layerKey(request)).toBe(key);
    expect(equalBytes(new Uint8Array(await (await served(key)).arrayBuffer()), own)).toBe(true);
  });

  it('is asked for by whoever compares what nobody has asked for yet', async () => {
    const compare = () =>
      run(
        ...['analyse', 'trend', '--release', release, '--category', category],
        ...['--resolution', '8', '--rate', '0.07', '--compare'],
      );
    const first = await compare();
    expect(first.stderr).toContain('asking it to');
    expect(first).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('the very same bytes'),
    });
    const again = await compare();
    expect(again).toMatchObject({ code: 0, stdout: first.stdout });
    expect(again.stderr).not.toContain('asking it to');
  });

  it('evaluates named areas and plans a year, likewise', async () => {
    const treated = area(bristol);
    const control = area(cells[0] as bigint);
    const evaluation = await layer(
      `evaluation(releases: $releases, waitSeconds: 20, category: "${category}", start: "2023-07", treated: ["${treated}"], control: ["${control}"])`,
    );
    expect(evaluation.rows?.totalCount).toBe(12);
    const own = await run(
      ...['analyse', 'evaluation', '--release', release, '--category', category],
      ...['--start', '2023-07', '--treated', treated, '--control', control, '--compare', '--json'],
    );
    expect(own.code).toBe(0);
    const plan = await layer('plan(releases: $releases, waitSeconds: 20, rhoPerYear: "12")');
    expect(plan.status).toBe('done');
    expect(
      await run('analyse', 'plan', '--release', release, '--rho-per-year', '12', '--compare'),
    ).toMatchObject({ code: 0 });
  });

  it('finds the hot cell, page by page', async () => {
    const { rows: page, columns } = await layer(`hotspots(${question()})`);
    expect(columns[0]).toBe('cell');
    expect(page?.nodes.length).toBeLessThanOrEqual(2);
    expect(page?.nodes.map(({ values }) => values[0])).toContain(hot);
  });

  it('is still there after a restart, and again after its file was damaged', async () => {
    const { key } = await layer(`hotspots(${question()})`);
    const before = await (await served(key)).text();
    await federation.stop(COORDINATOR);
    await federation.startCoordinator();
    expect(await (await served(key)).text()).toBe(before);
    const hash = sha256Hex(Buffer.from(before));
    await federation.stop(COORDINATOR);
    writeFileSync(
      join(federation.folder(COORDINATOR), 'layers', hash.slice(0, 2), hash),
      'damaged',
    );
    await federation.startCoordinator();
    expect((await served(key)).status).toBe(404);
    await layer(`hotspots(${question()})`);
    expect(await (await served(key)).text()).toBe(before);
  });

  it('can be cancelled while it is computed', async () => {
    const { emerging } = await federation.graphql<{ emerging: LayerReply }>(
      `query ($releases: [ID!]!) { emerging(releases: $releases, category: "${category}", resolution: 9, draws: 500) { key status } }`,
      { releases: [release] },
    );
    expect(['waiting', 'running']).toContain(emerging.status);
    const { cancelLayer } = await federation.graphql<{ cancelLayer: LayerReply }>(
      'mutation ($key: ID!) { cancelLayer(key: $key) { status } }',
      { key: emerging.key },
    );
    expect(cancelLayer.status).toBe('cancelled');
    expect((await served(emerging.key)).status).toBe(404);
  });

  it('refuses what it cannot answer, with a code', async () => {
    const refused = async (field: string, releases: readonly string[]) => {
      const response = await fetch(new URL('/graphql', federation.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query: `query ($releases: [ID!]!) { ${field} { status code } }`,
          variables: { releases },
        }),
      });
      const reply = (await response.json()) as {
        errors?: { extensions: { code: string } }[];
        data?: Record<string, { code: string }>;
      };
      return reply.errors?.[0]?.extensions.code ?? Object.values(reply.data ?? {})[0]?.code;
    };
    const ask = (more: string): string =>
      `hotspots(releases: $releases, waitSeconds: 20, resolution: 9, ${more})`;
    expect(await refused(ask(`category: "${category}"`), ['0'.repeat(64)])).toBe('not-found');
    expect(await refused(ask(`category: "${category}"`), ['../../etc/passwd'])).toBe(
      'bad-releases',
    );
    expect(await refused(ask('category: "weapons"'), [release])).toBe('no-such-layer');
    expect(await refused(ask('category: "x"'), [release])).toBe('bad-parameter');
    expect(await refused(ask(`category: "${category}", rate: "2"`), [release])).toBe(
      'bad-parameter',
    );
    const own = await run(
      'analyse',
      'hotspots',
      '--release',
      'x',
      '--category',
      category,
      '--resolution',
      '9',
    );
    expect(own).toMatchObject({ code: 1, stdout: '' });
    expect(own.stderr).toContain('[bad-releases]');
  });
});
