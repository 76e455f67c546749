import { type Command, Option } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { httpAddress } from '#libs/command-line';
import { loadSigningKey } from '#libs/keystore';
import { daysOf, MEASURES, type Measure, monthsOf, weeksWithin } from '#libs/query';
import { type Analyst, ask, type RoundProgress } from '../ask.js';
import { sessionAnalyst, sessionFolder } from '../session/session-file.js';
import { traceQuestion } from '../trace-question.js';
import { DEFAULT_URL } from './default-url.js';

type Step = 'month' | 'week' | 'window';

interface QueryFlags {
  readonly url: string;
  readonly key?: string;
  readonly analyst: string;
  readonly measure: Measure;
  readonly categories: string;
  readonly from: string;
  readonly to: string;
  readonly step: Step;
  readonly resolution: string;
  readonly rho: string;
  readonly purpose: string;
  readonly agencies?: string;
  readonly sealed?: boolean;
  readonly json?: boolean;
}

const unitText = (privacy: RoundProgress['coverage'][number]['privacy']): string =>
  privacy?.unit === 'person-year'
    ? `person and year (of one person at most ${privacy.maxPerRelease} a month, ${privacy.maxPerYear} a year count)`
    : 'incident';

/** What is counted apart: every month, every week that lies whole in the months, or all of it as one. Throws `bad-period`, `period-order`. */
function periodsOf(from: string, to: string, step: Step): readonly string[] {
  const window = `${from}/${to}`;
  if (step === 'window') return [window];
  if (step === 'month') return monthsOf(window);
  const weeks = weeksWithin(daysOf(from).firstDay, daysOf(to).lastDay);
  if (weeks.length > 0) return weeks;
  throw new ConcordatError('period-order', 'the last week or month must not be before the first');
}

const list = (text: string): string[] => text.split(',').map((item) => item.trim());

const analystOf = ({ key, analyst }: QueryFlags): Analyst =>
  key === undefined
    ? sessionAnalyst(sessionFolder(), Date.now())
    : { id: analyst, key: loadSigningKey(key) };

/** `concordat query`: sign a question, submit it, wait for its release. */
export function registerQuery(program: Command): void {
  program
    .command('query')
    .description('ask the federation a question as an analyst and wait for the release')
    .option('--url <url>', 'address of the coordinator', httpAddress, DEFAULT_URL)
    .option(
      '--key <file>',
      "the analyst's private key; without it as who is signed in (concordat login)",
    )
    .option('--analyst <id>', 'id of the analyst in the manifest', 'demo-analyst')
    .addOption(
      new Option(
        '--measure <measure>',
        'incidents, or the different people named in them, each once a category and month',
      )
        .choices(MEASURES.filter((measure) => measure !== 'linked-people'))
        .default('incidents'),
    )
    .requiredOption('--categories <list>', 'common categories, separated by commas')
    .requiredOption('--from <month>', 'first month, YYYY-MM; with --step week also YYYY-Www')
    .requiredOption('--to <month>', 'last month, YYYY-MM; with --step week also YYYY-Www')
    .addOption(
      new Option('--step <step>', 'a count a month, a week (ISO), or one of the whole window')
        .choices(['month', 'week', 'window'])
        .default('month'),
    )
    .option('--resolution <resolution>', 'finest H3 resolution, 4 to 9', '9')
    .option('--rho <rho>', 'budget per agency, an exact rational', '1/8')
    .option('--purpose <purpose>', 'purpose as the grants name it', 'hotspot-policing')
    .option('--agencies <list>', 'agencies to ask; every one when left out')
    .option('--sealed', 'nobody may see the answer of one agency, only the sum of three or more')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      `
Example (while npm start -- --dir federation runs):
  concordat query --key federation/analyst/signing.pem --categories robbery,weapons --from 2024-01 --to 2024-06
  concordat query --key analyst.pem --categories asb --step week --from 2024-W01 --to 2024-W08 --resolution 7 --rho 1/100`,
    )
    .action(async (flags: QueryFlags) => {
      const startedMs = Date.now();
      const round = await ask(
        flags.url,
        analystOf(flags),
        {
          measure: flags.measure,
          categories: list(flags.categories),
          periods: [...periodsOf(flags.from, flags.to, flags.step)],
          resolution: Number(flags.resolution),
          rho: flags.rho,
          purpose: flags.purpose,
          ...(flags.agencies ? { agencies: list(flags.agencies) } : {}),
          ...(flags.sealed ? { sealed: true as const } : {}),
        },
        {
          nowMs: Date.now,
          onProgress: ({ phase, coverage }) => {
            const answered = coverage.filter(
              ({ status }) => status !== 'waiting' && status !== 'held',
            ).length;
            if (process.stderr.isTTY)
              process.stderr.write(`\r${phase}: ${answered} of ${coverage.length} agencies `);
          },
        },
      );
      if (process.stderr.isTTY) process.stderr.write('\n');
      await traceQuestion(round.id, startedMs, Date.now());
      if (flags.json) {
        process.stdout.write(`${JSON.stringify(round)}\n`);
        return;
      }
      for (const { agency, status, code, rhoSpent, privacy } of round.coverage) {
        process.stdout.write(
          `${agency.padEnd(28)} ${status.padEnd(9)} ${code ?? `rho ${rhoSpent} per ${unitText(privacy)}`}\n`,
        );
      }
      if (round.sealed) process.stdout.write('Sealed: only the sum of the answers was seen\n');
      process.stdout.write(`Release ${round.release}\n`);
    });
}
