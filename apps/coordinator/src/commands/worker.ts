import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { portNumber, wholeNumber } from '#libs/command-line';
import { createLogger, runProcess } from '#libs/nest-kit';
import { defaultConcurrency } from '../jobs/coordinator-jobs.js';

const MOST_AT_ONCE = 64;

/** `concordat coordinator worker`: runs the coordinator's jobs out of Redis. */
export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description("run the coordinator's heavy jobs from Redis until stopped; as many as wanted")
    .requiredOption('--dir <folder>', "the coordinator's folder, or one that shares its files")
    .option(
      '--jobs <count>',
      'jobs to run at once',
      wholeNumber(1, MOST_AT_ONCE),
      defaultConcurrency(),
    )
    .option(
      '--port <port>',
      'port of health and metrics on loopback, 0 for a free one',
      portNumber,
      0,
    )
    .addHelpText(
      'after',
      `
REDIS_URL names the Redis that the coordinator was started with. The folder must hold the coordinator's manifest.json,
domains, uploads, rounds, blobs and layers, shared with it; a worker needs no key and no log.

Example:
  REDIS_URL=redis://127.0.0.1:6379 concordat coordinator worker --dir /var/lib/concordat/coordinator`,
    )
    .action(async (options: { dir: string; jobs: number; port: number }) => {
      const redisUrl = process.env.REDIS_URL;
      if (!redisUrl) {
        throw new ConcordatError(
          'redis-url-missing',
          'set REDIS_URL to the Redis that the coordinator was started with',
        );
      }
      await runProcess(createLogger('coordinator-worker'), async () => {
        // The server's frameworks take a second to load, which --help does not need.
        const { serveWorker } = await import('../serve-worker.js');
        return serveWorker(options.dir, {
          redisUrl,
          concurrency: options.jobs,
          port: options.port,
          nowMs: Date.now,
        });
      });
    });
}
