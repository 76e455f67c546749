import type { Command } from 'commander';
import { httpAddress, portNumber } from '#libs/command-line';
import { createLogger, runProcess } from '#libs/nest-kit';

/** `concordat auditor serve`: witnesses logs and holds seeds until stopped. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('witness logs and hold the seeds of sealed rounds until stopped')
    .requiredOption('--dir <folder>', 'folder made by init')
    .option(
      '--coordinator <url>',
      'address of the coordinator instead of the configured one',
      httpAddress,
    )
    .option('--port <port>', 'port to listen on instead of the configured one', portNumber)
    .addHelpText('after', '\nExample:\n  concordat auditor serve --dir /var/lib/concordat/auditor')
    .action((options) =>
      runProcess(createLogger('auditor'), async () => {
        // The server's frameworks take a second to load, which `init` does not need.
        const { serveAuditor } = await import('../serve.js');
        return serveAuditor(options.dir, {
          coordinatorUrl: options.coordinator,
          port: options.port,
          nowMs: Date.now,
        });
      }),
    );
}
