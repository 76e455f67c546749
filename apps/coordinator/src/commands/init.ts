import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { nameArgument, portNumber, wholeNumber } from '#libs/command-line';
import { tellParent } from '#libs/nest-kit';
import { foundFederation, parseCard } from '../federation/found.js';
import { initCoordinator } from '../init.js';
import { print } from './print.js';

/** `concordat coordinator init` and `found`: the folder, and the federation's first manifest in it. */
export function registerInit(program: Command): void {
  program
    .command('init')
    .description('make the folder, keys and settings of a coordinator')
    .requiredOption('--dir <folder>', 'folder to make')
    .option('--id <id>', 'its name in the federation', nameArgument, 'coordinator')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on', portNumber, 4100)
    .option(
      '--deadline <seconds>',
      'how long agencies have to answer',
      wholeNumber(1, 30 * 86_400),
      120,
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nPrints the public key that the auditor pins.\n\nExample:\n  concordat coordinator init --dir /var/lib/concordat/coordinator',
    )
    .action(async (options) => {
      const keys = await initCoordinator(options.dir, {
        version: 1,
        id: options.id,
        listen: { host: options.host, port: options.port },
        roundDeadlineSeconds: options.deadline,
      });
      tellParent({ type: 'initialised', id: options.id, ...keys });
      print(options.json, { id: options.id, ...keys }, [keys.publicKey]);
    });
  program
    .command('found')
    .description('found a federation: sign its first manifest, which has no agencies yet')
    .requiredOption('--dir <folder>', 'folder made by init')
    .requiredOption('--federation <name>', 'name of the federation, for ever', nameArgument)
    .requiredOption('--auditor <card>', "what the auditor's init printed, from its operator")
    .option(
      '--quorum <count>',
      'how many witnesses must have seen a log: 1, the auditor, or 0',
      wholeNumber(0, 1),
      1,
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  concordat coordinator found --dir /var/lib/concordat/coordinator --federation our-federation --auditor auditor.KEY.BOXKEY',
    )
    .action((options) => {
      const { federation, dir, quorum } = options;
      const manifest = foundFederation(dir, {
        federation,
        quorum,
        auditor: parseCard(options.auditor),
      });
      print(options.json, { federation, serial: manifest.serial, grid: manifest.grid }, [
        `${federation} is founded: manifest 1, grid ${manifest.grid.name}, auditor ${manifest.auditor.id}`,
      ]);
    });
}

/** What a person may give as an analyst: `id.publicKey`, as `concordat analyst init` prints it. */
export function parseAnalystCard(text: string): { id: string; publicKey: string } {
  const [id, publicKey, ...rest] = text.trim().split('.');
  if (id === undefined || publicKey === undefined || rest.length > 0) {
    throw new ConcordatError(
      'bad-card',
      'a card is one line, id.key, as concordat analyst init prints it',
    );
  }
  return { id, publicKey };
}
