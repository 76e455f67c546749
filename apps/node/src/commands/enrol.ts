import type { Command } from 'commander';
import { httpAddress } from '#libs/command-line';
import { CATEGORIES } from '#libs/query';
import { enrolNode } from '../enrol.js';

/** `concordat node enrol`: asks a coordinator to take this node into its federation. */
export function registerEnrol(program: Command): void {
  program
    .command('enrol')
    .description('ask a coordinator to enrol this node, with the token of its operator')
    .requiredOption('--dir <folder>', 'folder made by init')
    .requiredOption('--coordinator <url>', 'address of the coordinator', httpAddress)
    .requiredOption('--token <token>', 'one-time token from its operator')
    .requiredOption('--name <name>', 'name of the agency as people know it')
    .option('--kind <kind>', 'police, council, health or social-care', 'police')
    .option(
      '--categories <list>',
      'what the agency records at all, separated by commas',
      CATEGORIES.join(','),
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Prints eight words, of both sides' keys. Read them to the coordinator's operator on the telephone, or in person, and hear theirs: equal
words mean that nobody stands between. The operator then confirms, and this node can serve.

Example:
  concordat node enrol --dir /var/lib/concordat/my-force --coordinator https://concordat.example --token TOKEN --name "My Force"`,
    )
    .action(async ({ dir, coordinator, token, name, kind, categories, json }) => {
      const introduction = {
        name,
        kind,
        categories: String(categories)
          .split(',')
          .map((category) => category.trim()),
      };
      const sent = await enrolNode(dir, coordinator, token, introduction, Date.now);
      process.stdout.write(json ? `${JSON.stringify(sent)}\n` : `${sent.words}\n`);
      if (!json) {
        process.stderr.write(
          `${sent.agency} waits for the coordinator's operator. Read these words to each other; they must be the same.\n`,
        );
      }
    });
}
