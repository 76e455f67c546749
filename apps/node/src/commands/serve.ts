import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { createLogger, runProcess } from '#libs/nest-kit';
import { serveNode } from '../serve.js';

const RANDOM_STEPS = 2 ** 32;
const random = (): number => randomInt(RANDOM_STEPS) / RANDOM_STEPS;

/** `concordat node serve`: answers the coordinator until stopped. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('answer the coordinator until stopped')
    .requiredOption('--dir <folder>', 'folder of the node')
    .option('--coordinator <url>', 'address of the coordinator instead of the configured one')
    .action((options) =>
      runProcess(createLogger('node'), () =>
        serveNode(options.dir, { coordinatorUrl: options.coordinator, random }),
      ),
    );
}
