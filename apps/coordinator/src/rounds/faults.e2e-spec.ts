/**
 * Nodes behind a bad network. Every cell holds one incident of one agency and the noise is zero, so a released cell above 1 would prove
 * an answer that was counted twice, and a missing one an answer that was lost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { fromUtf8 } from '#libs/bytes';
import { buildTree, cellAt, disk, domainFromCells, indexOf, parseDomainFile } from '#libs/grid';
import type { ReleaseHeader } from '#libs/protocol';
import {
  AUDITOR,
  COORDINATOR,
  FaultProxy,
  Federation,
  type NetworkFault,
  PrivateRedis,
  type RoundSeen,
  RunningProgram,
  type SeenRequest,
  seededRandom,
  streetFile,
  type TestQuestion,
} from '#libs/testing';

const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';
const OPERATIONS = NIGHTLY ? 200 : 10;
const RINGS = 4;
const bristol = cellAt(51.4545, -2.5879, 9);
const border = disk(bristol, RINGS).at(-1) as bigint;
/** The two areas overlap; the cells of both belong to one of them each. */
const AREAS = { 'alpha-police': disk(bristol, RINGS), 'beta-police': disk(border, RINGS) } as const;
type AgencyId = keyof typeof AREAS;
const AGENCIES = Object.keys(AREAS) as AgencyId[];
const MONTHS = ['2024-01', '2024-02', '2024-03'];
/** So much budget that the noise is zero but for a chance below e^-20000. */
const RHO = '1000000';

const incidentsOf = (agency: AgencyId): bigint[] => {
  const [first, second] = AGENCIES as [AgencyId, AgencyId];
  const others = new Set(AREAS[agency === first ? second : first]);
  return [...AREAS[agency]].filter(
    (cell) => !others.has(cell) || cell % 2n === (agency === first ? 0n : 1n),
  );
};

const WORKER = 'dist/apps/coordinator/src/main.js';

let federation: Federation;
let redis: PrivateRedis | undefined;
let worker: RunningProgram | undefined;
const proxies = new Map<string, FaultProxy>();
async function startWorker(): Promise<void> {
  if (!redis) return;
  const args = ['worker', '--dir', federation.folder(COORDINATOR)];
  worker = new RunningProgram(args, WORKER, { REDIS_URL: redis.url });
  await worker.until(({ stderr }) => stderr.includes('"ready"'));
}
async function killWorker(): Promise<void> {
  worker?.kill('SIGKILL');
  await worker?.ended;
}
afterEach(async () => {
  await killWorker();
  worker = undefined;
  for (const id of AGENCIES) await federation?.stop(id);
  for (const proxy of proxies.values()) await proxy.close();
  proxies.clear();
  await federation?.close();
  await redis?.stop();
  redis = undefined;
});

async function open(
  choose: (agency: AgencyId) => (request: SeenRequest) => NetworkFault,
  roundDeadlineSeconds: number,
): Promise<void> {
  federation = await Federation.open({
    agencies: AGENCIES.map((id) => ({
      id,
      domain: domainFromCells(`test/${id}`, AREAS[id]),
      files: {
        'street.csv': streetFile(
          incidentsOf(id).flatMap((cell) =>
            MONTHS.map((month) => ({ month, type: 'Robbery', cell })),
          ),
        ),
      },
    })),
    limits: { rhoPerQuery: RHO, rhoPerYear: '1000000000', queriesPerDay: 10_000 },
    roundDeadlineSeconds,
    ...(redis ? { redisUrl: redis.url } : {}),
    serve: false,
  });
  await federation.startCoordinator();
  await startWorker();
  await federation.startAuditor();
  for (const id of AGENCIES) {
    const proxy = await FaultProxy.open(federation.url, choose(id));
    proxies.set(id, proxy);
    await federation.startNode(id, proxy.url);
  }
}

/** Every leaf of every released group is 1 where an agency that answered has its incident, and 0 elsewhere. */
async function expectOneHot(round: RoundSeen): Promise<void> {
  const header = JSON.parse(fromUtf8(await federation.blob(round.release ?? ''))) as ReleaseHeader;
  for (const { raw, coverageClass } of header.groups) {
    const { agencies = [], domain = '' } = header.classes[coverageClass] ?? {};
    const area = parseDomainFile('coverage', fromUtf8(await federation.blob(domain)));
    const tree = buildTree(area, { finest: 9 });
    const values = new Int32Array((await federation.blob(raw)).slice().buffer);
    const expected = new Int32Array(tree.nodeCount);
    for (const agency of agencies as AgencyId[]) {
      for (const cell of incidentsOf(agency)) {
        for (let node = indexOf(tree, cell); node > 0; node = tree.parent[node] as number) {
          expected[node] = (expected[node] as number) + 1;
        }
        expected[0] = (expected[0] as number) + 1;
      }
    }
    expect(Buffer.compare(Buffer.from(values.buffer), Buffer.from(expected.buffer))).toBe(0);
    const leaves = values.subarray(tree.levelStart[tree.levelResolution.length - 1]);
    expect(Math.max(...leaves)).toBe(1);
  }
}
const QUESTION: TestQuestion = { categories: ['robbery'], periods: ['2024-01'], rho: RHO };
const statuses = ({ coverage }: RoundSeen): string[] => coverage.map(({ status }) => status);

type Meeting = [NetworkFault, (request: SeenRequest) => boolean];
/** The simulation below has every fault in every run; one by one the rest of them are for the night. */
const MEETINGS: readonly Meeting[] = [
  [{ kind: 'drop-response' }, ({ path }) => /contribution|vectors|inbox/.test(path)],
  [{ kind: 'trickle', bytesPerSecond: 1, bytes: 3 }, ({ method }) => method === 'PATCH'],
];
const NIGHTLY_MEETINGS: readonly Meeting[] = [
  [{ kind: 'delay', ms: 700 }, () => true],
  [{ kind: 'drop-request' }, ({ path }) => /contribution|vectors/.test(path)],
  [{ kind: 'duplicate' }, ({ method }) => method !== 'GET'],
  [{ kind: 'half-close' }, ({ method }) => method !== 'GET'],
  [{ kind: 'garbage' }, () => true],
];

it.each<Meeting>([...MEETINGS, ...(NIGHTLY ? NIGHTLY_MEETINGS : [])])(
  'answers once over %o',
  async (fault, concerns) => {
    // each path of each agency meets the fault twice, then works
    const met = new Map<string, number>();
    const offsets: string[] = [];
    await open(
      (agency) => (request) => {
        const key = `${agency} ${request.method} ${request.path.replace(/\?.*/, '')}`;
        const times = met.get(key) ?? 0;
        if (request.method === 'PATCH')
          offsets.push(request.path.replace(/.*\?(offset=\d+).*/, '$1'));
        if (!concerns(request) || times >= 2) return { kind: 'none' };
        met.set(key, times + 1);
        return fault;
      },
      120,
    );
    const id = await federation.submit(QUESTION);
    const round = await federation.untilOver(id);
    expect(round).toMatchObject({ phase: 'released' });
    expect(statuses(round)).toEqual(['answered', 'answered']);
    await expectOneHot(round);
    const done = [...proxies.values()].map((proxy) => proxy.done.get(fault.kind) ?? 0);
    expect(Math.min(...done)).toBeGreaterThanOrEqual(2);
    // what came over a starved connection is not sent again
    if (fault.kind === 'trickle') {
      expect(offsets.filter((offset) => offset === 'offset=0')).toHaveLength(AGENCIES.length);
      expect(new Set(offsets)).toContain('offset=6');
    }
    for (const agency of AGENCIES) {
      const entries = await federation.entries(agency);
      expect(entries.filter(({ kind }) => kind === 'budget.reserved')).toHaveLength(1);
      expect(entries.filter(({ kind }) => kind === 'release.made')).toHaveLength(1);
    }
  },
);

const DRIVERS = [
  { jobs: 'in the coordinator', onRedis: false },
  { jobs: 'in a worker out of Redis, both killed', onRedis: true },
];

it.each(DRIVERS)(
  `counts nothing twice and loses nothing over ${OPERATIONS} operations on a bad network, with jobs $jobs`,
  async ({ onRedis }) => {
    redis = onRedis ? await PrivateRedis.start() : undefined;
    const words = new Uint32Array(1);
    const random = seededRandom('bad network');
    const upTo = (bound: number): number => {
      random.fillWords(words);
      return Math.floor(((words[0] as number) / 2 ** 32) * bound);
    };
    const FAULTS: readonly NetworkFault[] = [
      { kind: 'delay', ms: 150 },
      { kind: 'drop-request' },
      { kind: 'drop-response' },
      { kind: 'duplicate' },
      { kind: 'half-close' },
      { kind: 'garbage' },
      { kind: 'trickle', bytesPerSecond: 20, bytes: 5 },
    ];
    // one request in three fares badly
    await open(
      () => () =>
        upTo(3) === 0 ? (FAULTS[upTo(FAULTS.length)] as NetworkFault) : { kind: 'none' },
      6 * 3_600,
    );
    const rounds: string[] = [];
    const stopped = new Set<AgencyId>();
    const done = new Map<string, number>();
    const operations: Readonly<Record<string, () => Promise<void>>> = {
      ask: async () => {
        const periods = MONTHS.slice(0, 1 + upTo(MONTHS.length));
        const agencies = upTo(3) === 0 ? { agencies: [AGENCIES[upTo(2)] as string] } : {};
        rounds.push(await federation.submit({ ...QUESTION, periods, ...agencies }));
      },
      restart: async () => {
        await federation.stop(COORDINATOR);
        await federation.startCoordinator();
      },
      'restart-auditor': async () => {
        await federation.stop(AUDITOR);
        await federation.startAuditor();
      },
      'stop-node': async () => {
        const id = AGENCIES[upTo(2)] as AgencyId;
        if (stopped.has(id)) return;
        await federation.stop(id);
        stopped.add(id);
      },
      'start-node': async () => {
        for (const id of stopped) await federation.startNode(id, proxies.get(id)?.url);
        stopped.clear();
      },
      'pass-time': async () => {
        federation.nowMs += upTo(60_000);
      },
      wait: () => pause(upTo(500)),
      'kill-worker': async () => {
        await killWorker();
        await startWorker();
      },
      'kill-redis': async () => {
        await redis?.kill();
        await redis?.restart();
      },
    };
    const mix = [
      ...(onRedis ? ['kill-worker', 'kill-redis'] : []),
      'ask',
      'ask',
      'ask',
      'restart',
      'restart-auditor',
      'stop-node',
      'start-node',
      'pass-time',
      'wait',
    ];
    const first = ['ask', 'ask', ...(onRedis ? ['kill-redis', 'kill-worker'] : [])];
    for (let i = 0; i < OPERATIONS; i++) {
      const name = first[i] ?? (mix[upTo(mix.length)] as string);
      await operations[name]?.();
      done.set(name, (done.get(name) ?? 0) + 1);
    }
    await operations['start-node']?.();
    const ended = await Promise.all(rounds.map((id) => federation.untilOver(id)));
    for (const round of ended) {
      expect(round.phase).toBe('released');
      expect(new Set(statuses(round))).toEqual(new Set(['answered']));
      await expectOneHot(round);
    }
    const faults = [...proxies.values()].flatMap((proxy) => [...proxy.done]);
    const sum = (kind: string) =>
      faults.filter(([of]) => of === kind).reduce((total, [, times]) => total + times, 0);
    process.stderr.write(
      `${[...done].map(([name, times]) => `${name} ${times}`).join(', ')}; ` +
        `${['none', ...FAULTS.map(({ kind }) => kind)].map((kind) => `${kind} ${sum(kind)}`).join(', ')}; ` +
        `${ended.length} rounds, all one-hot\n`,
    );
  },
  120_000 + OPERATIONS * 20_000,
);
