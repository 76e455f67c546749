/** One question, one answer: asking again is free and gives the same bytes; new data is a new question; a spent budget is a refusal. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { type Asked, Federation, streetFile } from '#libs/testing';

const AGENCY = 'alpha-police';
const bristol = cellAt(51.4545, -2.5879, 9);
const domain = domainFromCells('test/alpha', disk(bristol, 3));
const robberies = (count: number): string =>
  streetFile(
    Array.from({ length: count }, () => ({ month: '2024-01', type: 'Robbery', cell: bristol })),
  );

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      { id: AGENCY, domain, files: { 'street.csv': robberies(20) } },
      { id: 'beta-police', domain, files: { 'street.csv': robberies(5) } },
    ],
    limits: { rhoPerYear: '1/4' },
  });
});
afterAll(() => federation?.close());

const question = { categories: ['robbery'], periods: ['2024-01'] } as const;
const lineOf = (asked: Asked) => asked.header?.coverage.find(({ agency }) => agency === AGENCY);
const spent = async (): Promise<string | undefined> => {
  const { ledger } = await federation.graphql<{ ledger: { agency: string; rhoSpent: string }[] }>(
    '{ ledger { agency rhoSpent } }',
  );
  return ledger.find(({ agency }) => agency === AGENCY)?.rhoSpent;
};
const reservations = async (): Promise<number> =>
  (await federation.entries(AGENCY)).filter(({ kind }) => kind === 'budget.reserved').length;
const ingestAgain = async (content: string) => {
  await federation.stop(AGENCY);
  const { files } = await federation.ingest(AGENCY, { 'street.csv': content });
  await federation.startNode(AGENCY);
  return files.map(({ status }) => status);
};

describe('the same question', () => {
  let first: Asked;
  beforeAll(async () => {
    first = await federation.ask(question);
  });

  it('costs once, however often it is asked', async () => {
    expect(lineOf(first)).toMatchObject({ status: 'answered', rhoSpent: '1/8' });
    const again = await federation.ask(question);
    expect(again.round.release).not.toBe(first.round.release);
    expect(lineOf(again)?.answer).toBe(lineOf(first)?.answer);
    expect(again.header?.groups).toEqual(first.header?.groups);
    expect([await reservations(), await spent()]).toEqual([1, '1/8']);
  });

  it('has the same answer after the same file was taken in again and the node was restarted', async () => {
    expect(await ingestAgain(robberies(20))).toEqual(['unchanged']);
    expect(lineOf(await federation.ask(question))?.answer).toBe(lineOf(first)?.answer);
    expect(await reservations()).toBe(1);
  });

  it('has a new answer at a new cost once the data changed', async () => {
    expect(await ingestAgain(robberies(21))).toEqual(['revised']);
    const changed = lineOf(await federation.ask(question));
    expect(changed?.status).toBe('answered');
    expect(changed?.answer).not.toBe(lineOf(first)?.answer);
    expect([await reservations(), await spent()]).toEqual([2, '1/4']);
  });

  it('is refused with rho-per-year when the budget is spent, and the coverage says so', async () => {
    const refused = { agency: AGENCY, status: 'refused', code: 'rho-per-year' };
    const other = await federation.ask({ ...question, rho: '1/16' });
    expect(lineOf(other)).toMatchObject({ ...refused, answer: null, rhoSpent: null });
    expect(other.header?.coverage.map(({ status }) => status)).toEqual(['refused', 'answered']);

    const alone = await federation.ask({ ...question, rho: '1/16', agencies: [AGENCY] });
    expect(alone.round).toMatchObject({ phase: 'aborted', code: 'no-contribution', release: null });
    expect(alone.round.coverage).toEqual([expect.objectContaining(refused)]);
    expect(await reservations()).toBe(2);
    expect(lineOf(await federation.ask(question))?.status).toBe('answered');
  });
});
