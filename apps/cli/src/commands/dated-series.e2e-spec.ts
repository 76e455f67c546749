/** Weekly early warning of docs/operating/series.md over real days and places: two agencies, a release a week, the layer over them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { parseDomainFile } from '#libs/grid';
import { dateToDay, weeksWithin } from '#libs/query';
import { ANALYST, Federation, RunningProgram } from '#libs/testing';

// A round a week, one after another; on a busy machine that takes a while.
jest.setTimeout(600_000);

const SAMPLES = fileURLToPath(new URL('../../../../samples/dated-reports/', import.meta.url));
const unpacked = (file: string): string =>
  gunzipSync(readFileSync(join(SAMPLES, file))).toString('utf8');
/** All that the files hold, or the first third of it in a quick run. */
const nightly = process.env.CONCORDAT_NIGHTLY === '1';
const weeks = weeksWithin(
  dateToDay('2016-01-04'),
  dateToDay(nightly ? '2016-07-03' : '2016-03-06'),
);
const RECENT = 2;

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: ['north', 'south'].map((side) => ({
      id: `${side}-council`,
      categories: ['asb' as const],
      domain: parseDomainFile(`sample/${side}`, unpacked(`${side}-area.txt.gz`)),
      files: {
        'reports.csv': unpacked(`${side}-reports.csv.gz`)
          .split('\n')
          .filter((line) => nightly || line < '2016-03-07' || line.startsWith('reported_on'))
          .join('\n'),
      },
    })),
  });
  federation.nowMs = Date.now();
});
afterAll(() => federation?.close());

async function concordat(...args: string[]) {
  const program = new RunningProgram([...args, '--json']);
  const { code } = await program.ended;
  return { code, document: JSON.parse(program.stdout || 'null'), stderr: program.stderr };
}
const series = (...args: string[]) =>
  concordat('series', ...args, '--dir', join(federation.dir, 'series'));

it('asks every week of real reports within the budget of a year, and warns from the releases alone', async () => {
  const created = await series(
    ...['create', 'watch', '--key', join(federation.dir, 'analyst.pem'), '--analyst', ANALYST],
    ...['--url', federation.url, '--first-week', weeks[0] as string],
    ...['--query', 'asb:7:1/50', '--rho-per-year', '27/25'],
  );
  expect(created.document.cost).toMatchObject({
    step: 'week',
    runsPerYear: 54,
    rhoOfYear: '27/25',
    fits: true,
  });
  const { code, document } = await series('run', 'watch');
  expect(code).toBe(0);
  const runs: { period: string; release: string }[] = document.runs;
  expect(runs.map(({ period }) => period)).toEqual(weeks);

  // Both agencies count the cells between them: those have more noise, and everybody's releases say the same.
  const warnings = [
    ...['analyse', 'warnings', '--url', federation.url, '--category', 'asb', '--resolution', '7'],
    ...['--recent', String(RECENT), ...runs.flatMap(({ release }) => ['--release', release])],
  ];
  const { document: layer } = await concordat(...warnings);
  expect(layer.summary).toMatchObject({
    periods: weeks,
    watched: weeks.slice(-RECENT),
    warned: layer.rows.length,
  });
  expect(Number(layer.summary.expectedFalseAlarms)).toBeLessThan(1);
  expect((await concordat(...warnings)).document).toEqual(layer);
  if (nightly) process.stderr.write(`${JSON.stringify({ cost: created.document.cost, layer })}\n`);

  // A year holds no more such weeks than were planned: what is left of 2 is kept for other questions.
  const { ledger } = await federation.graphql<{ ledger: { agency: string; rhoSpent: string }[] }>(
    '{ ledger { agency rhoSpent } }',
  );
  const spent = `${weeks.length}/50`;
  expect(ledger.map(({ rhoSpent }) => rhoSpent).map(exact)).toEqual([exact(spent), exact(spent)]);
});

/** The value of `a/b`. */
const exact = (rho: string): number => {
  const [top = '', bottom = '1'] = rho.split('/');
  return Number(top) / Number(bottom);
};
