import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { httpAddress, keyArgument, nameArgument, portNumber } from '#libs/command-line';
import { findArea, formatDomainFile, parseAreas } from '#libs/grid';
import { packageRoot } from '#libs/host';
import { tellParent } from '#libs/nest-kit';
import type { NodeConfig } from '../config.js';
import { initNode } from '../init.js';

const ROOT = packageRoot(import.meta.url);

/** Area of the bundled grid as a gzipped domain file: `force:city-of-london`, `authority:E06000023`. Throws `unknown-area`. */
function bundledDomain(area: string): Uint8Array {
  const match = /^(force|authority):(.+)$/.exec(area);
  if (!match) {
    throw new ConcordatError(
      'bad-argument',
      '--area is force:NAME or authority:NAME, by slug, name or ONS code',
    );
  }
  const text = gunzipSync(readFileSync(join(ROOT, 'samples/grid/areas.json.gz'))).toString('utf8');
  const kind = match[1] === 'force' ? 'force' : 'authority';
  return gzipSync(formatDomainFile(findArea(parseAreas(text), kind, match[2] ?? '').domain()));
}

/** The policy of the sample agencies under this agency's name: something to read and change, not to keep. */
const examplePolicy = (agency: string): string =>
  readFileSync(join(ROOT, 'policies/demo-agency.yaml'), 'utf8').replaceAll('demo-agency', agency);

function coordinatorFrom(options: {
  readonly coordinator?: string;
  readonly coordinatorKey?: string;
}): Pick<NodeConfig, 'coordinator'> {
  const { coordinator: url, coordinatorKey: publicKey } = options;
  if (url === undefined && publicKey === undefined) return {};
  if (url === undefined || publicKey === undefined) {
    throw new ConcordatError(
      'bad-argument',
      '--coordinator takes its address and --coordinator-key its public key, both or neither; node enrol sets them too',
    );
  }
  return { coordinator: { url, publicKey } };
}

/** `concordat node init`: makes the folder of a node. */
export function registerInit(program: Command): void {
  program
    .command('init')
    .description('make the folder of a node: keys, settings, area, signed policy')
    .requiredOption('--dir <folder>', 'folder to make')
    .requiredOption('--agency <id>', 'id that the agency will have in the federation', nameArgument)
    .option('--area <area>', 'area of the bundled grid: force:NAME or authority:NAME')
    .option('--domain <file>', 'area of your own instead: compacted cells, gzipped')
    .option('--policy <file>', 'policy document of the agency (YAML); the example when left out')
    .option(
      '--federation-policy <file>',
      "the federation's floor (YAML)",
      join(ROOT, 'policies/federation.yaml'),
    )
    .option('--coordinator <url>', 'address of the coordinator; node enrol sets it', httpAddress)
    .option(
      '--coordinator-key <key>',
      "the coordinator's public key; node enrol sets it",
      keyArgument,
    )
    .option(
      '--auditor <url>',
      'address of the auditor; without it sealed questions are refused',
      httpAddress,
    )
    .option(
      '--mapping <name or file>',
      'how its files are read: a name from policies/mappings, a YAML file of your own, or auto',
      'auto',
    )
    .option('--dataset <name>', 'name of the dataset', nameArgument, 'incidents')
    .option('--port <port>', 'port of the console on loopback, 0 for a free one', portNumber, 0)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  concordat node init --dir /var/lib/concordat/my-force --agency my-force --area force:city-of-london
  concordat node init --dir /var/lib/concordat/bristol-council --agency bristol-council --area authority:E06000023 \\
    --policy policies/agencies/bristol-council.yaml --mapping policies/mappings/bristol-asb.yaml

Next: concordat node enrol`,
    )
    .action(async (options) => {
      const { dir, agency, area, domain, policy, federationPolicy } = options;
      if ((area === undefined) === (domain === undefined)) {
        throw new ConcordatError(
          'bad-argument',
          'give the area by --area or by --domain, not both',
        );
      }
      const config: NodeConfig = {
        version: 1,
        agency,
        dataset: { name: options.dataset, mapping: options.mapping },
        ...coordinatorFrom(options),
        ...(options.auditor ? { auditor: { url: options.auditor } } : {}),
        listen: { host: '127.0.0.1', port: options.port },
      };
      const isFile = /\.ya?ml$/.test(options.mapping);
      const keys = await initNode(dir, config, {
        ...(isFile ? { mapping: options.mapping } : {}),
        policy: policy ?? { text: examplePolicy(agency) },
        federationPolicy,
        domain: domain ?? { bytes: bundledDomain(area) },
      });
      tellParent({ type: 'initialised', id: agency, ...keys });
      const text = options.json ? JSON.stringify({ agency, ...keys }) : keys.publicKey;
      process.stdout.write(`${text}\n`);
      if (!options.json && policy === undefined) {
        process.stderr.write(
          'The policy is the example: read policy.yaml, change it, then run: concordat node sign-policy\n',
        );
      }
    });
}
