/** A sealed round during which the federation changes: it ends under the manifest that its analyst signed for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { createSigningKey } from '#libs/keystore';
import { readControl } from '#libs/nest-kit';
import type { ReleaseHeader } from '#libs/protocol';
import { AUDITOR, COORDINATOR, Federation, streetFile } from '#libs/testing';

const [ALPHA, BETA, GAMMA, DELTA] = [
  'alpha-police',
  'beta-police',
  'gamma-council',
  'delta-council',
];
const AGENCIES = [ALPHA, BETA, GAMMA, DELTA] as const as readonly string[];
const centre = cellAt(51.4545, -2.5879, 9);
/** So much budget that there is no noise, but for a chance below e^-20000. */
const NO_NOISE = '1000000';

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: AGENCIES.map((id, i) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(centre, 2)),
      files: {
        'street.csv': streetFile(
          Array.from({ length: i + 1 }, () => ({
            month: '2024-01',
            type: 'Robbery',
            cell: centre,
          })),
        ),
      },
    })),
    limits: { rhoPerQuery: NO_NOISE, rhoPerYear: '20000000' },
    roundDeadlineSeconds: 200,
  });
});
afterAll(() => federation?.close());

const order = async (process: string, path: string, body: object = {}): Promise<object> => {
  const control = readControl(join(federation.folder(process), 'control.json'));
  const response = await fetch(new URL(path, control?.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${control?.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as object;
};
const serialOf = (process: string): number => {
  const file = JSON.parse(readFileSync(join(federation.folder(process), 'manifest.json'), 'utf8'));
  return file.founding ? file.founding.payload.serial + file.steps.length : file.payload.serial;
};

it('is released under the manifest it was opened under, with everybody who answered', async () => {
  await federation.stop(GAMMA as string);
  const id = await federation.submit({
    ...{ categories: ['robbery'], periods: ['2024-01'], rho: NO_NOISE, sealed: true },
  });
  await federation.untilRound(
    id,
    ({ coverage }) => coverage.filter(({ status }) => status === 'answered').length === 3,
  );
  // meanwhile: a new analyst, another key of one who answered, another one revoked, another key of the coordinator
  const { publicKey } = createSigningKey(join(federation.dir, 'second.pem'));
  const analyst = { id: 'second-analyst', publicKey, roles: ['national-analyst'] };
  expect(await order(COORDINATOR, '/v1/operations/analyst-add', { analyst })).toMatchObject({
    serial: 2,
  });
  await order(ALPHA as string, '/v1/rotate-key');
  expect(
    await order(COORDINATOR, '/v1/operations/revoke', { agency: BETA, reason: 'key lost' }),
  ).toMatchObject({ serial: 4 });
  await order(COORDINATOR, '/v1/operations/rotate-key');
  while (serialOf(AUDITOR) !== 5) await pause(50);
  // who was away follows the manifests and answers the round that was opened before them
  await federation.startNode(GAMMA as string);
  const round = await federation.untilOver(id);
  expect(round.coverage.map(({ status, code }) => code ?? status)).toEqual(
    AGENCIES.map(() => 'answered'),
  );
  expect(round).toMatchObject({ phase: 'released' });
  const header = JSON.parse(
    Buffer.from(await federation.blob(round.release ?? '')).toString(),
  ) as ReleaseHeader;
  expect(header.manifest).toBe(federation.manifestHash);
  expect(header.sealed?.contributors).toEqual(AGENCIES);
  const raw = await federation.blob(header.groups[0]?.raw ?? '');
  expect(new Int32Array(raw.slice().buffer)[0]).toBe(1 + 2 + 3 + 4);
});
