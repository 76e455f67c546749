/** One id through the logs of every process that has to do with a question: coordinator, nodes, auditor and worker; and nothing else of it. */
import { afterAll, expect, it } from '@jest/globals';
import { cellAt, cellToText, disk, domainFromCells } from '#libs/grid';
import { Federation } from './federation.js';
import { ANALYST, AUDITOR, COORDINATOR } from './found-federation.js';
import { PrivateRedis } from './private-redis.js';
import { RunningProgram } from './program.js';
import { streetFile } from './street-file.js';

const AGENCIES = ['alpha-police', 'beta-police', 'gamma-police'];
const cell = cellAt(51.4545, -2.5879, 9);
const neighbours = disk(cell, 2);
const CATEGORY = 'robbery';
const MONTH = '2024-01';
const INCIDENTS = 4_711;

let redis: PrivateRedis | undefined;
let federation: Federation | undefined;
let worker: RunningProgram | undefined;
afterAll(async () => {
  worker?.kill('SIGKILL');
  await worker?.ended;
  await federation?.close();
  await redis?.stop();
});

interface Line {
  readonly process: string;
  readonly msg: string;
  readonly trace_id?: string;
}
const parsed = (line: string): Line => JSON.parse(line) as Line;

it('goes from the question to the receipt, and no line says more of it', async () => {
  redis = await PrivateRedis.start();
  const running = await Federation.open({
    agencies: AGENCIES.map((id) => ({
      id,
      domain: domainFromCells(`test/${id}`, neighbours),
      files: {
        'street.csv': streetFile(
          Array.from({ length: INCIDENTS }, () => ({ month: MONTH, type: 'Robbery', cell })),
        ),
      },
    })),
    redisUrl: redis.url,
  });
  federation = running;
  worker = new RunningProgram(
    ['worker', '--dir', running.folder(COORDINATOR)],
    'dist/apps/coordinator/src/main.js',
    { REDIS_URL: redis.url },
  );
  const question = { categories: [CATEGORY], periods: [MONTH], sealed: true } as const;
  const id = await running.submit(question);
  expect((await running.untilOver(id)).phase).toBe('released');
  await worker.until(({ stderr }) => stderr.includes('job done'));

  const ofWorker = worker.stderr.split('\n').filter((line) => line.startsWith('{'));
  const lines = [...running.lines, ...ofWorker].map(parsed);
  const said = lines
    .filter(({ trace_id: of }) => of === id)
    .map(({ process, msg }) => `${process}: ${msg}`);
  for (const wanted of [
    `${COORDINATOR}: asked`,
    ...AGENCIES.map((agency) => `${agency}: answered`),
    `${AUDITOR}: unmasked a round`,
    'coordinator-worker: job started',
    'coordinator-worker: job done',
    `${COORDINATOR}: released`,
  ])
    expect(said).toContain(wanted);
  // every line that has a trace has this one: there was one question
  expect(new Set(lines.flatMap(({ trace_id: of }) => of ?? []))).toEqual(new Set([id]));

  // it is the id of the round in what the nodes logged and signed
  const accepted = (await running.entries(COORDINATOR)).filter(
    (entry) => entry.kind === 'contribution.accepted' && entry.round === id,
  );
  expect(accepted).toHaveLength(AGENCIES.length);
  for (const agency of AGENCIES) {
    const received = (await running.entries(agency)).filter(
      ({ kind }) => kind === 'query.received',
    );
    expect(received).toMatchObject([{ round: id }]);
  }

  const text = [...running.lines, worker.stderr].join('\n');
  const places = [...neighbours].map(cellToText);
  for (const secret of [...places, MONTH, ANALYST, String(INCIDENTS), `"${CATEGORY}"`])
    expect(text.includes(secret) ? `logged ${secret}` : 'not logged').toBe('not logged');
}, 240_000);
