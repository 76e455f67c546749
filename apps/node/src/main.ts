import 'reflect-metadata';
import { randomInt } from 'node:crypto';
import { Command } from 'commander';
import { loadSigningKey } from '#libs/keystore';
import { createLogger, runProcess, runProgram, tellParent } from '#libs/nest-kit';
import { loadConfig, nodePaths } from './config.js';
import { filesIn, ingest } from './ingest.js';
import { formatReport } from './ingest-report.js';
import { initNode } from './init.js';
import { serveNode } from './serve.js';
import { signPolicies } from './signed-policy.js';

const RANDOM_STEPS = 2 ** 32;
const jitter = (): number => randomInt(RANDOM_STEPS) / RANDOM_STEPS;

const program = new Command('concordat node')
  .description("Runs an agency's node: records stay here, noisy counts leave.")
  .showHelpAfterError();

program
  .command('init')
  .description('make the folder of a node: keys, settings, signed policy')
  .requiredOption('--dir <folder>', 'folder to make')
  .requiredOption('--agency <id>', 'id of the agency in the federation')
  .requiredOption('--policy <file>', 'policy document of the agency (YAML)')
  .requiredOption('--federation-policy <file>', "the federation's floor (YAML)")
  .requiredOption('--domain <file>', "the agency's public domain, compacted cells, gzipped")
  .requiredOption('--coordinator <url>', 'address of the coordinator')
  .requiredOption('--coordinator-key <key>', "the coordinator's public key, from its operator")
  .option(
    '--mapping <name>',
    'how its files are read: a name from policies/mappings, or auto',
    'auto',
  )
  .option('--dataset <name>', 'name of the dataset', 'incidents')
  .option('--port <port>', 'port of the console on loopback, 0 for a free one', Number, 0)
  .addHelpText(
    'after',
    `
Example:
  concordat node init --dir /var/lib/concordat/my-force --agency my-force \\
    --policy policies/agencies/my-force.yaml --federation-policy policies/federation.yaml \\
    --domain my-force.txt.gz --coordinator https://concordat.example --coordinator-key KEY`,
  )
  .action(async (options) => {
    const publicKey = await initNode(
      options.dir,
      {
        version: 1,
        agency: options.agency,
        dataset: { name: options.dataset, mapping: options.mapping },
        coordinator: { url: options.coordinator, publicKey: options.coordinatorKey },
        listen: { host: '127.0.0.1', port: options.port },
      },
      {
        policy: options.policy,
        federationPolicy: options.federationPolicy,
        domain: options.domain,
      },
    );
    tellParent({ type: 'initialised', id: options.agency, publicKey });
    process.stdout.write(`${publicKey}\n`);
  });

program
  .command('sign-policy')
  .description("sign the policy documents in a node's folder as they are now")
  .requiredOption('--dir <folder>', 'folder of the node')
  .action((options) => {
    const paths = nodePaths(options.dir);
    const { agency } = loadConfig(options.dir);
    process.stdout.write(`${signPolicies(paths, agency, loadSigningKey(paths.signingKey))}\n`);
  });

program
  .command('ingest')
  .description('take record files in; a file that was taken before changes nothing')
  .requiredOption('--dir <folder>', 'folder of the node, which must not be running')
  .option('--json', 'print the report as JSON')
  .option(
    '--categories <list>',
    'categories that these files cover, when fewer than the mapping says',
  )
  .option('--refused-ok', 'exit 0 although files were refused')
  .argument('<files...>', 'CSV or TSV files, also gzipped; a folder stands for the files in it')
  .addHelpText(
    'after',
    '\nExample:\n  concordat node ingest --dir /var/lib/concordat/my-force 2024-06-my-force-street.csv',
  )
  .action(async (paths: string[], options) => {
    const { statSync } = await import('node:fs');
    const files = paths.flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]));
    const report = await ingest(options.dir, files, {
      nowMs: Date.now(),
      categories: options.categories?.split(','),
      onProgress: (rows, file, fileCount) => {
        tellParent({ type: 'progress', rows, file, fileCount });
        if (process.stderr.isTTY)
          process.stderr.write(`\r${rows} rows, file ${file} of ${fileCount} `);
      },
    });
    if (process.stderr.isTTY) process.stderr.write('\n');
    tellParent({ type: 'ingested', report });
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : formatReport(report));
    if (!options.refusedOk && report.files.some(({ status }) => status === 'refused'))
      process.exitCode = 1;
  });

program
  .command('serve')
  .description('answer the coordinator until stopped')
  .requiredOption('--dir <folder>', 'folder of the node')
  .option('--coordinator <url>', 'address of the coordinator instead of the configured one')
  .action((options) =>
    runProcess(createLogger('node'), () =>
      serveNode(options.dir, { coordinatorUrl: options.coordinator, nowMs: Date.now, jitter }),
    ),
  );

await runProgram(() => program.parseAsync());
