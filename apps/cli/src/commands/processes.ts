import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';

const PROCESSES = {
  node: "run an agency's node: init, enrol, ingest, serve, requests, approve, deny, budget, ...",
  coordinator:
    'run the coordinator: init, found, serve, token, enrolments, confirm, revoke, analyst, key-holders, ...',
  auditor: 'run the auditor: init, serve, rotate-key, doctor',
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

/** The process whose settings these are, by the members that only its settings have. */
function processOf(dir: string): keyof typeof PROCESSES {
  let text: string;
  try {
    text = readFileSync(join(dir, 'config.yaml'), 'utf8');
  } catch {
    throw new ConcordatError(
      'config-missing',
      `${dir} has no config.yaml; give the folder that an init command made`,
    );
  }
  if (/^agency:/m.test(text)) return 'node';
  if (/^(?:replicaOf|roundDeadlineSeconds):/m.test(text)) return 'coordinator';
  if (/^coordinator:/m.test(text)) return 'auditor';
  throw new ConcordatError(
    'config-invalid',
    `${dir}/config.yaml is of no process known here; restore it or run init in a new folder`,
  );
}

/** `concordat doctor DIR`: hands over to the doctor of the process whose folder it is. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check the folder of a node, coordinator, auditor or replica: keys, disk, clock, log, ...',
    )
    .argument('<folder>', 'folder of the process, running or not')
    .option('--full', 'verify the whole log, not only its end')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  concordat doctor /var/lib/concordat/my-force
  concordat doctor /var/lib/concordat/coordinator --full --json

Exit code 1 when a check fails; each says what to do.`,
    )
    .action((dir: string, flags: { full?: boolean; json?: boolean }) =>
      handOver(processOf(dir), [
        'doctor',
        '--dir',
        dir,
        ...(flags.full ? ['--full'] : []),
        ...(flags.json ? ['--json'] : []),
      ]),
    );
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
