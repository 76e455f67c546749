import type { Command } from 'commander';
import { tellParent } from '#libs/nest-kit';

/** `concordat node people`: brings the people that linkage may label. */
export function registerPeople(program: Command): void {
  program
    .command('people')
    .description('take in the people that linkage may label; a new file replaces the one before')
    .requiredOption('--dir <folder>', 'folder of the node, which must not be running')
    .option('--id <column>', 'column that tells whom a row is about', 'person_id')
    .option('--json', 'print the report as JSON')
    .argument(
      '<file>',
      'CSV: person_id, category, month, role, local_authority, and names, date of birth, address',
    )
    .addHelpText(
      'after',
      `
Each row is one way in which a person is known: for what (a common category), in which month, in which role. Names are standardised
here and stay in this folder, sealed. Labels of an epoch are made of the people held when it begins.

Example:
  concordat node people --dir /var/lib/concordat/my-force nominals.csv --id person_id`,
    )
    .action(async (file: string, options) => {
      const { bringPeople } = await import('../linkage/bring-people.js');
      const report = await bringPeople(options.dir, file, options.id, Date.now());
      tellParent({ type: 'ingested', report });
      process.stdout.write(
        options.json
          ? `${JSON.stringify(report)}\n`
          : `${report.people} people known in ${report.encounters} rows; they stay in ${options.dir}\n`,
      );
    });
}
