/**
 * A linkage project whose processes are killed with SIGKILL while keys are made and people are labelled, and one in which a key-holder is
 * away from the first label to the last. Both end with the labels of an undisturbed run, and nothing is evaluated twice.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  COUNT_KEYS,
  countMatchKey,
  matchKeyInput,
  standardise,
  syntheticLists,
} from '#libs/linkage';
import type { LinkageAction, LinkageStatus } from '#libs/protocol';
import {
  AUDITOR,
  COORDINATOR,
  eventually,
  Federation,
  freePort,
  type LinkageOperator,
  linkageOperator,
  ServedProcess,
  seededRandom,
} from '#libs/testing';
import type { EntryOf } from '#libs/tlog';
import { agenciesKnowing } from './people-file.fixture-spec.js';

const POLICE = 'test-police';
const COUNCIL = 'test-council';
const HOLDERS = [AUDITOR, POLICE, COUNCIL] as const;
const WITHIN_MS = 500_000;
const OUTPUT_BYTES = 64;

const lists = syntheticLists(
  { both: 60, onlyLeft: 20, onlyRight: 20, dependence: 1 },
  seededRandom('killed linkage'),
);

let federation: Federation;
const running = new Map<string, ServedProcess>();

async function start(id: string): Promise<void> {
  const folder = ['serve', '--dir', federation.folder(id)];
  const app = id === COORDINATOR || id === AUDITOR ? id : 'node';
  const { port } = new URL(federation.url);
  const process = new ServedProcess(app, [
    ...folder,
    ...(id === COORDINATOR ? ['--port', port] : ['--coordinator', federation.url]),
  ]);
  running.set(id, process);
  const address = await process.ready;
  if (id === COORDINATOR) federation.url = address;
}
const kill = async (id: string): Promise<void> => running.get(id)?.end('SIGKILL');
const restart = async (id: string): Promise<void> => {
  await kill(id);
  await start(id);
};

/** What an operator is told while the coordinator is away, or goes. */
const AWAY = new Set(['unreachable', 'not-a-coordinator', 'stopping']);

/** Gives an instruction over whatever outage of the coordinator. */
async function tell(operator: LinkageOperator, action: LinkageAction): Promise<LinkageStatus> {
  for (;;) {
    federation.nowMs = Date.now();
    try {
      return await operator.tell(action);
    } catch (error) {
      if (!AWAY.has((error as { code?: string }).code ?? '')) throw error;
      await pause(200);
    }
  }
}
/** The same, until every process concerned has taken it. */
async function tellAll(operator: LinkageOperator, action: LinkageAction): Promise<void> {
  for (;;) {
    const { parts } = await tell(operator, action);
    if (parts.every(({ code }) => code === null)) return;
    expect(parts.filter(({ code }) => code !== null && code !== 'no-answer')).toEqual([]);
  }
}
const statesOf = (status: LinkageStatus, role: 'holder' | 'node'): string[] =>
  status.parts.flatMap(({ parts }) =>
    parts.filter((part) => part.role === role).map(({ state, code }) => code ?? state),
  );
async function until(
  operator: LinkageOperator,
  holds: (status: LinkageStatus) => boolean,
): Promise<void> {
  for (;;) {
    const status = await tell(operator, 'status');
    if (holds(status)) return;
    const failed = [...statesOf(status, 'holder'), ...statesOf(status, 'node')];
    expect(failed.filter((state) => state === 'failed')).toEqual([]);
    await pause(300);
  }
}
const everyoneIs = (role: 'holder' | 'node', state: string, count: number) => (s: LinkageStatus) =>
  statesOf(s, role).filter((found) => found === state).length === count;

const outputsOf = (node: string, epoch: string, column: string): string[] => {
  const file = join(federation.folder(node), 'linkage/labels', `harm.${epoch}`, 'outputs', column);
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  return Array.from({ length: bytes.length / OUTPUT_BYTES }, (_, i) =>
    bytes.toString('hex', i * OUTPUT_BYTES, (i + 1) * OUTPUT_BYTES),
  ).filter((output) => /[1-9a-f]/.test(output));
};
const labelledBytes = (node: string, epoch: string): number =>
  COUNT_KEYS.map((key) =>
    join(federation.folder(node), 'linkage/labels', `harm.${epoch}`, 'outputs', `${key}.people`),
  ).reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0);

/** How many values two lists share, for every key type: by labels, and by the records in the clear. */
const shared = (left: readonly string[], right: readonly string[]): number => {
  const other = new Set(right);
  return [...new Set(left)].filter((value) => other.has(value)).length;
};
const inTheClear = (side: 'left' | 'right', key: (typeof COUNT_KEYS)[number]): string[] =>
  lists[side].flatMap(({ record }) => {
    const context = { project: 'any', epoch: 'any' };
    const input = matchKeyInput(countMatchKey(key), standardise(record), context);
    return input ? [Buffer.from(input).toString('hex')] : [];
  });
const sharedByLabels = (epoch: string): number[] =>
  COUNT_KEYS.map((key) =>
    shared(outputsOf(POLICE, epoch, `${key}.people`), outputsOf(COUNCIL, epoch, `${key}.people`)),
  );
const SHARED = COUNT_KEYS.map((key) => shared(inTheClear('left', key), inTheClear('right', key)));

/** The batches of an epoch in the logs of all three holders, as far as these are published. */
async function evaluated(epoch: string): Promise<EntryOf<'linkage.batch'>[]> {
  const batches: EntryOf<'linkage.batch'>[] = [];
  for (const holder of HOLDERS) {
    for (const entry of await federation.entries(holder)) {
      if (entry.kind === 'linkage.batch' && entry.epoch === epoch) batches.push(entry);
    }
  }
  return batches;
}

const operatorOf = (epoch: string): Promise<LinkageOperator> =>
  linkageOperator(federation, { project: 'harm', epoch, left: POLICE, right: COUNCIL });

beforeAll(async () => {
  federation = await Federation.open({
    agencies: agenciesKnowing(lists, POLICE, COUNCIL),
    limits: { rhoPerQuery: '2', rhoPerYear: '8', measures: ['incidents', 'linked-people'] },
    keyHolders: [...HOLDERS],
    serve: false,
  });
  federation.url = `http://127.0.0.1:${await freePort()}`;
  for (const id of [COORDINATOR, AUDITOR, COUNCIL, POLICE]) await start(id);
});
afterAll(async () => {
  for (const process of running.values()) await process.end('SIGKILL');
  await federation?.close();
});

describe('a linkage project over SIGKILLs', () => {
  const epoch = '2024-1';

  it(
    'makes one key though every process is killed while it is made',
    async () => {
      const operator = await operatorOf(epoch);
      await tell(operator, 'init');
      await tellAll(operator, 'keygen');
      for (const victim of [POLICE, COORDINATOR, AUDITOR, COUNCIL]) await restart(victim);
      await until(operator, everyoneIs('holder', 'holds-share', 3));
      const { parts } = await tell(operator, 'status');
      const keys = parts.flatMap((part) => part.parts.map(({ publicKey }) => publicKey));
      expect(new Set(keys.filter((key) => key !== null)).size).toBe(1);
    },
    WITHIN_MS,
  );

  it(
    'labels everybody though node, key-holder and relay are killed in between, and no element is paid for twice',
    async () => {
      const operator = await operatorOf(epoch);
      await tellAll(operator, 'run');
      const before: number[] = [];
      for (const victim of [POLICE, AUDITOR, COORDINATOR, COUNCIL]) {
        const done = labelledBytes(POLICE, epoch);
        while (labelledBytes(POLICE, epoch) <= done) await pause(20);
        before.push(labelledBytes(POLICE, epoch));
        await restart(victim);
      }
      await until(operator, everyoneIs('node', 'labelled', 2));
      const all = labelledBytes(POLICE, epoch);
      expect(before.every((bytes) => bytes < all)).toBe(true);
      expect(sharedByLabels(epoch)).toEqual(SHARED);

      // 80 people are declared as 100, and have 8 and 11 keys; each element goes to two holders, once
      const expected = { [POLICE]: 2 * 100 * 8, [COUNCIL]: 2 * 100 * 11 };
      const elementsOf = (node: string): number =>
        batches
          .filter((batch) => batch.node === node)
          .reduce((sum, batch) => sum + batch.elements, 0);
      let batches: EntryOf<'linkage.batch'>[] = [];
      // what another process appends may not be in its file yet
      await eventually(async () => {
        batches = await evaluated(epoch);
        for (const [node, elements] of Object.entries(expected))
          expect(elementsOf(node)).toBeGreaterThanOrEqual(elements);
      });
      expect(batches.filter(({ code }) => code !== undefined)).toEqual([]);
      const digests = batches.map(({ actor, digest }) => `${actor} ${digest}`);
      expect(new Set(digests).size).toBe(digests.length);
      for (const [node, elements] of Object.entries(expected)) {
        expect([node, elementsOf(node)]).toEqual([node, elements]);
      }
    },
    WITHIN_MS,
  );

  it(
    'needs two key-holders of three: the third is away from the first label to the last',
    async () => {
      const next = '2024-2';
      const operator = await operatorOf(next);
      await tell(operator, 'init');
      await tellAll(operator, 'keygen');
      await until(operator, everyoneIs('holder', 'holds-share', 3));
      await kill(AUDITOR);
      await tellAll(operator, 'run');
      await until(operator, everyoneIs('node', 'labelled', 2));
      expect(sharedByLabels(next)).toEqual(SHARED);
      const holders = new Set((await evaluated(next)).map(({ actor }) => actor));
      expect([...holders].sort()).toEqual([COUNCIL, POLICE].sort());
    },
    WITHIN_MS,
  );
});
