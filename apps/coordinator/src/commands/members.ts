/** `concordat coordinator token | enrolments | confirm | decline | revoke | analyst | key-holders | rotate-key`: the operator's hand on the federation. */
import type { Command } from 'commander';
import { nameArgument, wholeNumber } from '#libs/command-line';
import type { Enrolling } from '../federation/enrolment-desk.js';
import { operateInFolder } from '../federation/operate-in-folder.js';
import { MAX_TOKEN_HOURS } from '../federation/operations.js';
import { parseAnalystCard } from './init.js';
import { print } from './print.js';

const DIR = ['--dir <folder>', 'folder of the coordinator, running or not'] as const;
const JSON_FLAG = ['--json', 'print one JSON document'] as const;
const collect = (value: string, all: readonly string[]): string[] => [...all, value];

interface Published {
  readonly serial: number;
  readonly manifest: string;
}
const published = ({ serial, manifest }: Published): string =>
  `Manifest ${serial} is in force: ${manifest}`;

const order = <T extends object>(dir: string, operation: Record<string, unknown>): Promise<T> =>
  operateInFolder<T>(dir, operation, Date.now);

const describeEnrolling = (one: Enrolling): string[] => [
  `${one.agency}  ${one.name} (${one.kind}), ${one.cells} cells, ${one.categories.length} categories, received ${one.receivedAt}`,
  `  words  ${one.words}`,
];

function registerEnrolment(program: Command): void {
  program
    .command('token')
    .description('issue a one-time token with which one agency can enrol')
    .requiredOption(...DIR)
    .requiredOption('--agency <id>', 'id that the agency will have, for ever', nameArgument)
    .option('--hours <hours>', 'how long it is good', wholeNumber(1, MAX_TOKEN_HOURS), 24)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      `
Hand it over in confidence; only its hash is kept. It also carries the coordinator's public key, which the node pins.

Example:
  concordat coordinator token --dir /var/lib/concordat/coordinator --agency my-force`,
    )
    .action(async ({ dir, agency, hours, json }) => {
      const made = await order<{ token: string; expiresAt: string }>(dir, {
        operation: 'token',
        agency,
        hours,
      });
      print(json, made, [made.token]);
      if (!json) process.stderr.write(`for ${agency} alone, once, until ${made.expiresAt}\n`);
    });
  program
    .command('enrolments')
    .description('show the agencies that wait to be confirmed, with the words to compare')
    .requiredOption(...DIR)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      '\nExample:\n  concordat coordinator enrolments --dir /var/lib/concordat/coordinator',
    )
    .action(async ({ dir, json }) => {
      const { enrolments } = await order<{ enrolments: Enrolling[] }>(dir, {
        operation: 'enrolments',
      });
      const lines = enrolments.flatMap(describeEnrolling);
      print(json, { enrolments }, lines.length > 0 ? lines : ['Nobody waits.']);
    });
  program
    .command('confirm')
    .description('enrol an agency whose operator has read its words out to you')
    .requiredOption(...DIR)
    .requiredOption('--agency <id>', 'the agency', nameArgument)
    .requiredOption(
      '--words <words>',
      'the eight words as you heard them, not as you see them here',
    )
    .option('--witness', 'it also witnesses the logs of the others', false)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      `
Read the words to each other on the telephone, or in person. Equal words mean that nobody stands between the two machines.

Example:
  concordat coordinator confirm --dir /var/lib/concordat/coordinator --agency my-force --words "eight words as they were read out to you"`,
    )
    .action(async ({ dir, agency, words, witness, json }) => {
      const done = await order<Published>(dir, { operation: 'confirm', agency, words, witness });
      print(json, done, [`${agency} is enrolled.`, published(done)]);
    });
  program
    .command('decline')
    .description('send an enrolment away')
    .requiredOption(...DIR)
    .requiredOption('--agency <id>', 'the agency', nameArgument)
    .requiredOption('--reason <text>', 'why: kept in the log, which others may read')
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      '\nExample:\n  concordat coordinator decline --dir /var/lib/concordat/coordinator --agency my-force --reason "the words differ"',
    )
    .action(async ({ dir, agency, reason, json }) => {
      const done = await order(dir, { operation: 'decline', agency, reason });
      print(json, done, [`The enrolment of ${agency} is declined; its token is used up.`]);
    });
}

function registerAnalysts(program: Command): void {
  const analyst = program.command('analyst').description('who may ask questions');
  analyst
    .command('add')
    .description('let an analyst ask')
    .requiredOption(...DIR)
    .requiredOption('--card <card>', 'what concordat analyst init printed, from the analyst')
    .requiredOption('--role <role>', 'role that grants name; may be repeated', collect, [])
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      '\nExample:\n  concordat coordinator analyst add --dir DIR --card first-analyst.KEY --role national-analyst',
    )
    .action(async ({ dir, card, role: roles, json }) => {
      const { id, publicKey } = parseAnalystCard(card);
      const done = await order<Published>(dir, {
        operation: 'analyst-add',
        analyst: { id, publicKey, roles },
      });
      print(json, done, [`${id} may ask as ${roles.join(', ')}.`, published(done)]);
    });
  analyst
    .command('remove')
    .description('no longer take questions of an analyst')
    .requiredOption(...DIR)
    .requiredOption('--analyst <id>', 'the analyst', nameArgument)
    .requiredOption('--reason <text>', 'why: everybody reads it in the manifest')
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      '\nExample:\n  concordat coordinator analyst remove --dir DIR --analyst first-analyst --reason "left the team"',
    )
    .action(async ({ dir, analyst: id, reason, json }) => {
      const done = await order<Published>(dir, {
        operation: 'analyst-remove',
        analyst: id,
        reason,
      });
      print(json, done, [`${id} may not ask any more.`, published(done)]);
    });
}

function registerKeyHolders(program: Command): void {
  program
    .command('key-holders')
    .description('who keeps the shares of linkage keys')
    .command('name')
    .description('name three of the auditor and the agencies; the manifest says so to everybody')
    .argument('<process>', 'first key-holder', nameArgument)
    .argument('<process>', 'second', nameArgument)
    .argument('<process>', 'third', nameArgument)
    .requiredOption(...DIR)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      `
Any two of them can evaluate; choose three that do not answer to one boss. Projects that are set up from now on use them. An epoch whose key
others made goes on only while they are named: end it first (concordat linkage destroy).

Example:
  concordat coordinator key-holders name auditor my-force my-council --dir /var/lib/concordat/coordinator`,
    )
    .action(async (first, second, third, { dir, json }) => {
      const holders = [first, second, third];
      const done = await order<Published>(dir, { operation: 'name-key-holders', holders });
      print(json, done, [`${holders.join(', ')} keep the keys of linkage.`, published(done)]);
    });
}

/** Every command about who is in the federation. */
export function registerMembers(program: Command): void {
  registerEnrolment(program);
  registerAnalysts(program);
  registerKeyHolders(program);
  program
    .command('revoke')
    .description('remove an agency: its requests are refused from now on, its log stays verifiable')
    .requiredOption(...DIR)
    .requiredOption('--agency <id>', 'the agency; its id is never given again', nameArgument)
    .requiredOption('--reason <text>', 'why: everybody reads it in the manifest')
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      '\nExample:\n  concordat coordinator revoke --dir DIR --agency my-force --reason "key lost"',
    )
    .action(async ({ dir, agency, reason, json }) => {
      const done = await order<Published>(dir, { operation: 'revoke', agency, reason });
      print(json, done, [`${agency} is revoked.`, published(done)]);
    });
  program
    .command('rotate-key')
    .description("replace the coordinator's signing key; the old one signs for the new one")
    .requiredOption(...DIR)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      '\nMembers that follow the manifests take the new key by themselves. New members pin the new key, which new tokens carry.\n\nExample:\n  concordat coordinator rotate-key --dir /var/lib/concordat/coordinator',
    )
    .action(async ({ dir, json }) => {
      const done = await order<Published & { publicKey: string }>(dir, { operation: 'rotate-key' });
      print(json, done, [`The new public key is ${done.publicKey}`, published(done)]);
    });
}
