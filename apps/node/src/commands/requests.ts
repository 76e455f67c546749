import type { Command } from 'commander';
import { type Decision, decideInFolder } from '../requests/decide-in-folder.js';
import { readRequests } from '../requests/read-requests.js';
import { formatRequest, type RequestView } from '../requests/request-view.js';

interface Flags {
  readonly dir: string;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly by: string;
  readonly reason: string;
}

const show = (view: RequestView, json: boolean | undefined): void => {
  process.stdout.write(json ? `${JSON.stringify(view)}\n` : formatRequest(view));
};

const NEXT: Partial<Record<RequestView['state'], string>> = {
  approved: 'The node answers it now if its round is open, else the next time it is asked.\n',
  waiting: 'It waits for a second person.\n',
};

async function decide(flags: Flags, id: string, decision: Decision): Promise<void> {
  const view = await decideInFolder(flags.dir, id, decision, Date.now);
  show(view, flags.json);
  if (!flags.json) process.stderr.write(NEXT[view.state] ?? '');
}

/** `concordat node requests | approve | deny`: the questions that wait for a person, and the person's word. */
export function registerRequests(program: Command): void {
  program
    .command('requests')
    .description('show the questions that wait for a person')
    .requiredOption('--dir <folder>', 'folder of the node, running or not')
    .option('--all', 'also those that were decided, answered or expired')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  concordat node requests --dir /var/lib/concordat/my-force
  concordat node requests --dir /var/lib/concordat/my-force --all --json`,
    )
    .action(async (flags: Flags) => {
      const every = await readRequests(flags.dir, Date.now());
      const shown = flags.all ? every : every.filter(({ state }) => state === 'waiting');
      if (flags.json) process.stdout.write(`${JSON.stringify({ requests: shown })}\n`);
      else if (shown.length === 0) process.stdout.write('Nothing waits for a person.\n');
      else process.stdout.write(shown.map(formatRequest).join('\n'));
    });
  program
    .command('approve')
    .description('agree to a question; with four eyes two different people must')
    .argument('<id>', 'id of the request')
    .requiredOption('--dir <folder>', 'folder of the node, running or not')
    .requiredOption('--by <name>', 'who decides: a person, by name')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
The approval is good for this one question under this policy, until one release of it is made. It and the name are logged.

Example:
  concordat node approve 17 --dir /var/lib/concordat/my-force --by "Sam Okafor"`,
    )
    .action((id: string, flags: Flags) => decide(flags, id, { verb: 'approve', by: flags.by }));
  program
    .command('deny')
    .description('refuse a question, also after an approval that no release has used yet')
    .argument('<id>', 'id of the request')
    .requiredOption('--dir <folder>', 'folder of the node, running or not')
    .requiredOption('--by <name>', 'who decides: a person, by name')
    .requiredOption('--reason <text>', 'why: kept in the log, which others may read')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Example:
  concordat node deny 17 --dir /var/lib/concordat/my-force --by "Sam Okafor" --reason "no purpose given"`,
    )
    .action((id: string, flags: Flags) =>
      decide(flags, id, { verb: 'deny', by: flags.by, reason: flags.reason }),
    );
}
