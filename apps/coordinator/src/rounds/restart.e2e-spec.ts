/** A coordinator that stops in the middle of a round goes on from its log, to the release that it would have made. */
import { cp, rename, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import type { ReleaseHeader } from '#libs/protocol';
import { COORDINATOR, Federation, streetFile, type TestQuestion } from '#libs/testing';

const PLACES = { alpha: [51.4545, -2.5879], beta: [51.5155, -0.0922], gamma: [53.4808, -2.2426] };
const HOUR_MS = 3_600_000;

const openFederation = (roundDeadlineSeconds: number): Promise<Federation> =>
  Federation.open({
    agencies: Object.entries(PLACES).map(([name, [lat = 0, lon = 0]], i) => {
      const cell = cellAt(lat, lon, 9);
      return {
        id: `${name}-police`,
        domain: domainFromCells(`test/${name}`, disk(cell, 3)),
        files: {
          'street.csv': streetFile(
            Array.from({ length: 5 + i }, () => ({ month: '2024-01', type: 'Robbery', cell })),
          ),
        },
      };
    }),
    roundDeadlineSeconds,
  });
const QUESTION: TestQuestion = { categories: ['robbery'], periods: ['2024-01'] };

interface Round {
  readonly phase: string;
  readonly release: string | null;
  readonly coverage: readonly { readonly status: string; readonly code: string | null }[];
}
const roundOf = async (id: string): Promise<Round> =>
  (
    await federation.graphql<{ round: Round }>(
      'query ($id: ID!) { round(id: $id) { phase release coverage { status code } } }',
      { id },
    )
  ).round;
const until = async (id: string, holds: (round: Round) => boolean): Promise<Round> => {
  for (;;) {
    const round = await roundOf(id);
    if (holds(round)) return round;
    await pause(50);
  }
};
const answered = ({ coverage }: Round): number =>
  coverage.filter(({ status }) => status === 'answered').length;
const openRound = (): Promise<string> =>
  new Promise((resolve, reject) => {
    // the answer is looked up by id: this coordinator goes away meanwhile
    federation.ask(QUESTION, resolve).catch(reject);
  });
/** All that was published of a round but the round itself and its receipts. */
const numbersOf = ({ groups, classes, coverage }: ReleaseHeader) => ({
  groups,
  classes,
  answers: coverage.map(({ agency, status, answer }) => ({ agency, status, answer })),
});

let federation: Federation;
afterEach(() => federation?.close());

it('makes the same release from its log as without the stop, whenever it composes', async () => {
  federation = await openFederation(3_600);
  await federation.stop('gamma-police');
  const id = await openRound();
  await until(id, (round) => answered(round) === 2);
  await federation.stop(COORDINATOR);
  const folder = federation.folder(COORDINATOR);
  await cp(folder, `${folder}-copy`, { recursive: true });

  federation.nowMs += 1_000;
  await federation.startCoordinator();
  expect(await roundOf(id)).toMatchObject({ phase: 'collecting' });
  federation.nowMs += HOUR_MS;
  const first = await until(id, ({ phase }) => phase === 'released');
  expect(first.coverage.map(({ status }) => status)).toEqual(['answered', 'answered', 'silent']);

  await federation.stop(COORDINATOR);
  await rename(folder, `${folder}-first`);
  await rename(`${folder}-copy`, folder);
  federation.nowMs += 3 * HOUR_MS;
  await federation.startCoordinator();
  const second = await until(id, ({ phase }) => phase === 'released');
  expect(second).toEqual(first);
  await rm(`${folder}-first`, { recursive: true });

  // over, and still known after one more start
  await federation.stop(COORDINATOR);
  await federation.startCoordinator();
  expect(await roundOf(id)).toEqual(first);
});

it('waits for a node that is cut off for an hour, over a restart of its own', async () => {
  federation = await openFederation(2 * 3_600);
  await federation.stop('beta-police');
  const id = await openRound();
  await until(id, (round) => answered(round) === 2);
  federation.nowMs += HOUR_MS / 2;
  await federation.stop(COORDINATOR);
  await federation.startCoordinator();
  federation.nowMs += HOUR_MS / 2;
  expect(await roundOf(id)).toMatchObject({ phase: 'collecting', release: null });
  await federation.startNode('beta-police');
  const { release } = await until(id, ({ phase }) => phase === 'released');
  const late = await federation.blob(release as string);

  const unhindered = await federation.ask(QUESTION);
  expect(numbersOf(JSON.parse(Buffer.from(late).toString('utf8')))).toEqual(
    numbersOf(unhindered.header as ReleaseHeader),
  );
  // every answer was paid for once, and each agency was heard once in each round
  for (const agency of Object.keys(PLACES)) {
    const entries = await federation.entries(`${agency}-police`);
    expect(entries.filter(({ kind }) => kind === 'budget.reserved')).toHaveLength(1);
  }
  const accepted = (await federation.entries(COORDINATOR)).filter(
    (entry) => entry.kind === 'contribution.accepted' && entry.round === id,
  );
  expect(accepted).toHaveLength(3);
});

it('takes an assertion once, also after a restart', async () => {
  federation = await openFederation(60);
  const { payload, ...signature } = federation.taskFor('alpha-police', QUESTION).assertion;
  const submit = async (): Promise<string> => {
    const response = await fetch(new URL('/graphql', federation.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: `mutation ($query: QueryInput!, $assertion: AssertionInput!) {
          submitQuery(query: $query, assertion: $assertion) { id } }`,
        variables: {
          query: { ...QUESTION, resolution: 9, rho: '1/8', purpose: 'hotspot-policing' },
          assertion: { ...payload, ...signature },
        },
      }),
    });
    const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    return errors?.[0]?.extensions.code ?? 'accepted';
  };
  expect(await submit()).toBe('accepted');
  await federation.stop(COORDINATOR);
  await federation.startCoordinator();
  expect(await submit()).toBe('repeated-assertion');
});
