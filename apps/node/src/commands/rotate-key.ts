import type { Command } from 'commander';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { readControl } from '#libs/nest-kit';
import { Problem } from '#libs/protocol';
import { nodePaths } from '../config.js';

const Turned = z.strictObject({ publicKey: z.string(), serial: z.int() });
const TIMEOUT_MS = 90_000;

/** `concordat node rotate-key`: replaces the signing key of a running node. */
export function registerRotateKey(program: Command): void {
  program
    .command('rotate-key')
    .description(
      'replace the signing key of this node, which must be running; the old key signs for the new',
    )
    .requiredOption('--dir <folder>', 'folder of the node')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
The policy is signed with the new key too. The old key is gone afterwards; what it signed stays verifiable.

Example:
  concordat node rotate-key --dir /var/lib/concordat/my-force`,
    )
    .action(async ({ dir, json }) => {
      const control = readControl(nodePaths(dir).control);
      const down = new ConcordatError(
        'not-running',
        'the node does not run; start it first: concordat node serve',
      );
      if (!control) throw down;
      const response = await fetch(new URL('/v1/rotate-key', control.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${control.token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch(() => {
        throw down;
      });
      const answer: unknown = await response.json().catch(() => undefined);
      if (!response.ok) {
        const problem = Problem.safeParse(answer);
        throw problem.success
          ? new ConcordatError(problem.data.code, problem.data.title)
          : new ConcordatError(`http-${response.status}`, 'the node did not replace its key');
      }
      const turned = Turned.parse(answer);
      const text = `The new public key is ${turned.publicKey}, by manifest ${turned.serial}`;
      process.stdout.write(`${json ? JSON.stringify(turned) : text}\n`);
    });
}
