/** Layers through a whole federation: served by the coordinator, computed again by the command line, governed where they forecast. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { equalBytes, sha256Hex } from '#libs/bytes';
import { cellAt, cellToText, disk, domainFromCells, parentOf, sortedCells } from '#libs/grid';
import { createSigningKey } from '#libs/keystore';
import { computeLayer, layerKey, layerRequest } from '#libs/layers';
import { seal } from '#libs/protocol';
import { monthsOf } from '#libs/query';
import { ANALYST, COORDINATOR, Federation, RunningProgram, streetFile } from '#libs/testing';

const bristol = cellAt(51.4545, -2.5879, 9);
const cells = sortedCells(disk(bristol, 9));
const hot = cellToText(bristol);
const months = monthsOf('2023-01/2023-12');
/** Much in the middle every month, a little elsewhere. */
const rows = months.flatMap((month, t) =>
  [...cells].flatMap((cell, i) => {
    const count = cell === bristol ? 15 : (i + t) % 23 === 0 ? 1 : 0;
    return Array.from({ length: count }, () => ({
      month,
      type: i % 2 ? 'Robbery' : 'Drugs',
      cell,
    }));
  }),
);
/** Burglaries stay in one place for ten months; from then on they are somewhere else each month. */
const settled = monthsOf('2023-01/2023-10');
const unsettled = monthsOf('2023-11/2024-01');
const burglaries = [...settled, ...unsettled].flatMap((month) => {
  const cell = cells[40 * (1 + unsettled.indexOf(month))] as bigint;
  return Array.from({ length: 40 }, () => ({ month, type: 'Burglary', cell }));
});

let federation: Federation;
let release: string;
let category: string;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      {
        id: 'alpha-police',
        domain: domainFromCells('test/alpha', cells),
        files: { 'street.csv': streetFile([...rows, ...burglaries]) },
      },
    ],
    limits: { rhoPerQuery: '4', rhoPerYear: '40' },
  });
  category = cells.indexOf(bristol) % 2 ? 'robbery' : 'drugs';
  const { round } = await federation.ask({
    categories: ['drugs', 'robbery'],
    periods: months,
    rho: '4',
  });
  release = String(round.release);
});
afterAll(() => federation?.close());

interface LayerReply {
  readonly key: string;
  readonly status: string;
  readonly code: string | null;
  readonly releases: readonly string[];
  readonly columns: readonly string[];
  readonly rows: {
    readonly nodes: readonly { readonly values: readonly (string | null)[] }[];
    readonly endCursor: string | null;
    readonly totalCount: number;
  } | null;
}
const FIELDS =
  'key status code releases columns rows(first: 2) { nodes { values } endCursor totalCount }';

/** Asks for a layer until it is over. */
async function layer(field: string): Promise<LayerReply> {
  for (;;) {
    const reply = await federation.graphql<{ layer: LayerReply }>(
      `query ($releases: [ID!]!) { layer: ${field} { ${FIELDS} } }`,
      { releases: [release] },
    );
    if (reply.layer.status !== 'waiting' && reply.layer.status !== 'running') return reply.layer;
  }
}
const served = async (key: string): Promise<Response> =>
  fetch(new URL(`/v1/layers/${key}`, federation.url));

/** What `look` finds, once it finds something. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await setTimeout(200);
  }
}

/** What a command printed, and how it ended. */
async function run(...args: string[]) {
  const program = new RunningProgram([...args, '--url', federation.url]);
  const { code } = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

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

describe('a forecast', () => {
  const name = 'next-month';
  const ask = `forecast(releases: $releases, layer: "${name}", waitSeconds: 20)`;
  const key = () => join(federation.dir, 'analyst.pem');
  const enable = () =>
    run(
      ...['forecast', 'enable', '--layer', name, '--owner', ANALYST, '--key', key()],
      ...['--purpose', 'hotspot-policing', '--category', category, '--json'],
    );
  const disable = () =>
    run(
      ...['forecast', 'disable', '--layer', name, '--analyst', ANALYST, '--key', key()],
      ...['--reason', 'end of the trial', '--json'],
    );
  const off = expect.objectContaining({ message: expect.stringMatching(/no owner has switched/) });

  it('does not exist until its owner switches it on', async () => {
    federation.nowMs = Date.now();
    await expect(layer(ask)).rejects.toEqual(off);
    const own = await run('analyse', 'forecast', '--release', release, '--layer', name);
    expect(own).toMatchObject({ code: 1, stdout: '' });
    expect(own.stderr).toContain('[forecast-off]');
  });

  it('is served with back-test, drift and fairness once it is on, and computed again by anybody', async () => {
    expect(await enable()).toMatchObject({ code: 0 });
    const reply = await layer(ask);
    expect(reply).toMatchObject({ status: 'done', code: null });
    const response = await served(reply.key);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const bytes = await response.text();
    const { summary } = JSON.parse(bytes) as { summary: Record<string, unknown> };
    expect(Object.keys(summary)).toEqual(
      expect.arrayContaining(['backTest', 'drift', 'fairness', 'horizon']),
    );
    const own = await run(
      'analyse',
      'forecast',
      '--release',
      release,
      '--layer',
      name,
      '--json',
      '--compare',
    );
    expect(own.stderr).toBe('');
    expect(own.stdout).toBe(bytes);
  });

  it('has a card of its newest run', async () => {
    const { stdout } = await run('forecast', 'card', '--layer', name);
    expect(stdout).toContain(`Owner ${ANALYST}`);
    expect(stdout).toMatch(/hit rate \d+\.\d %/);
    expect(stdout).toContain('concordat forecast disable --layer next-month');
    expect(stdout).toContain('never people');
    const { stdout: json } = await run('forecast', 'card', '--layer', name, '--json');
    expect(JSON.parse(json)).toMatchObject({
      layer: name,
      isOn: true,
      run: { releases: [release] },
    });
  });

  it('is logged with its owner, and survives a restart', async () => {
    await federation.stop(COORDINATOR);
    await federation.startCoordinator();
    const { stdout } = await run('forecast', 'list', '--json');
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ layer: name, isOn: true })]);
    const entries = await federation.entries(COORDINATOR);
    expect(entries.filter(({ kind }) => kind === 'forecast.enabled')).toEqual([
      expect.objectContaining({ actor: ANALYST, layer: name, purpose: 'hotspot-policing' }),
    ]);
  });

  it('is gone at once when it is switched off, the computed result too', async () => {
    const { key: computed } = await layer(ask);
    expect((await served(computed)).status).toBe(200);
    expect(await disable()).toMatchObject({ code: 0 });
    expect((await served(computed)).status).not.toBe(200);
    await expect(layer(ask)).rejects.toEqual(off);
    expect(await disable()).toMatchObject({ code: 1 });
    const entries = await federation.entries(COORDINATOR);
    expect(entries.at(-1)).toMatchObject({ kind: 'forecast.disabled', reason: 'end of the trial' });
  });

  it('obeys no order but a fresh one of an analyst who may', async () => {
    const order = {
      action: 'enable',
      layer: name,
      analyst: ANALYST,
      manifest: federation.manifestHash,
      at: new Date(federation.nowMs).toISOString(),
      purpose: 'hotspot-policing',
      definition: { category, resolution: 9, horizon: 1, top: '0.01' },
    };
    const send = (signed: { payload: unknown; publicKey: string; signature: string }) =>
      federation.graphql(
        'mutation ($order: ForecastOrderInput!) { switchForecast(order: $order) { isOn } }',
        { order: { ...signed, payload: JSON.stringify(signed.payload) } },
      );
    const stranger = createSigningKey(join(federation.dir, 'stranger.pem'));
    await expect(send(seal('forecast', order, stranger))).rejects.toThrow(/another key/);
    const old = { ...order, at: new Date(federation.nowMs - 3_600_000).toISOString() };
    await expect(send(seal('forecast', old, federation.analystKey))).rejects.toThrow(/too old/);
    const once = seal('forecast', order, federation.analystKey);
    await expect(send({ ...once, payload: { ...order, layer: 'other' } })).rejects.toThrow(
      /verify/,
    );
    await expect(send({ ...once, payload: 'x' })).rejects.toThrow(/well-formed/);
    await send(once);
    expect(await disable()).toMatchObject({ code: 0 });
    await expect(send(once)).rejects.toThrow(/carried out/);
  });
});

describe('the drift monitor of a forecast', () => {
  const name = 'burglary-next-month';
  const forecastOf = (releases: readonly string[]) =>
    federation.graphql<{ forecast: { key: string; status: string; summary: string | null } }>(
      `query ($releases: [ID!]!) { forecast(releases: $releases, layer: "${name}", waitSeconds: 20) { key status summary } }`,
      { releases },
    );
  /** Key and drift figures of the forecast from these releases, once it is computed. */
  async function driftOf(releases: readonly string[]) {
    for (;;) {
      const { key, status, summary } = (await forecastOf(releases)).forecast;
      if (status === 'waiting' || status === 'running') continue;
      const { drift } = JSON.parse(summary ?? '{}') as { drift?: { alarm: boolean; z: string } };
      return { key, status, drift };
    }
  }
  const released = async (periods: readonly string[]): Promise<string> => {
    const { round } = await federation.ask({ categories: ['burglary'], periods, rho: '4' });
    return String(round.release);
  };
  /** Alarms in the log. Stopping writes the last checkpoint, up to which a log is read. */
  const alarms = async () => {
    await federation.stop(COORDINATOR);
    await federation.startCoordinator();
    const entries = await federation.entries(COORDINATOR);
    return entries.filter(({ kind }) => kind === 'forecast.alarm');
  };
  const card = async () => (await run('forecast', 'card', '--layer', name)).stdout;
  let before: string;
  let after: string;
  let drifted: string;

  it('is quiet while the months are hit alike', async () => {
    federation.nowMs = Date.now();
    const enabled = await run(
      ...['forecast', 'enable', '--layer', name, '--owner', ANALYST, '--category', 'burglary'],
      ...['--key', join(federation.dir, 'analyst.pem'), '--purpose', 'hotspot-policing'],
    );
    expect(enabled).toMatchObject({ code: 0 });
    before = await released(settled);
    expect(await driftOf([before])).toMatchObject({ status: 'done', drift: { alarm: false } });
    expect(await alarms()).toEqual([]);
    expect(await card()).toContain('Drift alarm: no. Alarms so far: 0.');
  });

  it('raises its alarm when a later release arrives, though nobody asks for the forecast', async () => {
    after = await released(unsettled);
    drifted = await until(async () => {
      const { forecastLayers } = await federation.graphql<{
        forecastLayers: { layer: string; alarms: string[] }[];
      }>('{ forecastLayers { layer alarms } }');
      return forecastLayers.find(({ layer }) => layer === name)?.alarms[0];
    });
    expect((await served(drifted)).status).toBe(200);
  });

  it('raises it once, however many ask at once afterwards', async () => {
    const runs = await Promise.all(Array.from({ length: 4 }, () => driftOf([before, after])));
    const [first] = runs;
    expect(first).toMatchObject({ key: drifted, status: 'done', drift: { alarm: true } });
    expect(Number(first?.drift?.z)).toBeLessThan(-2.33);
    expect(runs).toEqual(runs.map(() => first));
    expect(await alarms()).toEqual([
      expect.objectContaining({ actor: COORDINATOR, layer: name, result: drifted }),
    ]);
  });

  it('says so in the list, on the card and in the result that is served', async () => {
    const { stdout } = await run('forecast', 'list', '--json');
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ layer: name, isOn: true, alarms: [drifted] }),
    );
    expect((await run('forecast', 'list')).stdout).toContain('1 drift alarm\n');
    expect(await card()).toContain('Drift alarm: YES. Alarms so far: 1.');
    const { summary } = JSON.parse(await (await served(drifted)).text());
    expect(summary.drift).toMatchObject({ alarm: true });
  });

  it('judges the newest release again after a restart, and logs nothing more', async () => {
    await federation.stop(COORDINATOR);
    rmSync(join(federation.folder(COORDINATOR), 'layers', 'keys', drifted));
    await federation.startCoordinator();
    await until(async () => ((await served(drifted)).status === 200 ? true : undefined));
    expect(await driftOf([before, after])).toMatchObject({ key: drifted, drift: { alarm: true } });
    expect(await driftOf([before])).toMatchObject({ drift: { alarm: false } });
    expect(await alarms()).toHaveLength(1);
  });

  it('judges the newest release as soon as a layer is switched on', async () => {
    federation.nowMs = Date.now();
    const late = 'burglary-switched-on-late';
    const enabled = await run(
      ...['forecast', 'enable', '--layer', late, '--owner', ANALYST, '--category', 'burglary'],
      ...['--key', join(federation.dir, 'analyst.pem'), '--purpose', 'hotspot-policing'],
    );
    expect(enabled).toMatchObject({ code: 0 });
    const alarm = await until(async () => {
      const { forecastLayers } = await federation.graphql<{
        forecastLayers: { layer: string; alarms: string[] }[];
      }>('{ forecastLayers { layer alarms } }');
      return forecastLayers.find(({ layer }) => layer === late)?.alarms[0];
    });
    expect(alarm).toBe(drifted);
  });

  it('leaves a log that the audit finds in order', async () => {
    expect(await federation.audit(COORDINATOR)).toMatchObject({ ok: true, releases: 3 });
  });
});
