import type { Command } from 'commander';
import { Progress } from '../demo/progress.js';
import { formatDemo } from '../demo/report.js';
import { runDemo } from '../demo/run.js';
import { portNumber } from './options.js';

const DEFAULT_PORT = 4100;

interface StartFlags {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly data?: string;
  readonly dir?: string;
  readonly out?: string;
  readonly from?: string;
  readonly to?: string;
  readonly categories?: string;
  readonly port?: number;
}

/** `concordat start`: a whole federation on this machine. */
export function registerStart(program: Command): void {
  program
    .command('start')
    .description('run a federation on this machine: ingest, ask, compose, serve the map')
    .option('--once', 'stop after the first release instead of serving')
    .option('--json', 'print one JSON document on stdout')
    .option('--data <folder>', 'own data: a sub-folder of police.uk street files for each agency')
    .option(
      '--dir <folder>',
      "keep every process's folder here; run again with it and everything continues",
    )
    .option('--out <folder>', 'write cells.csv there')
    .option('--from <month>', 'first month asked for, YYYY-MM')
    .option('--to <month>', 'last month asked for, YYYY-MM')
    .option('--categories <list>', 'categories asked for, separated by commas')
    .option(
      '--port <port>',
      `port of the map and GraphQL (${DEFAULT_PORT}; with --once any free one)`,
      portNumber,
    )
    .addHelpText(
      'after',
      `
Examples:
  npm start                                        the bundled agencies, then the map until Ctrl-C
  npm start -- --once --json                       the same, one JSON document, no serving
  npm start -- --data downloads --out results      own police.uk downloads, cells as CSV
  npm start -- --dir federation --from 2024-01 --to 2024-06 --categories robbery,weapons`,
    )
    .action(start);
}

async function start(flags: StartFlags): Promise<void> {
  const progress = new Progress();
  const stopRequest = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  let died: (reason: string) => void = () => {};
  const death = new Promise<string>((resolve) => {
    died = resolve;
  });
  const running = runDemo(
    {
      data: flags.data,
      dir: flags.dir,
      out: flags.out,
      from: flags.from,
      to: flags.to,
      categories: flags.categories?.split(',').map((name) => name.trim()),
      port: flags.port ?? (flags.once ? 0 : DEFAULT_PORT),
    },
    progress,
    (_name, detail) => died(detail),
  );
  const first = await Promise.race([running, stopRequest, death]);
  if (first === undefined || typeof first === 'string') {
    // Interrupted or broken before the release: end what was started, whatever state it is in.
    process.stderr.write(first === undefined ? 'stopping\n' : `concordat: ${first}\n`);
    process.exit(first === undefined ? 130 : 1);
  }
  const demo = first;
  if (flags.json) process.stdout.write(`${JSON.stringify(demo.report)}\n`);
  else
    process.stdout.write(
      formatDemo(demo.report, demo.sentence, demo.interval, demo.top, demo.held),
    );
  if (!flags.once) {
    process.stderr.write(
      `\nMap       ${demo.url}/\nGraphQL   ${demo.url}/graphiql.html\nAuditor   ${demo.auditorUrl}/v1/logs\nFolders   ${demo.dir}\n\nCtrl-C stops every process.\n`,
    );
    const reason = await Promise.race([stopRequest, death]);
    if (reason !== undefined) {
      process.stderr.write(`concordat: ${reason}\n`);
      process.exitCode = 1;
    }
  }
  progress.say('stopping');
  await demo.stop();
  process.exit();
}
