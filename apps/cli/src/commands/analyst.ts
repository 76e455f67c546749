import { dirname } from 'node:path';
import type { Command } from 'commander';
import { nameArgument } from '#libs/command-line';
import { makeFolders } from '#libs/host';
import { createSigningKey } from '#libs/keystore';

/** `concordat analyst init`: the key with which a person asks. */
export function registerAnalyst(program: Command): void {
  const analyst = program.command('analyst').description('keys of people who ask questions');
  analyst
    .command('init')
    .description("make an analyst's private key and print the card to hand to the operator")
    .requiredOption('--id <id>', 'id that the analyst will have in the federation', nameArgument)
    .requiredOption('--key <file>', 'file to make, which only you can read')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      `
Hand the card to the coordinator's operator in person, or read it out: whoever swaps it asks in your name.

Example:
  concordat analyst init --id first-analyst --key first-analyst.pem`,
    )
    .action(({ id, key, json }: { id: string; key: string; json?: boolean }) => {
      makeFolders(dirname(key));
      const { publicKey } = createSigningKey(key);
      const card = `${id}.${publicKey}`;
      process.stdout.write(`${json ? JSON.stringify({ id, publicKey, card }) : card}\n`);
    });
}
