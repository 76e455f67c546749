import type { Command } from 'commander';
import { loadSigningKey } from '#libs/keystore';
import { loadConfig, nodePaths } from '../config.js';
import { signPolicies } from '../signed-policy.js';

/** `concordat node sign-policy`: the agency's key signs the documents in the folder. */
export function registerSignPolicy(program: Command): void {
  program
    .command('sign-policy')
    .description("sign the policy documents in a node's folder as they are now")
    .requiredOption('--dir <folder>', 'folder of the node')
    .addHelpText(
      'after',
      '\nExample:\n  concordat node sign-policy --dir /var/lib/concordat/my-force',
    )
    .action((options) => {
      const paths = nodePaths(options.dir);
      const { agency } = loadConfig(options.dir);
      process.stdout.write(`${signPolicies(paths, agency, loadSigningKey(paths.signingKey))}\n`);
    });
}
