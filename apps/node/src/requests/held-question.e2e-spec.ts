/** Questions that wait for people at one agency of a running federation: approved by two, denied, and left until they expire. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { checkEntryOrder } from '#libs/ledger';
import { readControl } from '#libs/nest-kit';
import { type Asked, COORDINATOR, Federation, streetFile, type TestQuestion } from '#libs/testing';
import { nodePaths } from '../config.js';
import { type Decision, decideInFolder } from './decide-in-folder.js';
import { readRequests } from './read-requests.js';
import type { RequestView } from './request-view.js';

const HOLDER = 'alpha-police';
const OTHER = 'beta-police';
const HOLD_HOURS = 1;
const HOUR_MS = 3_600_000;
const bristol = cellAt(51.4545, -2.5879, 9);
const domain = domainFromCells('test/alpha', disk(bristol, 3));
const months = ['2024-01', '2024-02', '2024-03'];
const files = {
  'street.csv': streetFile(
    months.flatMap((month) =>
      Array.from({ length: 5 }, () => ({ month, type: 'Robbery', cell: bristol })),
    ),
  ),
};

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      { id: HOLDER, domain, files, hold: { holdHours: HOLD_HOURS, approvers: 2 } },
      { id: OTHER, domain, files },
    ],
    // longer than a request is held
    roundDeadlineSeconds: (2 * HOLD_HOURS * HOUR_MS) / 1000,
  });
});
afterAll(() => federation?.close());

const about = (month: string): TestQuestion => ({ categories: ['robbery'], periods: [month] });
const requests = () => readRequests(federation.folder(HOLDER), federation.nowMs);
const decide = (id: string, decision: Decision) =>
  decideInFolder(federation.folder(HOLDER), id, decision, () => federation.nowMs);
const approve = (id: string, by: string) => decide(id, { verb: 'approve', by });
const lineOf = ({ header }: Asked, agency: string) =>
  header?.coverage.find((line) => line.agency === agency);

/** Asks, and waits until the coordinator shows the holder's answer as held and the other's as given. */
async function askHeld(
  month: string,
): Promise<{ readonly asked: Promise<Asked>; readonly request: RequestView }> {
  let asked: Promise<Asked> | undefined;
  const id = await new Promise<string>((resolve, reject) => {
    asked = federation.ask(about(month), resolve);
    asked.catch(reject);
  });
  const seen = await federation.untilRound(id, ({ coverage }) =>
    coverage.every(({ agency, status }) => status === (agency === HOLDER ? 'held' : 'answered')),
  );
  expect(seen).toMatchObject({ phase: 'collecting', release: null });
  const waiting = (await requests()).filter(({ state }) => state === 'waiting');
  expect(waiting).toMatchObject([
    { round: id, approvers: 2, approvals: [], purpose: 'hotspot-policing' },
  ]);
  return { asked: asked as Promise<Asked>, request: waiting[0] as RequestView };
}

it('is answered within its round once two different people agreed', async () => {
  const { asked, request } = await askHeld('2024-01');
  expect(request.sentence).toMatch(/robbery/);
  // the node runs: every decision below goes through it
  expect(readControl(nodePaths(federation.folder(HOLDER)).control)).toBeDefined();

  expect(await approve(request.id, 'Sam Okafor')).toMatchObject({ state: 'waiting' });
  await expect(approve(request.id, ' sam  OKAFOR')).rejects.toMatchObject({ code: 'same-person' });
  const standing = await federation.untilRound(request.round, () => true);
  expect(standing.coverage).toContainEqual(
    expect.objectContaining({ agency: HOLDER, status: 'held' }),
  );

  expect(await approve(request.id, 'Ann Lee')).toMatchObject({ state: 'approved' });
  const released = await asked;
  expect(released.round.phase).toBe('released');
  for (const agency of [HOLDER, OTHER])
    expect(lineOf(released, agency)).toMatchObject({ status: 'answered', rhoSpent: '1/8' });
  expect((await requests()).find(({ id }) => id === request.id)?.state).toBe('answered');
  await expect(approve(request.id, 'Kit Shah')).rejects.toMatchObject({ code: 'request-answered' });
});

it('is refused with a code, and the round is released without it, once a person denied it', async () => {
  const { asked, request } = await askHeld('2024-02');
  const word = { verb: 'deny', by: 'Sam Okafor' } as const;
  await expect(decide(request.id, { ...word, reason: ' ' })).rejects.toMatchObject({
    code: 'bad-reason',
  });
  expect(await decide(request.id, { ...word, reason: 'no operation needs it' })).toMatchObject({
    state: 'denied',
    denial: { by: 'Sam Okafor', reason: 'no operation needs it' },
  });
  const released = await asked;
  expect(released.round.phase).toBe('released');
  expect(lineOf(released, HOLDER)).toMatchObject({
    status: 'refused',
    code: 'denied-by-person',
    rhoSpent: null,
  });
  expect(lineOf(released, OTHER)).toMatchObject({ status: 'answered' });
});

it('is refused with hold-expired when nobody decided in time, and one approval of two is not enough', async () => {
  const { asked, request } = await askHeld('2024-03');
  await approve(request.id, 'Sam Okafor');
  federation.nowMs += HOLD_HOURS * HOUR_MS;
  await expect(approve(request.id, 'Ann Lee')).rejects.toMatchObject({ code: 'request-expired' });
  const released = await asked;
  expect(released.round.phase).toBe('released');
  expect(lineOf(released, HOLDER)).toMatchObject({ status: 'refused', code: 'hold-expired' });
  expect(lineOf(released, OTHER)).toMatchObject({ status: 'answered' });
});

it('leaves every decision with its person in a log that verifies', async () => {
  const entries = await federation.entries(HOLDER);
  const decisions = entries.flatMap((entry) =>
    entry.kind === 'query.held' || entry.kind === 'query.approved' || entry.kind === 'query.refused'
      ? [[entry.kind, entry.verb, entry.actor, 'code' in entry ? entry.code : '']]
      : [],
  );
  expect(decisions).toEqual([
    ['query.held', 'consultation', HOLDER, ''],
    ['query.approved', 'consultation', 'Sam Okafor', ''],
    ['query.approved', 'consultation', 'Ann Lee', ''],
    ['query.held', 'consultation', HOLDER, ''],
    ['query.refused', 'consultation', 'Sam Okafor', 'denied-by-person'],
    ['query.held', 'consultation', HOLDER, ''],
    ['query.approved', 'consultation', 'Sam Okafor', ''],
    ['query.refused', 'consultation', HOLDER, 'hold-expired'],
  ]);
  const order = checkEntryOrder(entries);
  expect(order.faults).toEqual([]);
  expect(order.ledger.reservations.size).toBe(1);
  for (const id of [HOLDER, OTHER, COORDINATOR])
    expect({ id, ...(await federation.audit(id)) }).toMatchObject({ id, ok: true, faults: [] });
});
