/** `concordat analyse NAME < input.json`: one subcommand per statistic. */
import process from 'node:process';
import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { readStandardInput } from '../standard-input.js';
import { analysisRandom } from './random.js';
import { STATISTICS } from './statistics.js';

/** A document of a million values is about 10 MB; beyond this it is not a question for a terminal. */
const LONGEST_INPUT = 256 * 1024 * 1024;

/** As many draws may take more than a second. */
const LONG_DRAWS = 10_000;

function parseDocument(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new ConcordatError(
      'malformed-json',
      'standard input is not one JSON document (it has no NaN or Infinity); --help shows an example',
    );
  }
}

/** Adds a subcommand per statistic to `analyse`. */
export function addStatistics(analyse: Command): void {
  for (const [name, statistic] of Object.entries(STATISTICS)) {
    analyse
      .command(name)
      .summary(statistic.summary)
      .description(`${statistic.summary}. Reads one JSON document on standard input.`)
      .option('--json', 'accepted for consistency: the answer is always one JSON document')
      .option('--seed <text>', 'repeatable random draws (only where draws are made)')
      .addHelpText(
        'after',
        `\nExample:\n  echo '${statistic.example}' | concordat analyse ${name}\n`,
      )
      .action(async (options: { seed?: string }) => {
        const input = parseDocument(await readStandardInput(LONGEST_INPUT));
        const draws = (input as { draws?: unknown } | null)?.draws;
        if (process.stderr.isTTY && typeof draws === 'number' && draws >= LONG_DRAWS) {
          process.stderr.write(`Drawing ${draws} worlds; this may take half a minute.\n`);
        }
        const answer = statistic.compute(input, analysisRandom(options.seed));
        process.stdout.write(`${JSON.stringify(answer)}\n`);
      });
  }
}
