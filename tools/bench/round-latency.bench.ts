import { cellAt, disk, domainFromCells } from '#libs/grid';
import { verifySignature } from '#libs/keystore';
import { createLogger, SignedClient } from '#libs/nest-kit';
import { type Contribution, type Signed, seal } from '#libs/protocol';
import { FaultProxy, Federation, streetFile } from '#libs/testing';
import { CoordinatorClient } from '../../apps/node/src/coordinator-client.js';
import { handleTask } from '../../apps/node/src/handle-task.js';
import { openNode } from '../../apps/node/src/open-node.js';

type Emit = (line: {
  name: string;
  figure: number;
  unit: string;
  peer?: string;
  ratio?: number;
}) => void;

const AGENCIES = 43;
const DEAD = 3;
const SLOW = 3;
const LYING = 1;
/** Long enough for 36 nodes in one process of a busy machine to answer; what is measured begins where it ends. */
const DEADLINE_SECONDS = 120;
const LATE_MS = 3_600_000;
/** What the design allows between the deadline and the result. */
const ALLOWED_MS = 2_000;

const nameOf = (i: number): string => `agency-${String(i).padStart(2, '0')}`;

/** Answers one task as an agency that claims less noise than it paid for. */
async function lie(federation: Federation, agency: string): Promise<void> {
  const nowMs = (): number => federation.nowMs;
  const node = await openNode(federation.folder(agency), {
    nowMs,
    logger: createLogger(agency, 'silent'),
  });
  try {
    const { publicKey } = federation.manifest.coordinator;
    const client = new CoordinatorClient(
      new SignedClient({
        url: federation.url,
        id: agency,
        key: node.key,
        server: () => publicKey,
        verify: verifySignature,
        nowMs,
      }),
    );
    const { items } = await client.inbox(0, 20, new AbortController().signal);
    for (const { task } of items) {
      await handleTask(task, node, {
        putVector: (digest, bytes) => client.putVector(digest, bytes),
        post: async (path, message) => {
          const { payload } = message as Signed<Contribution>;
          const claim = payload.receipt.payload.levelVariances.map(() => '1/1000000');
          const receipt = seal(
            'receipt',
            { ...payload.receipt.payload, levelVariances: claim },
            node.key,
          );
          await client.post(path, seal('contribution', { ...payload, receipt }, node.key));
        },
      });
    }
  } finally {
    await node.close();
  }
}

/**
 * One round of 43 real nodes over loopback, of which 3 do not run, the answers of 3 are held back until long after the deadline, and 1 claims
 * less noise than it paid for. From the deadline to the published release, all in this process: a machine that computes
 * 43 nodes at once answers late, one that only composes does not.
 */
export async function run(emit: Emit): Promise<void> {
  const federation = await Federation.open({
    agencies: Array.from({ length: AGENCIES }, (_, i) => {
      const cell = cellAt(50.5 + (i % 7) * 0.6, -4 + Math.floor(i / 7) * 0.7, 9);
      return {
        id: nameOf(i),
        domain: domainFromCells(`bench/${nameOf(i)}`, disk(cell, 8)),
        files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell }]) },
      };
    }),
    roundDeadlineSeconds: DEADLINE_SECONDS,
    serve: false,
  });
  const proxies: FaultProxy[] = [];
  try {
    await federation.startCoordinator();
    await federation.startAuditor();
    const liar = nameOf(DEAD + SLOW);
    for (let i = DEAD; i < AGENCIES; i++) {
      if (nameOf(i) === liar) continue;
      const proxy =
        i < DEAD + SLOW &&
        (await FaultProxy.open(federation.url, ({ path }) =>
          path.startsWith('/v1/inbox') || path.startsWith('/v1/offers')
            ? { kind: 'none' }
            : { kind: 'delay', ms: LATE_MS },
        ));
      if (proxy) proxies.push(proxy);
      await federation.startNode(nameOf(i), proxy ? proxy.url : federation.url);
    }
    const cpuBefore = process.cpuUsage();
    const asked = performance.now();
    const id = await federation.submit({ categories: ['robbery'], periods: ['2024-01'] });
    await lie(federation, liar);
    await federation.untilRound(
      id,
      ({ coverage }) =>
        coverage.filter(({ status }) => status === 'answered').length ===
        AGENCIES - DEAD - SLOW - LYING,
    );
    emit({
      name: 'round-latency/last answer in time',
      figure: performance.now() - asked,
      unit: 'ms',
    });
    // the time of the coordinator jumps to the deadline
    federation.nowMs += DEADLINE_SECONDS * 1000;
    const closed = performance.now();
    const round = await federation.untilOver(id);
    const figure = performance.now() - closed;
    const { user, system } = process.cpuUsage(cpuBefore);
    const answered = round.coverage.filter(({ status }) => status === 'answered').length;
    emit({
      name: 'round-latency/release after the deadline',
      figure,
      unit: 'ms',
      peer: `${ALLOWED_MS} ms of the design`,
      ratio: figure / ALLOWED_MS,
    });
    emit({
      name: 'round-latency/agencies that answered',
      figure: answered,
      unit: `of ${round.coverage.length}`,
    });
    emit({
      name: 'round-latency/processor time of all processes',
      figure: (user + system) / 1000,
      unit: 'ms',
    });
  } finally {
    for (const proxy of proxies) await proxy.close();
    await federation.close();
  }
}
