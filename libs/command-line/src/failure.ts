import { CommanderError } from 'commander';
import { exitCodeOf, failureOf } from '#libs/bytes';

/**
 * Says why a command failed and sets the exit code of the process: with `--json` one document on stdout, else a line on stderr that starts with
 * `prefix`; of a usage error commander has said it. Returns what was said, nothing for `--help` and `--version`, which end here too.
 */
export function endFailed(
  error: unknown,
  prefix = '',
): { readonly code: string; readonly message: string } | undefined {
  const isCommandLine = error instanceof CommanderError;
  if (isCommandLine && error.exitCode === 0) return undefined;
  const { code, message } = isCommandLine
    ? { code: 'usage', message: error.message }
    : failureOf(error);
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  } else if (!isCommandLine) process.stderr.write(`${prefix}${message} [${code}]\n`);
  process.exitCode = exitCodeOf(code);
  return { code, message };
}
