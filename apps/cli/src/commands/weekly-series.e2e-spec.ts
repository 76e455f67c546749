/** A weekly series from dated reports to an early-warning layer, and what a dataset of months says to it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, cellCentre, cellToText, disk, domainFromCells, parentOf } from '#libs/grid';
import { daysOf, dayToDate, weeksWithin } from '#libs/query';
import { ANALYST, Federation, RunningProgram, streetFile } from '#libs/testing';

const bristol = cellAt(51.4545, -2.5879, 9);
const taunton = cellAt(51.015, -3.105, 9);
const domain = domainFromCells('test/council', disk(bristol, 12));
const weeks = weeksWithin(daysOf('2024-01').firstDay, daysOf('2024-03').lastDay);
/** The cell of resolution 7 that holds most of the domain's centre, and its reports per week: quiet, then a rise. */
const hot = cellToText(parentOf(bristol, 7));
const reportsOf = (week: number): number => (week >= weeks.length - 2 ? 400 : 20);

const { longitude, latitude } = cellCentre(bristol);
const dated = weeks.flatMap((week, t) =>
  Array.from({ length: reportsOf(t) }, (_, i) => {
    const day = dayToDate(daysOf(week).firstDay + (i % 7));
    return `${day},asb,${longitude.toFixed(6)},${latitude.toFixed(6)}`;
  }),
);

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    limits: { rhoPerYear: '2' },
    agencies: [
      {
        id: 'bravo-council',
        categories: ['asb'],
        domain,
        files: { 'reports.csv': `reported_on,category,longitude,latitude\n${dated.join('\n')}\n` },
      },
      {
        id: 'charlie-police',
        domain: domainFromCells('test/charlie', disk(taunton, 3)),
        files: {
          'street.csv': streetFile([
            { month: '2024-01', type: 'Anti-social behaviour', cell: taunton },
            { month: '2024-02', type: 'Anti-social behaviour', cell: taunton },
          ]),
        },
      },
    ],
  });
  federation.nowMs = Date.now();
});
afterAll(() => federation?.close());

const dir = (): string => join(federation.dir, 'series');
async function concordat(...args: string[]) {
  const program = new RunningProgram([...args, '--json']);
  const { code } = await program.ended;
  return { code, document: JSON.parse(program.stdout || 'null'), stderr: program.stderr };
}
const series = (...args: string[]) => concordat('series', ...args, '--dir', dir());
const create = (name: string, ...more: string[]) =>
  series(
    ...['create', name, '--key', join(federation.dir, 'analyst.pem'), '--analyst', ANALYST],
    ...['--url', federation.url, '--agencies', 'bravo-council', '--query', 'asb:7:1/50', ...more],
  );

describe('a weekly series', () => {
  it('is planned for the weeks that can touch a year', async () => {
    const { document } = await create(
      'watch',
      ...['--first-week', weeks[0] as string, '--rho-per-year', '54/50', '--dry-run'],
    );
    expect(document).toMatchObject({ error: { code: 'bad-series' } });
    const tight = await create(
      'tight',
      '--first-week',
      '2024-W01',
      '--rho-per-year',
      '1',
      '--dry-run',
    );
    expect(tight.document.cost).toMatchObject({
      step: 'week',
      runsPerYear: 54,
      rhoOfYear: '27/25',
      fits: false,
    });
  });

  it.each([
    ['usage', []],
    ['usage', ['--first-week', '2024-W01', '--first-month', '2024-01']],
    ['bad-period', ['--first-week', '2024-01']],
    ['bad-period', ['--first-month', '2024-W01']],
    ['bad-period', ['--first-week', '2021-W53']],
  ])('says what is wrong with its beginning: %s %j', async (code, begin) => {
    const { document } = await create('wrong', '--rho-per-year', '2', ...begin);
    expect(document).toMatchObject({ error: { code } });
  });

  it('asks every whole week once, within its budget, and its releases warn of the newest', async () => {
    expect(
      await create('watch', '--first-week', '2024-W01', '--rho-per-year', '27/25'),
    ).toMatchObject({
      code: 0,
      document: { cost: { fits: true } },
    });
    const dry = await series('run', 'watch', '--dry-run');
    expect(dry.document.due).toEqual(weeks.map((period) => ({ period, query: 0 })));
    expect(dry.document.years).toEqual([{ year: '2024', rhoSpent: '0', rhoDue: '13/50' }]);
    const { code, document } = await series('run', 'watch');
    expect(code).toBe(0);
    const releases: string[] = document.runs.map(({ release }: { release: string }) => release);
    expect(releases.every((id) => /^[0-9a-f]{64}$/.test(id))).toBe(true);
    expect((await series('run', 'watch')).document).toEqual({ runs: [] });

    const { document: layer } = await concordat(
      ...['analyse', 'warnings', '--url', federation.url, '--category', 'asb', '--resolution', '7'],
      ...['--recent', '2', ...releases.flatMap((id) => ['--release', id])],
    );
    expect(layer.summary).toMatchObject({ periods: weeks, watched: weeks.slice(-2) });
    // Of the 13 other cells each warns falsely in three of a thousand draws of the noise; four of them at once never do.
    const warned: string[] = layer.rows.map(([cell]: [string]) => cell);
    expect(warned).toContain(hot);
    expect(warned.length).toBeLessThan(5);

    const { ledger } = await federation.graphql<{ ledger: { agency: string; rhoSpent: string }[] }>(
      '{ ledger { agency rhoSpent } }',
    );
    expect(ledger).toContainEqual({ agency: 'bravo-council', rhoSpent: '13/50' });
  });

  it('is refused by a dataset of months, by code, and by a grant that is for months', async () => {
    const ask = { categories: ['asb'] as const, resolution: 7, rho: '1/50' };
    const of = async (question: object) => {
      const { round } = await federation.ask({ ...ask, periods: ['2024-W02'], ...question });
      return round.coverage.map(({ agency, code }) => [agency, code]);
    };
    expect(await of({ agencies: ['charlie-police'] })).toEqual([
      ['charlie-police', 'days-not-held'],
    ]);
    expect(await of({ agencies: ['bravo-council'], resolution: 8 })).toEqual([
      ['bravo-council', 'finest-resolution'],
    ]);
    expect(await of({ agencies: ['bravo-council'], periods: ['2024-W30'] })).toEqual([
      ['bravo-council', 'period-not-held'],
    ]);
  });

  it('offers its weeks to everyone, and a dataset of months none', async () => {
    const { agencies } = await federation.graphql<{ agencies: { id: string; weeks: string[] }[] }>(
      '{ agencies { id weeks } }',
    );
    expect(agencies).toEqual([
      { id: 'bravo-council', weeks },
      { id: 'charlie-police', weeks: [] },
    ]);
  });
});
