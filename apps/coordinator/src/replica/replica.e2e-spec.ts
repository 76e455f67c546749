/** A coordinator and its replica, as processes: what one published the other serves, whoever of them is dead. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { AUDITOR, COORDINATOR, Federation, ServedProcess, streetFile } from '#libs/testing';
import { examineReplica } from './doctor.js';

const AGENCY = 'alpha-police';
const WITHIN_MS = 300_000;
const cell = cellAt(51.4545, -2.5879, 9);

let federation: Federation;
const running: ServedProcess[] = [];
afterAll(async () => {
  for (const process of running) await process.end('SIGKILL');
  await federation?.close();
});
const start = (app: 'auditor' | 'coordinator' | 'node', args: readonly string[]): ServedProcess => {
  const process = new ServedProcess(app, args);
  running.push(process);
  return process;
};

const RELEASES =
  '{ releases { id sentence total { estimate integer } coverage { agency status } } }';
async function graphql(url: string, query: string): Promise<{ data?: unknown; errors?: unknown }> {
  const response = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data?: unknown; errors?: unknown };
}
const countOf = async (url: string): Promise<number> =>
  ((await graphql(url, RELEASES)).data as { releases: unknown[] }).releases.length;
async function untilCount(url: string, count: number): Promise<void> {
  while ((await countOf(url)) < count) await pause(100);
}
const released = async (resolution: number): Promise<string> => {
  const id = await federation.submit({ categories: ['robbery'], periods: ['2024-01'], resolution });
  const round = await federation.untilOver(id);
  expect(round.phase).toBe('released');
  return round.release ?? '';
};

/** What the stream of published releases says, up to `last`. */
async function heard(url: string, last: string): Promise<string> {
  const { body } = await fetch(new URL('/v1/releases/events', url));
  const decoder = new TextDecoder();
  let said = '';
  for await (const bytes of body as AsyncIterable<Uint8Array>) {
    said += decoder.decode(bytes, { stream: true });
    if (said.includes(last)) break;
  }
  return said;
}

/** What the doctor finds of each thing that it looks at in the folder of a replica. */
const examined = async (dir: string): Promise<Record<string, string>> => {
  const { findings } = await examineReplica(dir, Date.now);
  return Object.fromEntries(findings.map(({ check, status }) => [check, status]));
};

it(
  'serves releases while the writer is dead, over its own restart, and catches up',
  async () => {
    federation = await Federation.open({
      agencies: [
        {
          id: AGENCY,
          domain: domainFromCells('test/alpha', disk(cell, 2)),
          files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell }]) },
        },
      ],
      serve: false,
    });
    federation.nowMs = Date.now();
    const folder = federation.folder(COORDINATOR);
    const serve = ['serve', '--dir', folder, '--port'];
    let writer = start('coordinator', [...serve, '0']);
    federation.url = await writer.ready;
    const { port } = new URL(federation.url);
    const dial = ['--coordinator', federation.url];
    await start('auditor', ['serve', '--dir', federation.folder(AUDITOR), ...dial]).ready;
    await start('node', ['serve', '--dir', federation.folder(AGENCY), ...dial]).ready;
    const first = await released(7);

    const dir = join(federation.dir, 'replica');
    const { publicKey } = federation.manifest.coordinator;
    const of = ['--of', federation.url, '--key', publicKey];
    let replica = start('coordinator', ['replica', '--dir', dir, ...of, '--port', '0']);
    let url = await replica.ready;
    await untilCount(url, 1);
    expect(await graphql(url, RELEASES)).toEqual(await graphql(federation.url, RELEASES));
    const chunk = `/v1/grid/${first}/robbery/2024-01/7`;
    const bytesOf = async (base: string) =>
      Buffer.from(await (await fetch(new URL(chunk, base))).arrayBuffer()).toString('hex');
    expect(await examined(dir)).toMatchObject({ log: 'ok', releases: 'ok', writer: 'ok' });
    const [ofWriter, ofReplica] = [await bytesOf(federation.url), await bytesOf(url)];
    expect(ofReplica).toBe(ofWriter);
    const layer = `{ concentration(releases: ["${first}"], resolution: 7, category: "robbery", waitSeconds: 20) { key status } }`;
    expect(await graphql(url, layer)).toEqual(await graphql(federation.url, layer));

    // nothing is written here, and whoever tries is told where
    for (const [method, path] of [
      ['POST', '/v1/offers'],
      ['POST', '/v1/rounds/x/contribution'],
      ['GET', '/v1/inbox?after=0&wait=25'],
      ['GET', '/v1/log/checkpoint'],
    ] as const) {
      const response = await fetch(new URL(path, url), { method });
      expect([path, response.status]).toEqual([path, 421]);
      const said = (await response.json()) as { code: string; title: string };
      expect(said).toMatchObject({ code: 'read-only-replica' });
      expect(said.title).toContain(federation.url);
    }
    const writing = federation.url;
    federation.url = url;
    const asking = federation.submit({ categories: ['robbery'], periods: ['2024-01'] });
    await expect(asking).rejects.toThrow(/replica that only reads/);
    federation.url = writing;
    const ready = async (): Promise<{ status: number; body: Record<string, unknown> }> => {
      const response = await fetch(new URL('/readyz', url));
      return {
        status: response.status,
        body: (await response.json()) as Record<string, unknown>,
      };
    };
    const { body } = await ready();
    expect(body).toMatchObject({ status: 'ready', replicaOf: federation.url });
    expect(typeof body.lagSeconds).toBe('number');

    await writer.end('SIGKILL');
    expect(await countOf(url)).toBe(1);
    await replica.end('SIGKILL');
    replica = start('coordinator', ['replica', '--dir', dir, '--port', '0']);
    url = await replica.ready;
    expect(await countOf(url)).toBe(1);
    expect(await bytesOf(url)).toBe(ofWriter);
    expect(await ready()).toMatchObject({ status: 200, body: { lagSeconds: null } });

    writer = start('coordinator', [...serve, port]);
    await writer.ready;
    const news = heard(url, '"count":2');
    await released(6);
    expect(await news).toMatch(/"count":1}.*"count":2}/s);
    await untilCount(url, 2);
    expect(await graphql(url, RELEASES)).toEqual(await graphql(federation.url, RELEASES));

    // another key than the one that signed the manifest
    const other = ['--of', federation.url, '--key', federation.manifest.auditor.publicKey];
    const elsewhere = join(federation.dir, 'elsewhere');
    const refused = start('coordinator', ['replica', '--dir', elsewhere, ...other, '--port', '0']);
    expect(await refused.ended).toBe(1);
    await expect(refused.ready).rejects.toThrow(/wrong-signer/);
  },
  WITHIN_MS,
);
