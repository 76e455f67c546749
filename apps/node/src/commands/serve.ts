import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { httpAddress } from '#libs/command-line';
import { createLogger, runProcess } from '#libs/nest-kit';
import { ensureManifest } from '../take-manifest.js';

const RANDOM_STEPS = 2 ** 32;
const jitter = (): number => randomInt(RANDOM_STEPS) / RANDOM_STEPS;

/** `concordat node serve`: answers the coordinator until stopped. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('answer the coordinator until stopped')
    .requiredOption('--dir <folder>', 'folder of the node')
    .option(
      '--coordinator <url>',
      'address of the coordinator instead of the configured one',
      httpAddress,
    )
    .option('--auditor <url>', 'address of the auditor instead of the configured one', httpAddress)
    .addHelpText('after', '\nExample:\n  concordat node serve --dir /var/lib/concordat/my-force')
    .action((options) =>
      runProcess(createLogger('node'), async () => {
        // The server's frameworks take a second to load, which no other command needs.
        const { serveNode } = await import('../serve.js');
        const { coordinator: coordinatorUrl, auditor: auditorUrl, dir } = options;
        await ensureManifest(dir, coordinatorUrl);
        return serveNode(dir, { coordinatorUrl, auditorUrl, nowMs: Date.now, jitter });
      }),
    );
}
