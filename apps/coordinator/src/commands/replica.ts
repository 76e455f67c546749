import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { httpAddress, keyArgument, portNumber } from '#libs/command-line';
import { createLogger, runProcess } from '#libs/nest-kit';

const EXAMPLES = `
The folder is made at the first start, with --of and --key; after that --dir is enough. The key is the public key that the
coordinator's init printed, from its operator: what it did not sign is not taken.

Examples:
  $ concordat coordinator replica --dir replica --of https://concordat.example --key KEY --port 4110
  $ concordat coordinator replica --dir replica`;

/** `concordat coordinator replica`: releases, map and layers out of a verified copy of a coordinator's log. */
export function registerReplica(program: Command): void {
  program
    .command('replica')
    .description('serve what a coordinator published, from a verified copy that follows its log')
    .requiredOption('--dir <folder>', 'folder of the copy')
    .option('--of <url>', 'address of the coordinator', httpAddress)
    .option('--key <key>', "the coordinator's public key", keyArgument)
    .option('--host <host>', 'address to listen on when the folder is made', '127.0.0.1')
    .option('--port <port>', 'port to listen on', portNumber)
    .addHelpText('after', EXAMPLES)
    .action((options) => {
      const { dir, of, key } = options;
      if ((of === undefined) !== (key === undefined))
        throw new ConcordatError('usage', '--of and --key go together');
      return runProcess(createLogger('replica'), async () => {
        const { makeReplicaFolder } = await import('../replica/config.js');
        if (of !== undefined) {
          makeReplicaFolder(dir, {
            ...{ version: 1, replicaOf: of, publicKey: key },
            listen: { host: options.host, port: options.port ?? 4110 },
          });
        }
        const { serveReplica } = await import('../replica/serve-replica.js');
        return serveReplica(dir, {
          ...(options.port === undefined ? {} : { port: options.port }),
          nowMs: Date.now,
        });
      });
    });
}
