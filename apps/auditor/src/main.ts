import 'reflect-metadata';
import { Command } from 'commander';
import { registerDoctor } from '#libs/doctor';
import { registerRotateKeys, runProgram } from '#libs/nest-kit';
import { registerInit } from './commands/init.js';
import { registerServe } from './commands/serve.js';
import { auditorPaths } from './config.js';
import { examineAuditor } from './doctor.js';

const program = new Command('concordat auditor')
  .exitOverride()
  .description('Witnesses every log of a federation.');
registerInit(program);
registerServe(program);
registerRotateKeys(program, { name: 'auditor', controlOf: (dir) => auditorPaths(dir).control });
registerDoctor(program, {
  checks: 'keys, manifest, disk, clock and log',
  exampleFolder: '/var/lib/concordat/auditor',
  examine: examineAuditor,
});

await runProgram(() => program.parseAsync());
