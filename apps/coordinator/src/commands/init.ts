import type { Command } from 'commander';
import { tellParent } from '#libs/nest-kit';
import { initCoordinator } from '../init.js';

/** `concordat coordinator init`: makes the folder. */
export function registerInit(program: Command): void {
  program
    .command('init')
    .description('make the folder, key and settings of a coordinator')
    .requiredOption('--dir <folder>', 'folder to make')
    .option('--id <id>', 'its name in the federation', 'coordinator')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on', Number, 4100)
    .option('--deadline <seconds>', 'how long agencies have to answer', Number, 120)
    .action(async (options) => {
      const keys = await initCoordinator(options.dir, {
        version: 1,
        id: options.id,
        listen: { host: options.host, port: options.port },
        roundDeadlineSeconds: options.deadline,
      });
      tellParent({ type: 'initialised', id: options.id, ...keys });
      process.stdout.write(`${keys.publicKey}\n`);
      process.stderr.write(`box key ${keys.boxKey}\n`);
    });
}
