import { CommanderError } from 'commander';
import { exitCodeOf, isConcordatError } from '#libs/bytes';
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
  // Help and version end here too, with exit code 0; they and usage errors were printed already.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : exitCodeOf('usage'));
  const code = isConcordatError(error) ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  } else process.stderr.write(`concordat: ${message} [${code}]\n`);
  if (code === 'internal' && process.env.CONCORDAT_DEBUG) console.error(error);
  process.exitCode = exitCodeOf(code);
}
