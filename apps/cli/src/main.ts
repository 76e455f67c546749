import { CommanderError } from 'commander';
import { exitCodeOf, failureOf } from '#libs/bytes';
import { createProgram } from './program.js';

// who reads may have read enough (concordat ... | head): what is written then goes nowhere, and the exit code stays true
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  const isCommandLine = error instanceof CommanderError;
  // Help and version end here too, with exit code 0.
  if (isCommandLine && error.exitCode === 0) process.exit(0);
  const { code, message } = isCommandLine
    ? { code: 'usage', message: error.message }
    : failureOf(error);
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  } else if (!isCommandLine) process.stderr.write(`concordat: ${message} [${code}]\n`);
  if (code === 'internal' && process.env.CONCORDAT_DEBUG) console.error(error);
  process.exitCode = exitCodeOf(code);
}
