import type { Command } from 'commander';
import { formatReport, type Report } from './finding.js';

/** What every doctor is asked for. */
export interface Examination {
  readonly nowMs: () => number;
  /** Verifies the whole log, not only its end. */
  readonly full: boolean;
}

/** `concordat <process> doctor`, which `concordat doctor DIR` calls for a folder of that process. */
export function registerDoctor(
  program: Command,
  options: {
    /** What is checked, in words. */
    readonly checks: string;
    readonly exampleFolder: string;
    readonly examine: (dir: string, examination: Examination) => Promise<Report>;
  },
): void {
  const { checks, exampleFolder, examine } = options;
  program
    .command('doctor')
    .description(`check ${checks}; exit code 1 when something fails`)
    .requiredOption('--dir <folder>', 'folder made by init, of a process that runs or not')
    .option('--full', 'verify the whole log, not only its end')
    .option('--json', 'print one JSON document')
    .addHelpText('after', `\nExample:\n  concordat doctor ${exampleFolder} --full`)
    .action(async (flags: { dir: string; full?: boolean; json?: boolean }) => {
      const report = await examine(flags.dir, { nowMs: Date.now, full: flags.full === true });
      process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : formatReport(report));
      if (!report.ok) process.exitCode = 1;
    });
}
