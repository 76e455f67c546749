import 'reflect-metadata';
import { Command } from 'commander';
import { registerDoctor } from '#libs/doctor';
import { registerRotateKeys, runProgram } from '#libs/nest-kit';
import { registerBudget } from './commands/budget.js';
import { registerEnrol } from './commands/enrol.js';
import { registerIngest } from './commands/ingest.js';
import { registerInit } from './commands/init.js';
import { registerPeople } from './commands/people.js';
import { registerRequests } from './commands/requests.js';
import { registerServe } from './commands/serve.js';
import { registerSignPolicy } from './commands/sign-policy.js';
import { nodePaths } from './config.js';
import { examineNode } from './doctor.js';

const program = new Command('concordat node')
  .exitOverride()
  .description("Runs an agency's node: records stay here, noisy counts leave.")
  .showHelpAfterError();
registerInit(program);
registerEnrol(program);
registerSignPolicy(program);
registerIngest(program);
registerPeople(program);
registerServe(program);
registerRequests(program);
registerBudget(program);
registerRotateKeys(program, { name: 'node', controlOf: (dir) => nodePaths(dir).control });
registerDoctor(program, {
  checks: 'keys, disk, clock, policy, log and budget',
  exampleFolder: '/var/lib/concordat/my-force',
  examine: examineNode,
});

await runProgram(() => program.parseAsync());
