/** The coordinator's edge over real sockets: streams of events that go on where they broke off, and limits that stop nobody they should not. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { FaultProxy, Federation, streetFile } from '#libs/testing';

const bristol = cellAt(51.4545, -2.5879, 9);

interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Events of one connection, until it ends or `stop` says so. */
async function events(
  url: string,
  path: string,
  last?: string,
  stop: (told: readonly Told[]) => boolean = () => false,
): Promise<{ status: number; told: Told[] }> {
  const leave = new AbortController();
  const response = await fetch(new URL(path, url), {
    headers: last === undefined ? {} : { 'last-event-id': last },
    signal: leave.signal,
  });
  const told: Told[] = [];
  if (response.status !== 200 || !response.body) return { status: response.status, told };
  let text = '';
  for await (const chunk of response.body) {
    text += Buffer.from(chunk).toString('utf8');
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end < 0) break;
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const data = field('data');
      if (data !== undefined)
        told.push({ id: field('id') ?? '', event: field('event') ?? '', data: JSON.parse(data) });
    }
    if (stop(told)) break;
  }
  leave.abort();
  return { status: response.status, told };
}

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: ['alpha-police', 'beta-police'].map((id) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(bristol, 2)),
      files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: bristol }]) },
    })),
  });
});
afterAll(() => federation?.close());

describe('events of a round', () => {
  it('come as they happen, each once, however often the connection is made anew', async () => {
    const id = await federation.submit({ categories: ['robbery'], periods: ['2024-01'] });
    const path = `/v1/rounds/${id}/events`;
    const first = await events(federation.url, path, undefined, (told) => told.length >= 2);
    const rest = await events(federation.url, path, first.told.at(-1)?.id);
    const all = await events(federation.url, path);
    expect([...first.told, ...rest.told]).toEqual(all.told);
    expect(all.told.map(({ event }) => event)).toEqual([
      ...['round.opened', 'round.offered', 'contribution.accepted', 'contribution.accepted'],
      ...['round.closed', 'round.composing', 'round.released'],
    ]);
    const ids = all.told.map((told) => BigInt(told.id));
    expect([...ids].sort((a, b) => (a < b ? -1 : 1))).toEqual(ids);
    expect(all.told.at(-1)?.data).toMatchObject({ phase: 'released', settled: 2, asked: 2 });
    // who has seen the end is told to stay away
    expect(await events(federation.url, path, all.told.at(-1)?.id)).toEqual({
      status: 204,
      told: [],
    });
    // and the same after a restart, out of the log
    await federation.stop('coordinator');
    await federation.startCoordinator();
    expect((await events(federation.url, path)).told).toEqual(all.told);
    const { told } = await events(federation.url, '/v1/releases/events', undefined, () => true);
    expect(told).toMatchObject([{ event: 'releases', data: { count: 1 } }]);
  });

  it('end a question that is asked through a connection which keeps breaking', async () => {
    let broken = 0;
    const proxy = await FaultProxy.open(federation.url, ({ path }) => {
      if (!path.endsWith('/events') || broken >= 2) return { kind: 'none' };
      broken += 1;
      return { kind: 'drop-response' };
    });
    const direct = federation.url;
    federation.url = proxy.url;
    const { round } = await federation.ask({
      ...{ categories: ['robbery'], periods: ['2024-01'], resolution: 7 },
    });
    federation.url = direct;
    await proxy.close();
    expect(round.phase).toBe('released');
    expect(broken).toBe(2);
  });

  it.each([
    ['0'.repeat(32), 404],
    ['rubbish', 400],
    ['..%2f..', 400],
  ])('of no round are refused: %s', async (id, status) => {
    expect((await events(federation.url, `/v1/rounds/${id}/events`)).status).toBe(status);
  });
});

describe('limits', () => {
  beforeAll(async () => {
    await federation.stop('coordinator');
    const path = join(federation.folder('coordinator'), 'config.yaml');
    const config = parse(readFileSync(path, 'utf8'));
    writeFileSync(
      path,
      stringify({
        ...config,
        trustedProxies: ['127.0.0.1'],
        limits: { requestsPerAddress: 60, questionsPerAnalyst: 2 },
      }),
    );
    await federation.startCoordinator();
  });
  const get = (path: string, from: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, federation.url), { headers: { 'x-forwarded-for': from, ...headers } });

  it('stop one network and no other, and say when to come back', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 61; i++) statuses.push((await get('/v1/releases', '192.0.2.1')).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(60);
    const refused = await get('/v1/releases', '192.0.2.1');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ status: 429, code: 'too-many-requests' });
    const graphql = await fetch(new URL('/graphql', federation.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.1' },
      body: '{"query":"{__typename}"}',
    });
    expect(graphql.status).toBe(429);
    // a made-up name of no member changes nothing; neighbours, health and nodes' polls go on
    const named = { 'signature-input': 'sig1=();keyid="nobody"' };
    expect((await get('/v1/releases', '192.0.2.1', named)).status).toBe(429);
    expect((await get('/v1/releases', '192.0.2.2')).status).toBe(200);
    expect((await get('/healthz', '192.0.2.1')).status).toBe(200);
    expect((await get('/v1/inbox?after=0&wait=0', '192.0.2.1')).status).toBe(401);
    expect((await get('/v1/manifests?after=0&wait=0', '192.0.2.1')).status).toBe(200);
  });

  it('stop an analyst who asks too much, wherever they ask from', async () => {
    const open = (resolution: number) =>
      federation.submit({ categories: ['robbery'], periods: ['2024-01'], resolution });
    await open(5);
    await open(6);
    await expect(open(7)).rejects.toThrow(/too often/);
  });
});
