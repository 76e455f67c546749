/** Keys of nodes and auditor are replaced while sealed rounds are open, and a turn that was cut short is finished at the next start. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { canonicalBytes } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { PinnedManifest, ProcessKeys, verifySignature } from '#libs/keystore';
import { readControl, SignedClient } from '#libs/nest-kit';
import type { ManifestSteps } from '#libs/protocol';
import { auditorPaths } from '../../../apps/auditor/src/config.js';
import { examineAuditor } from '../../../apps/auditor/src/doctor.js';
import { nodePaths } from '../../../apps/node/src/config.js';
import { examineNode } from '../../../apps/node/src/doctor.js';
import { AUDITOR, COORDINATOR, Federation } from './federation.js';
import { streetFile } from './street-file.js';

jest.setTimeout(400_000);

const AGENCIES = ['alpha-police', 'beta-police', 'gamma-council'] as const;
const [ALPHA, BETA, GAMMA] = AGENCIES;
const bristol = cellAt(51.4545, -2.5879, 9);
const QUESTION = { categories: ['robbery'], periods: ['2024-01'], sealed: true } as const;
const DAY_MS = 86_400_000;

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: AGENCIES.map((id) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(bristol, 1)),
      files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: bristol }]) },
    })),
    roundDeadlineSeconds: 600,
  });
});
afterAll(() => federation?.close());

interface Turned {
  readonly publicKey: string;
  readonly boxKey: string;
  readonly serial: number;
}
/** As `concordat node rotate-key` and `concordat auditor rotate-key` do. */
async function rotate(process: string): Promise<Turned> {
  const control = readControl(join(federation.folder(process), 'control.json'));
  const response = await fetch(new URL('/v1/rotate-key', control?.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${control?.token}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Turned;
}
const keyFiles = (process: string): string[] =>
  readdirSync(join(federation.folder(process), 'keys')).sort();
const open = (process: string): PinnedManifest =>
  PinnedManifest.open(
    join(federation.folder(process), 'manifest.json'),
    federation.manifest.coordinator.publicKey,
  );
const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
};
const everybodyHas = (serial: number): Promise<void> =>
  until(() => [AUDITOR, ...AGENCIES].every((id) => open(id).manifest.serial === serial));
const answered = (round: { coverage: readonly { agency: string; status: string }[] }): string[] =>
  round.coverage.filter(({ status }) => status === 'answered').map(({ agency }) => agency);

it('finishes a sealed round whose answers were sealed under old and new keys of everybody', async () => {
  await federation.stop(GAMMA);
  const round = await federation.submit(QUESTION);
  await federation.untilRound(round, (seen) => answered(seen).length === 2);
  const before = open(AUDITOR).manifest;
  const auditor = await rotate(AUDITOR);
  const alpha = await rotate(ALPHA);
  expect(auditor.publicKey).not.toBe(before.auditor.publicKey);
  expect(auditor.boxKey).not.toBe(before.auditor.boxKey);
  expect(alpha.serial).toBe(3);
  // the third agency was away: it takes both manifests, then answers a round of the first
  await federation.startNode(GAMMA);
  const over = await federation.untilOver(round);
  expect(over.coverage.map(({ status }) => status)).toEqual(['answered', 'answered', 'answered']);
  expect(over.phase).toBe('released');
  await everybodyHas(3);
  expect(keyFiles(AUDITOR)).toEqual([
    expect.stringMatching(/^box\.pem$/),
    expect.stringMatching(/^box\.until-\d+\.[\w-]{43}\.pem$/),
    'signing.pem',
  ]);
  const { manifest } = open(GAMMA);
  expect(manifest.auditor).toMatchObject({ publicKey: auditor.publicKey, boxKey: auditor.boxKey });
  expect(manifest.agencies[0]).toMatchObject({ publicKey: alpha.publicKey, boxKey: alpha.boxKey });
});

it('answers sealed questions under the new keys, before and after everybody starts again', async () => {
  const { round } = await federation.ask({ ...QUESTION, rho: '1/16' });
  expect(round.phase).toBe('released');
  for (const id of [...AGENCIES, AUDITOR]) await federation.stop(id);
  await federation.startAuditor();
  for (const id of AGENCIES) await federation.startNode(id);
  const again = await federation.ask({ ...QUESTION, rho: '1/32' });
  expect(again.round.phase).toBe('released');
});

it('finishes a turn that was cut short when the manifest named the new keys already', async () => {
  for (const [id, paths] of [
    [AUDITOR, auditorPaths(federation.folder(AUDITOR))],
    [BETA, nodePaths(federation.folder(BETA))],
  ] as const) {
    await federation.stop(id);
    const pinned = open(id);
    const keys = ProcessKeys.open(paths);
    const { agencies, auditor, serial } = pinned.manifest;
    const member = [auditor, ...agencies].find((one) => one.id === id) ?? auditor;
    const client = new SignedClient({
      url: federation.url,
      id,
      key: keys.key,
      server: () => pinned.manifest.coordinator.publicKey,
      verify: verifySignature,
      nowMs: () => federation.nowMs,
    });
    const rotation = keys.rotation(member, pinned.hash, federation.nowMs);
    await client.send('POST', '/v1/rotations', canonicalBytes(rotation), 'application/json');
    // killed between the durable manifest and the keys
    const response = await fetch(new URL(`/v1/manifests?after=${serial}&wait=0`, federation.url));
    const { steps } = JSON.parse(await response.text()) as ManifestSteps;
    expect(steps).toHaveLength(1);
    for (const step of steps) pinned.extend(step);
    const now = { nowMs: () => federation.nowMs, full: false };
    const dir = federation.folder(id);
    const report = await (id === AUDITOR ? examineAuditor(dir, now) : examineNode(dir, now));
    expect(report.findings.find(({ check }) => check === 'manifest')).toMatchObject({
      status: 'warn',
      says: expect.stringContaining('next keys'),
    });
    await (id === AUDITOR ? federation.startAuditor() : federation.startNode(id));
    expect(keyFiles(id).filter((name) => name.includes('next'))).toEqual([]);
    expect(ProcessKeys.open(paths).key.publicKey).toBe(rotation.rotation.payload.newKey);
  }
  const { round } = await federation.ask({ ...QUESTION, rho: '1/64' });
  expect(round.phase).toBe('released');
});

it('keeps a former box key for as long as a round may need it, and no longer', async () => {
  const kept = (id: string) => keyFiles(id).filter((name) => name.startsWith('box.until-'));
  expect(kept(AUDITOR)).toHaveLength(2);
  expect(kept(ALPHA)).toHaveLength(1);
  for (const id of [ALPHA, AUDITOR, COORDINATOR]) await federation.stop(id);
  federation.nowMs += 34 * DAY_MS;
  await federation.startCoordinator();
  await federation.startAuditor();
  await federation.startNode(ALPHA);
  expect([...kept(AUDITOR), ...kept(ALPHA)]).toEqual([]);
  await until(async () => {
    const { agencies } = await federation.graphql<{ agencies: { lastContactAt: string | null }[] }>(
      '{ agencies { lastContactAt } }',
    );
    return agencies.every(({ lastContactAt }) => lastContactAt !== null);
  });
  const { round } = await federation.ask({ ...QUESTION, rho: '1/128' });
  expect(round.phase).toBe('released');
});

it('leaves logs that verify across every change', async () => {
  for (const id of [...AGENCIES, AUDITOR, COORDINATOR]) await federation.stop(id);
  for (const id of [...AGENCIES, AUDITOR, COORDINATOR]) {
    expect({ id, ...(await federation.audit(id)) }).toMatchObject({ id, ok: true, faults: [] });
  }
  const uses = (await federation.entries(AUDITOR)).flatMap((entry) =>
    entry.kind === 'key.rotated' ? [entry.use] : [],
  );
  expect(uses).toEqual(['box', 'sign', 'box', 'sign']);
  expect(existsSync(join(federation.folder(AUDITOR), 'control.json'))).toBe(false);
});
