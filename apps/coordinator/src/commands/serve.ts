import type { Command } from 'commander';
import { portNumber } from '#libs/command-line';
import { createLogger, runProcess } from '#libs/nest-kit';
import { coordinatorPaths } from '../config.js';
import { startUnlessServed, startWhenFree } from '../standby.js';

const EXAMPLES = `
Examples:
  $ concordat coordinator serve --dir coordinator
  $ concordat coordinator serve --dir coordinator --standby   # on the same machine: takes over when the first ends`;

/** `concordat coordinator serve`: rounds, releases and the map until stopped. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('serve rounds, releases and the map until stopped')
    .requiredOption('--dir <folder>', 'folder made by init')
    .option('--port <port>', 'port to listen on instead of the configured one', portNumber)
    .option('--standby', 'wait while another process serves the folder, and take over after it')
    .addHelpText('after', EXAMPLES)
    .action((options) => {
      const logger = createLogger('coordinator');
      return runProcess(logger, async () => {
        // The server's frameworks take a second to load, which `init` does not need.
        const { serveCoordinator } = await import('../serve.js');
        const start = () =>
          serveCoordinator(options.dir, {
            port: options.port,
            nowMs: Date.now,
            redisUrl: process.env.REDIS_URL,
          });
        return options.standby
          ? startWhenFree(start, logger)
          : startUnlessServed(start, logger, coordinatorPaths(options.dir).control);
      });
    });
}
