import { setTimeout as pause } from 'node:timers/promises';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { verifySignature } from '#libs/keystore';
import { createLogger, SignedClient } from '#libs/nest-kit';
import { type Contribution, type Signed, seal } from '#libs/protocol';
import { COORDINATOR, FaultProxy, Federation, streetFile } from '#libs/testing';
import { CoordinatorClient } from '../../apps/node/src/coordinator-client.js';
import { handleTask } from '../../apps/node/src/handle-task.js';
import { openNode } from '../../apps/node/src/open-node.js';
import type { Emit } from './line.js';
import { MeasuredCoordinator, type Published } from './measured-coordinator.js';

const AGENCIES = 43;
const DEAD = 3;
const SLOW = 3;
const LYING = 1;
/** No note of any log changed for so long: what the answers made the witnesses do is over. */
const QUIET_MS = 2_000;
/** Long enough for 36 nodes in one process of a busy machine to answer; what is measured begins where it ends. */
const DEADLINE_SECONDS = 120;
const LATE_MS = 3_600_000;
/** What the design allows between the deadline and the result. */
const ALLOWED_MS = 2_000;

/** A question each: two rounds with time to settle before their deadlines, two without. */
const RHOS = ['1/8', '1/9', '1/10', '1/11'];

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

/** Waits until the witnesses of all logs have nothing more to do: a deadline is minutes after the last answer, as a rule. */
async function untilQuiet(federation: Federation): Promise<void> {
  let last = '';
  for (let since = performance.now(); performance.now() - since < QUIET_MS; ) {
    const notes = await (await fetch(new URL('/v1/checkpoints', federation.url))).text();
    if (notes !== last) since = performance.now();
    last = notes;
    await pause(QUIET_MS / 10);
  }
}

/** Asks, waits for every answer that can come, lets the deadline pass and waits for the release. */
async function measure(
  federation: Federation,
  coordinator: MeasuredCoordinator,
  { liar, rho, isQuiet }: { liar: string; rho: string; isQuiet: boolean },
): Promise<{ answersMs: number; published: Published; coverage: string[] }> {
  const asked = performance.now();
  const id = await federation.submit({ categories: ['robbery'], periods: ['2024-01'], rho });
  await lie(federation, liar);
  await federation.untilRound(
    id,
    ({ coverage }) =>
      coverage.filter(({ status }) => status === 'answered').length ===
      AGENCIES - DEAD - SLOW - LYING,
  );
  const answersMs = performance.now() - asked;
  if (isQuiet) await untilQuiet(federation);
  // the time of the federation jumps to the deadline
  federation.nowMs += DEADLINE_SECONDS * 1000;
  const published = await coordinator.publishAt(federation.nowMs);
  const round = await federation.untilOver(id);
  return { answersMs, published, coverage: round.coverage.map(({ status }) => status) };
}

/**
 * Rounds of 43 real nodes over loopback, of which 3 do not run, the answers of 3 are held back until long after the deadline, and 1 claims
 * less noise than it paid for: from the deadline to the published release. The coordinator has a process of its own, as it has everywhere, and
 * shares the machine with the nodes, which are all in this one. A deadline that falls on the last answer comes while all nodes log and witness;
 * the other comes when that is over. The first round of a coordinator composes with nothing warm but what it prepares while it collects.
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
  let coordinator: MeasuredCoordinator | undefined;
  try {
    coordinator = await MeasuredCoordinator.start(federation.folder(COORDINATOR), federation.nowMs);
    federation.url = coordinator.url;
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
    await untilQuiet(federation);
    for (const [at, rho] of RHOS.entries()) {
      const isQuiet = at % 2 === 0;
      const when = isQuiet ? 'deadline after the last answer' : 'deadline at the last answer';
      const name = `round-latency/round ${at + 1}, ${when}`;
      const { answersMs, published, coverage } = await measure(federation, coordinator, {
        liar,
        rho,
        isQuiet,
      });
      const { wallMs, cpuMs, delayP99Ms } = published;
      emit({ name: `${name}, last answer`, figure: answersMs, unit: 'ms' });
      emit({
        name: `${name}, release after it`,
        figure: wallMs,
        unit: 'ms',
        peer: `${ALLOWED_MS} ms of the design`,
        ratio: wallMs / ALLOWED_MS,
      });
      emit({
        name: `${name}, processor time of the coordinator until the release`,
        figure: cpuMs,
        unit: 'ms',
      });
      emit({ name: `${name}, p99 of event-loop delay`, figure: delayP99Ms, unit: 'ms' });
      emit({
        name: `${name}, agencies that answered`,
        figure: coverage.filter((status) => status === 'answered').length,
        unit: `of ${coverage.length}`,
      });
    }
  } finally {
    for (const proxy of proxies) await proxy.close();
    // it writes to its folder, which goes with the federation
    await coordinator?.stop();
    await federation.close();
  }
}
