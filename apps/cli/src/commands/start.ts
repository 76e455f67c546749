import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { folderArgument, portNumber } from '#libs/command-line';
import { Children } from '../demo/children.js';
import { Progress } from '../demo/progress.js';
import { formatDemo } from '../demo/report.js';
import { runDemo } from '../demo/run.js';
import { DEFAULT_URL } from './default-url.js';

const DEFAULT_PORT = 4100;
/** 128 and the number of SIGINT, as shells report it: interrupted before there was anything to show. */
const EXIT_INTERRUPTED = 130;

interface StartFlags {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly data?: string;
  readonly dir?: string;
  readonly out?: string;
  readonly from?: string;
  readonly to?: string;
  readonly categories?: string;
  readonly sealed?: boolean;
  readonly port?: number;
  readonly withLinkage?: boolean;
}

/** `concordat start`: a whole federation on this machine. */
export function registerStart(program: Command): void {
  program
    .command('start')
    .description('run a federation on this machine: ingest, ask, compose, serve the map')
    .option('--once', 'stop after the first release instead of serving')
    .option('--json', 'print one JSON document on stdout')
    .option(
      '--data <folder>',
      'own data: a sub-folder of police.uk street files for each agency',
      folderArgument,
    )
    .option(
      '--dir <folder>',
      "keep every process's folder here; run again with it and everything continues",
      folderArgument,
    )
    .option('--out <folder>', 'write cells.csv there', folderArgument)
    .option(
      '--with-linkage',
      'also count people known to two of the bundled agencies; the people are synthetic',
    )
    .option('--from <month>', 'first month asked for, YYYY-MM')
    .option('--to <month>', 'last month asked for, YYYY-MM')
    .option('--categories <list>', 'categories asked for, separated by commas')
    .option('--sealed', 'ask so that nobody sees the answer of one agency, only the sum')
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
  npm start -- --with-linkage --once               the same, and one linked count of synthetic people
  npm start -- --data downloads --out results      own police.uk downloads, cells as CSV
  npm start -- --dir federation --from 2024-01 --to 2024-06 --categories robbery,weapons`,
    )
    .action(start);
}

async function start(flags: StartFlags): Promise<void> {
  const progress = new Progress();
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => resolve('interrupted'));
  });
  let died: (error: ConcordatError) => void = () => {};
  const death = new Promise<ConcordatError>((resolve) => {
    died = resolve;
  });
  const children = new Children(died);
  const stopping = new AbortController();
  const dir = flags.dir ?? mkdtempSync(join(tmpdir(), 'concordat-'));
  try {
    const running = runDemo(
      {
        dir,
        data: flags.data,
        out: flags.out,
        from: flags.from,
        to: flags.to,
        categories: flags.categories?.split(',').map((name) => name.trim()),
        sealed: flags.sealed === true,
        port: flags.port ?? (flags.once ? 0 : DEFAULT_PORT),
        withLinkage: flags.withLinkage ?? false,
        signal: stopping.signal,
      },
      progress,
      children,
    );
    const demo = await Promise.race([running, interrupted, death]);
    if (demo === 'interrupted' || demo instanceof ConcordatError) {
      // What is under way fails as its processes end; the reason is known already.
      running.catch(() => {});
      if (demo !== 'interrupted') throw demo;
      process.exitCode = EXIT_INTERRUPTED;
      return;
    }
    if (flags.json) process.stdout.write(`${JSON.stringify(demo.report)}\n`);
    else {
      process.stdout.write(
        formatDemo(
          demo.report,
          demo.sentence,
          demo.interval,
          demo.top,
          demo.held,
          flags.once ? undefined : demo.url === DEFAULT_URL ? '' : ` --url ${demo.url}`,
        ),
      );
    }
    if (flags.once) return;
    process.stderr.write(
      `\nMap       ${demo.url}/\nGraphQL   ${demo.url}/graphiql.html\nAuditor   ${demo.auditorUrl}/v1/logs\nFolders   ${dir}\n\nCtrl-C stops every process.\n`,
    );
    const end = await Promise.race([interrupted, death]);
    if (end !== 'interrupted') {
      // The report was printed already: a second document on stdout would spoil it.
      process.stderr.write(`concordat: ${end.message} [${end.code}]\n`);
      process.exitCode = 1;
    }
  } finally {
    progress.say('stopping');
    stopping.abort();
    await children.stopAll();
    if (flags.dir === undefined) rmSync(dir, { recursive: true, force: true });
  }
}
