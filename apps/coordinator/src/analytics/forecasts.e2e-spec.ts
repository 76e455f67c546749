/** Forecasts through a whole federation: switched on and off by their owner, computed again by the command line, watched for drift. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSigningKey } from '#libs/keystore';
import { seal } from '#libs/protocol';
import { ANALYST, COORDINATOR, type Federation } from '#libs/testing';
import { LayersSite, settled, unsettled, until } from './layers-site.fixture-spec.js';

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
