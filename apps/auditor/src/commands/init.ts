import type { Command } from 'commander';
import { httpAddress, keyArgument, nameArgument, portNumber } from '#libs/command-line';
import { tellParent } from '#libs/nest-kit';
import { initAuditor } from '../init.js';

/** `concordat auditor init`: the folder, keys and settings. */
export function registerInit(program: Command): void {
  program
    .command('init')
    .description('make the folder, key and settings of an auditor')
    .requiredOption('--dir <folder>', 'folder to make')
    .requiredOption('--coordinator <url>', 'address of the coordinator', httpAddress)
    .requiredOption(
      '--coordinator-key <key>',
      "the coordinator's public key, from its operator",
      keyArgument,
    )
    .option('--id <id>', 'its name in the federation', nameArgument, 'auditor')
    .option('--host <host>', 'address that nodes reach it at', '127.0.0.1')
    .option('--port <port>', 'port to listen on, 0 for a free one', portNumber, 4200)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Prints the auditor's card, with which the coordinator's operator founds the federation: id.key.box-key.

Example:
  concordat auditor init --dir /var/lib/concordat/auditor --coordinator https://concordat.example --coordinator-key KEY`,
    )
    .action(async (options) => {
      const keys = await initAuditor(options.dir, {
        version: 1,
        id: options.id,
        coordinator: { url: options.coordinator, publicKey: options.coordinatorKey },
        listen: { host: options.host, port: options.port },
      });
      tellParent({ type: 'initialised', id: options.id, ...keys });
      const card = [options.id, keys.publicKey, keys.boxKey].join('.');
      const text = options.json ? JSON.stringify({ id: options.id, ...keys, card }) : card;
      process.stdout.write(`${text}\n`);
    });
}
