import { Command } from 'commander';
import { VERSION } from '#libs/host';
import { registerAnalyse } from './commands/analyse.js';
import { registerAnalyst } from './commands/analyst.js';
import { registerAudit } from './commands/audit.js';
import { registerDp } from './commands/dp.js';
import { registerDpEstimate } from './commands/dp-estimate.js';
import { registerForecast } from './commands/forecast.js';
import { registerLinkage } from './commands/linkage.js';
import { registerLogin } from './commands/login.js';
import { registerPolicy } from './commands/policy.js';
import { registerDoctor, registerProcesses } from './commands/processes.js';
import { registerQuery } from './commands/query.js';
import { registerReceipt } from './commands/receipt.js';
import { registerSeries } from './commands/series.js';
import { registerStart } from './commands/start.js';

/** The whole command line, one noun a file. */
export function createProgram(): Command {
  const program = new Command('concordat')
    .description(
      'Federated analytics for crime concentrations: the data stays, only noisy counts travel.',
    )
    .version(VERSION)
    .enablePositionalOptions()
    // Thrown instead of ending the process, so that usage errors get their own exit code. Subcommands inherit it.
    .exitOverride()
    .showHelpAfterError('(concordat COMMAND --help shows examples)');
  registerStart(program);
  registerAnalyst(program);
  registerLogin(program);
  registerQuery(program);
  registerProcesses(program);
  registerDoctor(program);
  registerPolicy(program);
  registerDp(program);
  registerAudit(program);
  registerReceipt(program);
  registerDpEstimate(program);
  registerAnalyse(program);
  registerForecast(program);
  registerSeries(program);
  registerLinkage(program);
  return program;
}
