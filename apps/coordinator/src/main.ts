import 'reflect-metadata';
import { Command } from 'commander';
import { registerDoctor } from '#libs/doctor';
import { runProgram } from '#libs/nest-kit';
import { registerIdentityProvider } from './commands/identity-provider.js';
import { registerInit } from './commands/init.js';
import { registerMembers } from './commands/members.js';
import { registerReplica } from './commands/replica.js';
import { registerServe } from './commands/serve.js';
import { registerWorker } from './commands/worker.js';
import { examineFolder } from './doctor.js';

const program = new Command('concordat coordinator')
  .exitOverride()
  .description('Runs the coordinator of a federation.')
  .showHelpAfterError();
registerInit(program);
registerMembers(program);
registerIdentityProvider(program);
registerServe(program);
registerReplica(program);
registerWorker(program);
registerDoctor(program, {
  checks: 'keys, manifest, disk, clock, log, limits and sign-in, or the folder of a replica',
  exampleFolder: '/var/lib/concordat/coordinator',
  examine: (dir, examination) => examineFolder(dir, examination, process.env.REDIS_URL),
});

await runProgram(() => program.parseAsync());
