/**
 * A box key replaced in the middle of linkage epochs. One that both nodes had begun goes on. In one that only one of them had, the other
 * refuses to begin, and nobody can set the epoch up again under its name.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PinnedManifest } from '#libs/keystore';
import { syntheticLists } from '#libs/linkage';
import { readControl } from '#libs/nest-kit';
import type { LinkageStatus } from '#libs/protocol';
import {
  AUDITOR,
  COORDINATOR,
  eventually,
  Federation,
  type LinkageOperator,
  linkageOperator,
  seededRandom,
} from '#libs/testing';
import { agenciesKnowing } from './people-file.fixture-spec.js';

const POLICE = 'test-police';
const COUNCIL = 'test-council';
const [BEGUN, HALF_BEGUN] = ['2024-1', '2024-2'];
const WITHIN_MS = 500_000;

const lists = syntheticLists(
  { both: 40, onlyLeft: 10, onlyRight: 10, dependence: 1 },
  seededRandom('rotated epoch'),
);

let federation: Federation;
let half: LinkageOperator;

const operatorOf = (epoch: string): Promise<LinkageOperator> =>
  linkageOperator(federation, { project: 'harm', epoch, left: POLICE, right: COUNCIL });

const ask = (epoch: string) =>
  federation.ask({
    measure: 'linked-people',
    categories: ['asb'],
    periods: ['2024-01/2024-06'],
    resolution: 4,
    rho: '2',
    agencies: [COUNCIL, POLICE],
    linkage: {
      project: 'harm',
      epoch,
      left: { agency: POLICE },
      right: { agency: COUNCIL },
      area: 'total',
    },
  });

const labelsOf = (node: string): string =>
  join(federation.folder(node), 'linkage', 'labels', `harm.${HALF_BEGUN}`);

/** As `concordat node rotate-key` does; ends when everybody has the manifest with the new keys. */
async function rotate(node: string): Promise<void> {
  const control = readControl(join(federation.folder(node), 'control.json'));
  const response = await fetch(new URL('/v1/rotate-key', control?.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${control?.token}` },
  });
  expect(response.status).toBe(200);
  const { serial } = (await response.json()) as { serial: number };
  await eventually(() => {
    for (const process of [AUDITOR, POLICE, COUNCIL]) {
      const pinned = PinnedManifest.open(
        join(federation.folder(process), 'manifest.json'),
        federation.manifest.coordinator.publicKey,
      );
      expect(pinned.manifest.serial).toBe(serial);
    }
  });
}

const codesOf = ({ parts }: LinkageStatus) =>
  Object.fromEntries(parts.map(({ process, code }) => [process, code]));

beforeAll(async () => {
  federation = await Federation.open({
    agencies: agenciesKnowing(lists, POLICE, COUNCIL),
    limits: { rhoPerQuery: '2', rhoPerYear: '8', measures: ['incidents', 'linked-people'] },
    keyHolders: [AUDITOR, POLICE, COUNCIL],
    roundDeadlineSeconds: 300,
  });
  const begun = await operatorOf(BEGUN);
  await begun.tell('init');
  await begun.until('keygen');
  await begun.until('run');
  half = await operatorOf(HALF_BEGUN);
  await half.tell('init');
  await half.until('keygen');
  const people = join(federation.folder(COUNCIL), 'linkage', 'people');
  renameSync(people, `${people}.aside`);
  expect(codesOf(await half.tell('run'))).toMatchObject({ [POLICE]: null, [COUNCIL]: 'no-people' });
  renameSync(`${people}.aside`, people);
  await rotate(COUNCIL);
}, 2 * WITHIN_MS);
afterAll(() => federation?.close());

it(
  'counts in an epoch that both nodes had begun before',
  async () => {
    const { round, header } = await ask(BEGUN);
    expect(round.coverage.map(({ code }) => code)).toEqual([null, null]);
    expect([round.phase, round.code]).toEqual(['released', null]);
    expect(header?.linked?.counts).toHaveLength(8);
  },
  WITHIN_MS,
);

it(
  'does not let a node begin what the other began under the old key; the epoch cannot be set up again',
  async () => {
    expect(existsSync(join(labelsOf(POLICE), 'labelling'))).toBe(true);
    expect(codesOf(await half.tell('run'))).toMatchObject({ [COUNCIL]: 'wrong-manifest' });
    expect(existsSync(labelsOf(COUNCIL))).toBe(false);

    const project = join(federation.folder(COORDINATOR), 'linkage', `harm.${HALF_BEGUN}.json`);
    expect(existsSync(project)).toBe(true);
    await expect(operatorOf(HALF_BEGUN)).rejects.toMatchObject({ code: 'project-exists' });

    // nor by an operator who insists: the coordinator remembers how it was
    rmSync(project);
    const again = await operatorOf(HALF_BEGUN);
    await expect(again.tell('init')).rejects.toMatchObject({ code: 'other-project' });
  },
  WITHIN_MS,
);
