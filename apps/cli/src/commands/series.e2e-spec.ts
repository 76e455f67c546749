/** A monthly series as an analyst runs it, against a federation. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { ANALYST, Federation, RunningProgram, streetFile } from '#libs/testing';

const bristol = cellAt(51.4545, -2.5879, 9);
const months = ['2024-01', '2024-02', '2024-03', '2024-04'];

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      {
        id: 'alpha-police',
        domain: domainFromCells('test/alpha', disk(bristol, 4)),
        files: {
          'street.csv': streetFile(
            months.flatMap((month) =>
              Array.from({ length: 20 }, () => ({ month, type: 'Robbery', cell: bristol })),
            ),
          ),
        },
      },
    ],
  });
  federation.nowMs = Date.now();
});
afterAll(() => federation?.close());

const dir = (): string => join(federation.dir, 'series');
async function series(...args: string[]) {
  const program = new RunningProgram(['series', ...args, '--dir', dir(), '--json']);
  const { code } = await program.ended;
  return { code, document: JSON.parse(program.stdout || 'null'), stderr: program.stderr };
}
const create = (name: string, ...more: string[]) =>
  series(
    ...['create', name, '--key', join(federation.dir, 'analyst.pem'), '--analyst', ANALYST],
    ...['--url', federation.url, '--first-month', '2024-02', '--query', 'robbery:8:1/50'],
    ...more,
  );

describe('concordat series', () => {
  it('tells the cost of the year before anything is written or asked', async () => {
    const { code, document } = await create('monthly', '--rho-per-year', '1/20', '--dry-run');
    expect(code).toBe(0);
    expect(document.cost).toMatchObject({ rhoOfYear: '6/25', fits: false });
    expect((await series('list')).document).toEqual([]);
  });

  it('asks every month that is due once, and stops at its budget', async () => {
    expect(await create('monthly', '--rho-per-year', '1/20')).toMatchObject({ code: 0 });
    expect(await create('monthly', '--rho-per-year', '1/20')).toMatchObject({
      code: 1,
      document: { error: { code: 'series-exists' } },
    });
    const dry = await series('run', 'monthly', '--dry-run');
    expect(dry.document).toMatchObject({
      due: months.slice(1).map((period) => ({ period, query: 0 })),
      years: [{ year: '2024', rhoSpent: '0', rhoDue: '3/50' }],
    });
    // Two months fit in 1/20, the third would not.
    expect(await series('run', 'monthly')).toMatchObject({
      code: 1,
      document: { error: { code: 'series-budget' } },
    });
    const [listed] = (await series('list')).document;
    expect(listed.runs).toEqual([
      expect.objectContaining({ period: '2024-02', code: null, release: expect.any(String) }),
      expect.objectContaining({ period: '2024-03', code: null, release: expect.any(String) }),
    ]);
    const { releases } = await federation.graphql<{ releases: { id: string }[] }>(
      '{ releases { id } }',
    );
    expect(releases).toHaveLength(2);
    const layer = new RunningProgram([
      ...['analyse', 'hotspots', '--url', federation.url, '--category', 'robbery'],
      ...['--resolution', '8', '--json', ...releases.flatMap(({ id }) => ['--release', id])],
    ]);
    await layer.ended;
    expect(JSON.parse(layer.stdout)).toMatchObject({
      summary: { periods: ['2024-02', '2024-03'], missingCellPeriods: 0 },
    });
  });

  it('serves its calendar until it is stopped, and asks nothing after that', async () => {
    // The same question of the same month: agencies give the answer they logged, at no cost.
    await create('steady', '--rho-per-year', '1', '--cron', '* * * * * *');
    const serving = new RunningProgram(['series', 'serve', '--dir', dir()]);
    await serving.until(({ stderr }) => stderr.includes('2024-04  question 1  '));
    serving.kill('SIGTERM');
    expect(await serving.ended).toMatchObject({ code: 0 });
    const steady = (await series('list')).document.find(
      ({ name }: { name: string }) => name === 'steady',
    );
    expect(steady.runs.map(({ period }: { period: string }) => period)).toEqual(months.slice(1));
    expect(await series('run', 'steady')).toMatchObject({ code: 0, document: { runs: [] } });
    expect(await series('stop', 'steady')).toMatchObject({ code: 0 });
    expect(await series('run', 'steady')).toMatchObject({
      code: 1,
      document: { error: { code: 'series-stopped' } },
    });
    const { ledger } = await federation.graphql<{ ledger: { rhoSpent: string }[] }>(
      '{ ledger { rhoSpent } }',
    );
    // Three months once each, though two series asked two of them.
    expect(ledger.map(({ rhoSpent }) => rhoSpent)).toEqual(['3/50']);
  });
});
