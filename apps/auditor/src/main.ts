import 'reflect-metadata';
import { Command } from 'commander';
import {
  createLogger,
  registerRotateKeys,
  runProcess,
  runProgram,
  tellParent,
} from '#libs/nest-kit';
import { auditorPaths } from './config.js';
import { registerDoctor } from './doctor.js';
import { initAuditor } from './init.js';

const program = new Command('concordat auditor')
  .exitOverride()
  .description('Witnesses every log of a federation.');

program
  .command('init')
  .description('make the folder, key and settings of an auditor')
  .requiredOption('--dir <folder>', 'folder to make')
  .requiredOption('--coordinator <url>', 'address of the coordinator')
  .requiredOption('--coordinator-key <key>', "the coordinator's public key, from its operator")
  .option('--id <id>', 'its name in the federation', 'auditor')
  .option('--host <host>', 'address that nodes reach it at', '127.0.0.1')
  .option('--port <port>', 'port to listen on, 0 for a free one', Number, 4200)
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

program
  .command('serve')
  .description('witness logs and hold the seeds of sealed rounds until stopped')
  .requiredOption('--dir <folder>', 'folder made by init')
  .option('--coordinator <url>', 'address of the coordinator instead of the configured one')
  .option('--port <port>', 'port to listen on instead of the configured one', Number)
  .addHelpText('after', '\nExample:\n  concordat auditor serve --dir /var/lib/concordat/auditor')
  .action((options) =>
    runProcess(createLogger('auditor'), async () => {
      // The server's frameworks take a second to load, which `init` does not need.
      const { serveAuditor } = await import('./serve.js');
      return serveAuditor(options.dir, {
        coordinatorUrl: options.coordinator,
        port: options.port,
        nowMs: Date.now,
      });
    }),
  );

registerRotateKeys(program, { name: 'auditor', controlOf: (dir) => auditorPaths(dir).control });
registerDoctor(program);

await runProgram(() => program.parseAsync());
