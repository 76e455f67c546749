import type { Command } from 'commander';
import { tellParent } from '#libs/nest-kit';
import { initNode } from '../init.js';

/** `concordat node init`: makes the folder of a node. */
export function registerInit(program: Command): void {
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
      const keys = await initNode(
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
      tellParent({ type: 'initialised', id: options.agency, ...keys });
      process.stdout.write(`${keys.publicKey}\n`);
      process.stderr.write(`box key ${keys.boxKey}\n`);
    });
}
