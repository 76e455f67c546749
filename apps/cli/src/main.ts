import { isConcordatError } from '#libs/bytes';
import { createProgram } from './program.js';

const EXIT_REFUSED = 1;
const EXIT_USAGE = 2;
const EXIT_UNREACHABLE = 3;

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  const json = process.argv.includes('--json');
  const code = isConcordatError(error) ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else process.stderr.write(`concordat: ${message} [${code}]\n`);
  if (code === 'internal' && process.env.CONCORDAT_DEBUG) console.error(error);
  process.exitCode =
    code === 'unreachable' ? EXIT_UNREACHABLE : code === 'usage' ? EXIT_USAGE : EXIT_REFUSED;
}
