import { CommanderError } from 'commander';
import { isConcordatError } from '#libs/bytes';
import { createProgram } from './program.js';

const EXIT_REFUSED = 1;
const EXIT_USAGE = 2;
const EXIT_UNREACHABLE = 3;
const EXIT_OF_CODE: Readonly<Record<string, number>> = {
  unreachable: EXIT_UNREACHABLE,
  usage: EXIT_USAGE,
};

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  // Help and version end here too, with exit code 0; they and usage errors were printed already.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  const code = isConcordatError(error) ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  } else process.stderr.write(`concordat: ${message} [${code}]\n`);
  if (code === 'internal' && process.env.CONCORDAT_DEBUG) console.error(error);
  process.exitCode = EXIT_OF_CODE[code] ?? EXIT_REFUSED;
}
