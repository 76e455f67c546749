import 'reflect-metadata';
import { Command } from 'commander';
import { createLogger, runProcess, runProgram, tellParent } from '#libs/nest-kit';
import { registerWorker } from './commands/worker.js';
import { registerDoctor } from './doctor.js';
import { initCoordinator } from './init.js';

const program = new Command('concordat coordinator')
  .exitOverride()
  .description('Runs the coordinator of a federation.');

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

program
  .command('serve')
  .description('serve rounds, releases and the map until stopped')
  .requiredOption('--dir <folder>', 'folder made by init')
  .option('--port <port>', 'port to listen on instead of the configured one', Number)
  .action((options) =>
    runProcess(createLogger('coordinator'), async () => {
      // The server's frameworks take a second to load, which `init` does not need.
      const { serveCoordinator } = await import('./serve.js');
      return serveCoordinator(options.dir, {
        port: options.port,
        nowMs: Date.now,
        redisUrl: process.env.REDIS_URL,
      });
    }),
  );

registerWorker(program);

registerDoctor(program);

await runProgram(() => program.parseAsync());
