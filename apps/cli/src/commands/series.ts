/** `concordat series`: the same questions every month or every week, within a budget for the year. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { httpAddress } from '#libs/command-line';
import { parseResult } from '#libs/layers';
import { canonicalPeriod, isWeek } from '#libs/query';
import { dueNow, runDue } from '../series/run-series.js';
import { costOf, type DueQuery, yearsOf } from '../series/series-cost.js';
import {
  checkedSeries,
  createSeriesFile,
  listSeries,
  readSeriesFile,
  type Series,
  type SeriesQuery,
  type SeriesRun,
  writeSeriesFile,
} from '../series/series-file.js';
import { serveSeries } from '../series/serve-series.js';
import { DEFAULT_URL } from './default-url.js';

const DIR = ['--dir <folder>', 'folder of the series of this machine', 'series'] as const;
const JSON_FLAG = ['--json', 'print one JSON document on stdout'] as const;

interface Create {
  readonly dir: string;
  readonly url: string;
  readonly key: string;
  readonly analyst: string;
  readonly purpose: string;
  readonly query: readonly SeriesQuery[];
  readonly plan?: string;
  readonly firstMonth?: string;
  readonly firstWeek?: string;
  readonly rhoPerYear: string;
  readonly cron: string;
  readonly agencies?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
}

/** `robbery,weapons:8:1/50` */
function queryOf(text: string, before: readonly SeriesQuery[] = []): readonly SeriesQuery[] {
  const [categories = '', resolution = '', rho = '', more] = text.split(':');
  if (more !== undefined || rho === '') {
    throw new InvalidArgumentError(
      'write CATEGORIES:RESOLUTION:RHO, such as robbery,weapons:8:1/50',
    );
  }
  return [
    ...before,
    {
      categories: categories.split(',') as SeriesQuery['categories'],
      resolution: Number(resolution),
      rho,
    },
  ];
}

const Planned = z.object({
  queries: z
    .array(z.object({ categories: z.array(z.string()), resolution: z.int(), rho: z.string() }))
    .min(1),
});

/** The questions of a plan that `concordat analyse plan --json` wrote. Throws `malformed-result`, `not-a-plan`. */
function plannedQueries(path: string): readonly SeriesQuery[] {
  const { method, summary } = parseResult(readFileSync(path));
  const plan = Planned.safeParse(summary);
  if (method !== 'plan' || !plan.success) {
    throw new ConcordatError(
      'not-a-plan',
      'give the document of concordat analyse plan --json, with a query in it',
    );
  }
  return plan.data.queries as readonly SeriesQuery[];
}

const costText = (series: Series): string => {
  const { step, runsPerYear, rhoPerRun, rhoOfYear, rhoPerYear, epsilonOfYear, fits } =
    costOf(series);
  return `${series.name}: ${series.queries.length} question${series.queries.length === 1 ? '' : 's'} a ${step} cost rho ${rhoPerRun}; ${runsPerYear} ${step}s rho ${rhoOfYear} (epsilon ${epsilonOfYear.toFixed(3)} at delta 0.000001) of ${rhoPerYear} that the series may spend of a year${fits ? '' : ': it will stop before the year is over'}
`;
};
const dueText = (due: readonly DueQuery[]): string =>
  due.length === 0
    ? 'Nothing is due.\n'
    : `Due: ${[...new Set(due.map(({ period }) => period))].join(', ')} (${due.length} questions)\n`;
const runText = ({ period, query, release, code }: SeriesRun): string =>
  `${period}  question ${query + 1}  ${release ?? `no release: ${code}`}\n`;
const print = (json: boolean | undefined, document: unknown, text: string): void => {
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : text);
};

export function registerSeries(program: Command): void {
  const series = program
    .command('series')
    .description(
      'the same questions every month or week, signed on this machine, within a budget for the year',
    );
  addCreate(series);
  addRun(series);
  series
    .command('list')
    .description('every series of this machine, its cost and its releases')
    .option(...DIR)
    .option(...JSON_FLAG)
    .addHelpText('after', '\nExample:\n  concordat series list --json')
    .action(({ dir, json }: { dir: string; json?: boolean }) => {
      const all = listSeries(dir);
      const text = all.map(
        (one) =>
          `${costText(one)}${one.stopped ? '  stopped\n' : ''}${one.runs.map((run) => `  ${runText(run)}`).join('')}`,
      );
      print(json, all, text.join('') || 'No series here: concordat series create --help\n');
    });
  series
    .command('stop')
    .description('ask nothing more; its releases stay')
    .argument('<name>', 'name of the series')
    .option(...DIR)
    .option(...JSON_FLAG)
    .addHelpText('after', '\nExample:\n  concordat series stop monthly')
    .action((name: string, { dir, json }: { dir: string; json?: boolean }) => {
      const stopped = { ...readSeriesFile(dir, name), stopped: true };
      writeSeriesFile(dir, stopped);
      print(json, stopped, `${name} is stopped\n`);
    });
  series
    .command('serve')
    .description('run every series on its calendar until Ctrl-C')
    .option(...DIR)
    .addHelpText('after', '\nExample:\n  concordat series serve --dir /var/lib/concordat/series')
    .action(async ({ dir }: { dir: string }) => {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => stop.abort());
      }
      const names = listSeries(dir).filter(({ stopped }) => !stopped);
      if (names.length === 0) {
        throw new ConcordatError(
          'no-such-series',
          `${dir} has no series that runs: concordat series create --help`,
        );
      }
      process.stderr.write(`serving ${names.map(({ name }) => name).join(', ')} until Ctrl-C\n`);
      await serveSeries(dir, {
        nowMs: Date.now,
        signal: stop.signal,
        onRun: (name, run) => void process.stderr.write(`${name}  ${runText(run)}`),
        onFailure: (name, code) => void process.stderr.write(`${name}: failed [${code}]\n`),
      });
    });
}

/** The month or the week that a series begins with, whichever was given. Throws `usage`, `bad-period`. */
function firstPeriod({ firstMonth, firstWeek }: Create): string {
  const first = firstWeek ?? firstMonth;
  if (first === undefined || (firstWeek !== undefined && firstMonth !== undefined)) {
    throw new ConcordatError('usage', 'give --first-month for a monthly series, or --first-week');
  }
  if (isWeek(first) !== (firstWeek !== undefined)) {
    throw new ConcordatError('bad-period', 'write a month as YYYY-MM, a week as YYYY-Www');
  }
  return canonicalPeriod(first);
}

function addCreate(series: Command): void {
  series
    .command('create')
    .description('write down a series; asks nothing')
    .argument('<name>', 'name of the series')
    .requiredOption('--key <file>', "the analyst's private key on this machine")
    .option('--analyst <id>', 'id of the analyst in the manifest', 'demo-analyst')
    .option(
      '--query <categories:resolution:rho>',
      'a question of every month or week; repeat for more',
      queryOf,
      [],
    )
    .option('--plan <file>', 'take the questions of a plan (concordat analyse plan --json)')
    .option('--first-month <month>', 'first month asked for, YYYY-MM: a monthly series')
    .option('--first-week <week>', 'first ISO week asked for, YYYY-Www: a weekly series')
    .requiredOption('--rho-per-year <rho>', 'what the series may spend of each year of the data')
    .option('--purpose <purpose>', 'purpose as the grants name it', 'hotspot-policing')
    .option('--agencies <list>', 'agencies to ask; every one when left out')
    .option('--cron <fields>', 'when serve looks for what is due, five fields in UTC', '0 6 * * *')
    .option('--url <url>', 'address of the coordinator', httpAddress, DEFAULT_URL)
    .option('--dry-run', 'show the cost of a year and write nothing')
    .option(...DIR)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      `
Examples:
  concordat series create monthly --key federation/analyst/signing.pem --first-month 2024-01 --rho-per-year 3/2 \\
    --query violence,asb:8:1/10 --query robbery,weapons:7:1/50 --dry-run
  concordat series create monthly --key federation/analyst/signing.pem --first-month 2024-01 --rho-per-year 2 --plan plan.json
  concordat series create watch --key federation/analyst/signing.pem --first-week 2024-W01 --rho-per-year 1/2 --query asb:7:1/120`,
    )
    .action((name: string, flags: Create) => {
      const { dir, url, key, analyst, purpose, rhoPerYear, cron, agencies } = flags;
      const made = checkedSeries({
        version: 1,
        name,
        url,
        analyst,
        key: resolve(key),
        purpose,
        ...(agencies ? { agencies: agencies.split(',') } : {}),
        first: firstPeriod(flags),
        queries: [...(flags.plan === undefined ? [] : plannedQueries(flags.plan)), ...flags.query],
        rhoPerYear,
        cron,
        stopped: false,
        runs: [],
      });
      if (!flags.dryRun) createSeriesFile(dir, made);
      print(flags.json, { series: made, cost: costOf(made) }, costText(made));
    });
}

function addRun(series: Command): void {
  series
    .command('run')
    .description('ask every month or week that is due, once')
    .argument('<name>', 'name of the series')
    .option('--dry-run', 'show what is due and what the year costs; ask nothing')
    .option(...DIR)
    .option(...JSON_FLAG)
    .addHelpText('after', '\nExample:\n  concordat series run monthly --dry-run')
    .action(
      async (
        name: string,
        { dir, json, dryRun }: { dir: string; json?: boolean; dryRun?: boolean },
      ) => {
        const before = readSeriesFile(dir, name);
        if (dryRun) {
          const due = await dueNow(before);
          const years = yearsOf(before, due);
          const yearText = years.map(
            ({ year, rhoSpent, rhoDue }) => `  ${year}: rho ${rhoSpent} spent, ${rhoDue} due\n`,
          );
          print(
            json,
            { due, years, cost: costOf(before) },
            `${costText(before)}${dueText(due)}${yearText.join('')}`,
          );
          return;
        }
        if (before.stopped) {
          throw new ConcordatError('series-stopped', 'this series is stopped: create another one');
        }
        const runs = await runDue(dir, name, {
          nowMs: Date.now,
          onRun: (run, left) =>
            void (json || process.stderr.write(`${runText(run).trimEnd()}  (${left} left)\n`)),
        });
        print(json, { runs }, runs.length === 0 ? 'Nothing is due.\n' : '');
        if (runs.some(({ release }) => release === null)) process.exitCode = 1;
      },
    );
}
