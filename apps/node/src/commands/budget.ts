import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { type Budget, formatBudget, readBudget } from '../budget.js';

function readQuestion(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new ConcordatError(
      'query-missing',
      `${path} cannot be read; give a query as YAML or JSON`,
    );
  }
}

/** `concordat node budget`: what is left, and what a question would cost, told before it is asked. */
export function registerBudget(program: Command): void {
  program
    .command('budget')
    .description('show the privacy budget, and what a question would cost')
    .requiredOption('--dir <folder>', 'folder of the node, running or not; nothing is changed')
    .option('--query <file>', 'a question, YAML or JSON; the grid may be left out')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  concordat node budget --dir /var/lib/concordat/my-force
  concordat node budget --dir /var/lib/concordat/my-force --query question.yaml --json

Exit code 1 when the question is not affordable.`,
    )
    .action(async (flags: { dir: string; query?: string; json?: boolean }) => {
      const question = flags.query === undefined ? undefined : readQuestion(flags.query);
      const budget: Budget = await readBudget(flags.dir, question);
      process.stdout.write(flags.json ? `${JSON.stringify(budget)}\n` : formatBudget(budget));
      if (budget.preview && !budget.preview.affordable) process.exitCode = 1;
    });
}
