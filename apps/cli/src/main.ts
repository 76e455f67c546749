import { endFailed } from '#libs/command-line';
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
  const said = endFailed(error, 'concordat: ');
  if (said?.code === 'internal' && process.env.CONCORDAT_DEBUG) console.error(error);
}
