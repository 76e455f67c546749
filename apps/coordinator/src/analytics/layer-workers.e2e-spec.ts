/** Layers computed by worker processes out of a real Redis: seen while they grow, cancelled, and brought to their end over a kill. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells, sortedCells } from '#libs/grid';
import { openInlineJobs, Threads } from '#libs/jobs';
import { type LayerResult, layerRequest } from '#libs/layers';
import { monthsOf } from '#libs/query';
import { COORDINATOR, Federation, PrivateRedis, RunningProgram, streetFile } from '#libs/testing';
import { coordinatorPaths } from '../config.js';
import { jobInput, LAYER_JOB, layerJob } from './layer-job.js';
import { LayerStore } from './layer-store.js';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const MAIN = 'dist/apps/coordinator/src/main.js';
const THREAD = join(ROOT, 'dist/apps/coordinator/src/analytics/layer-thread.js');
/** A layer of many steps, each of which tells how far it is. */
const METHOD = 'fairness';
const LITTLE = 6;
const MUCH = 40;

const cells = sortedCells(disk(cellAt(51.4545, -2.5879, 9), 9));
const months = monthsOf('2023-01/2023-12');
const rows = months.flatMap((month, t) =>
  [...cells].flatMap((cell, i) =>
    (i * 7 + t) % 11 === 0
      ? Array.from({ length: 1 + (i % 9) }, () => ({ month, type: 'Robbery', cell }))
      : [],
  ),
);

let redis: PrivateRedis;
let federation: Federation;
let release: string;
let worker: RunningProgram;

beforeAll(async () => {
  redis = await PrivateRedis.start();
  federation = await Federation.open({
    agencies: [
      {
        id: 'alpha-police',
        domain: domainFromCells('test/alpha', cells),
        files: { 'street.csv': streetFile(rows) },
      },
    ],
    limits: { rhoPerQuery: '4', rhoPerYear: '40' },
    redisUrl: redis.url,
  });
  worker = await startWorker();
  const asked = await federation.ask({ categories: ['robbery'], periods: months, rho: '4' });
  release = String(asked.round.release);
});
afterAll(async () => {
  worker?.kill('SIGKILL');
  await worker?.ended;
  await federation?.close();
  await redis?.stop();
});

async function startWorker(): Promise<RunningProgram> {
  const dir = federation.folder(COORDINATOR);
  const started = new RunningProgram(['worker', '--dir', dir], MAIN, { REDIS_URL: redis.url });
  await started.until(({ stderr }) => stderr.includes('"ready"'));
  return started;
}

interface LayerReply {
  readonly key: string;
  readonly status: string;
  readonly progress: number;
}

/** Asks for a layer, without waiting, until it is as wanted, or over. */
async function until(worlds: number, holds: (reply: LayerReply) => boolean): Promise<LayerReply> {
  for (;;) {
    const { layer } = await federation.graphql<{ layer: LayerReply }>(
      `query ($releases: [ID!]!, $worlds: Int!) {
        layer: ${METHOD}(releases: $releases, category: "robbery", resolution: 9, worlds: $worlds) { key status progress } }`,
      { releases: [release], worlds },
    );
    if (holds(layer) || isDone(layer)) return layer;
    await pause(10);
  }
}
const isUnderWay = ({ status, progress }: LayerReply): boolean =>
  status === 'running' && progress > 0.1 && progress < 1;
const isDone = ({ status }: LayerReply): boolean => status === 'done';

/** A layer that is being computed; one that is over before it was seen is followed by a greater one. */
async function underWay(): Promise<{ readonly worlds: number; readonly key: string }> {
  for (let worlds = MUCH; ; worlds += LITTLE) {
    const reply = await until(worlds, isUnderWay);
    if (!isDone(reply)) return { worlds, key: reply.key };
  }
}

const served = (key: string): Promise<Response> =>
  fetch(new URL(`/v1/layers/${key}`, federation.url));

/** Text of a served layer, and that of the same request as the driver without Redis has it computed, here, into an empty folder. */
async function servedAndComputedHere(key: string): Promise<readonly [string, string]> {
  const text = await (await served(key)).text();
  const { parameters, releases } = JSON.parse(text) as LayerResult;
  const folder = join(federation.dir, `here-${key}`);
  const { blobs } = coordinatorPaths(federation.folder(COORDINATOR));
  const threads = new Threads(THREAD);
  const store = await LayerStore.open(folder);
  const jobs = openInlineJobs({
    kinds: [layerJob(store, blobs, threads)],
    concurrency: 1,
    nowMs: Date.now,
    scheduleFile: join(folder, 'schedules.json'),
  });
  try {
    const request = layerRequest(METHOD, parameters, releases);
    await jobs.run(LAYER_JOB, jobInput(request, undefined));
    return [text, Buffer.from((await store.bytes(key)) ?? []).toString()];
  } finally {
    await jobs.close();
    await threads.close();
  }
}

describe('a layer that a worker process computes', () => {
  it('has the bytes of one computed without Redis, and its progress is seen', async () => {
    let key = '';
    let seen: number[] = [];
    // one that is over before it was seen is followed by a greater one
    for (let worlds = LITTLE; !seen.some((share) => share > 0 && share < 1); worlds += LITTLE) {
      const shares = new Set<number>();
      ({ key } = await until(worlds, (reply) => {
        shares.add(reply.progress);
        return isDone(reply);
      }));
      seen = [...shares];
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    }
    const [text, own] = await servedAndComputedHere(key);
    expect(own).toBe(text);
    // nobody but the worker ran it
    expect(worker.stderr).toMatch(/"type":"done","kind":"layer"/);
    expect(federation.lines.join('')).not.toMatch(/"kind":"layer"/);
  });

  it('is given up in the middle when it is cancelled', async () => {
    const { key } = await underWay();
    const { cancelLayer } = await federation.graphql<{ cancelLayer: LayerReply }>(
      'mutation ($key: ID!) { cancelLayer(key: $key) { status } }',
      { key },
    );
    expect(cancelLayer.status).toBe('cancelled');
    await worker.until(({ stderr }) => /"type":"cancelled","kind":"layer"/.test(stderr));
    expect((await served(key)).status).toBe(404);
  });

  it('is brought to the same bytes by another when its worker is killed in the middle', async () => {
    const { key, worlds } = await underWay();
    worker.kill('SIGKILL');
    await worker.ended;
    expect((await served(key)).status).toBe(404);
    worker = await startWorker();
    expect((await until(worlds, isDone)).key).toBe(key);
    // begun by the first, then by this one
    expect(worker.stderr).toMatch(/"type":"done","kind":"layer","key":"[^"]*","attempt":2/);
    const [text, own] = await servedAndComputedHere(key);
    expect(own).toBe(text);
  });
});
