import type { Command } from 'commander';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { askRunning } from './ask-running.js';

const Turned = z.strictObject({ publicKey: z.string(), boxKey: z.string(), serial: z.int() });
const TIMEOUT_MS = 90_000;

/** `concordat node rotate-key` and `concordat auditor rotate-key`: replaces the keys of a running process. */
export function registerRotateKeys(
  program: Command,
  process_: { readonly name: string; readonly controlOf: (dir: string) => string },
): void {
  const { name, controlOf } = process_;
  program
    .command('rotate-key')
    .description(
      `replace the keys of this ${name}, which must be running; the old one signs for the new`,
    )
    .requiredOption('--dir <folder>', `folder of the ${name}`)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Replaces the key that signs and the key of boxes. The old signing key is gone afterwards; what it signed stays verifiable. The old box key is kept
for 33 days, for rounds that were opened before, and erased at the first start after that.

Example:
  concordat ${name} rotate-key --dir /var/lib/concordat/my-${name}`,
    )
    .action(async ({ dir, json }) => {
      const answer = await askRunning({
        process: name,
        control: controlOf(dir),
        path: '/v1/rotate-key',
        body: {},
        timeoutMs: TIMEOUT_MS,
      });
      if (!answer) {
        throw new ConcordatError(
          'not-running',
          `the ${name} does not run; start it first: concordat ${name} serve`,
        );
      }
      const turned = Turned.parse(answer);
      const text = `The new public key is ${turned.publicKey}, that of boxes ${turned.boxKey}, by manifest ${turned.serial}`;
      process.stdout.write(`${json ? JSON.stringify(turned) : text}\n`);
    });
}
