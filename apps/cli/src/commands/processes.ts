import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

const PROCESSES = {
  node: "run an agency's node: init, sign-policy, ingest, serve",
  coordinator: 'run the coordinator: init, serve',
  auditor: 'run the auditor: init, serve',
} as const;

/** `concordat node|coordinator|auditor ...`: hands the rest of the line to the process of that name. */
export function registerProcesses(program: Command): void {
  for (const [name, description] of Object.entries(PROCESSES)) {
    program
      .command(name)
      .description(description)
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .argument('[arguments...]')
      .action(() => {
        const rest = process.argv.slice(process.argv.indexOf(name) + 1);
        return handOver(name, rest);
      });
  }
}

/** Runs the process with this terminal as its own and takes over its exit code. */
function handOver(name: string, args: readonly string[]): Promise<void> {
  const entry = fileURLToPath(new URL(`../../../${name}/src/main.js`, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', entry, ...args], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? (signal ? 1 : 0);
      resolve();
    });
  });
}
