import type { Command } from 'commander';
import { formatReport } from '#libs/doctor';
import { examineNode } from '../doctor.js';

/** `concordat node doctor`, which `concordat doctor DIR` calls for a node's folder. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check keys, disk, clock, policy, log and budget; exit code 1 when something fails',
    )
    .requiredOption('--dir <folder>', 'folder of the node, running or not')
    .option('--full', 'verify the whole log, not only its end')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  concordat doctor /var/lib/concordat/my-force --full')
    .action(async (flags: { dir: string; full?: boolean; json?: boolean }) => {
      const report = await examineNode(flags.dir, { nowMs: Date.now, full: flags.full === true });
      process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : formatReport(report));
      if (!report.ok) process.exitCode = 1;
    });
}
