/** `concordat coordinator identity-provider set | show | remove`: where analysts may sign in instead of holding a key of the manifest. */
import { type Command, InvalidArgumentError } from 'commander';
import { ConcordatError } from '#libs/bytes';
import { type IdentityProvider, identityProviderDigest, Name } from '#libs/protocol';
import { coordinatorPaths } from '../config.js';
import { manifestInFolder } from '../federation/federation.js';
import { operateInFolder } from '../federation/operate-in-folder.js';
import { print } from './print.js';

const DIR = ['--dir <folder>', 'folder of the coordinator, running or not'] as const;
const JSON_FLAG = ['--json', 'print one JSON document'] as const;

interface Published {
  readonly serial: number;
  readonly manifest: string;
  readonly provider: (IdentityProvider & { readonly digest: string }) | null;
}

type RoleOfClaim = IdentityProvider['roles'][number];

/** `claim=role`, split at the last equals sign: claims may hold one, roles may not. */
function roleOfClaim(text: string, all: readonly RoleOfClaim[]): RoleOfClaim[] {
  const mark = text.lastIndexOf('=');
  const role = text.slice(mark + 1);
  if (mark < 1 || !Name.safeParse(role).success)
    throw new InvalidArgumentError('CLAIM=ROLE, such as crime-analysts=national-analyst');
  return [...all, { claim: text.slice(0, mark), role }];
}

const described = ({ issuer, clientId, keys, rolesClaim, roles }: IdentityProvider): string[] => [
  `Analysts sign in at ${issuer} (client ${clientId}, ${keys.length} keys).`,
  `Roles are read from ${rolesClaim.join('.')}: ${roles.map(({ claim, role }) => `${claim} is ${role}`).join(', ')}.`,
];

export function registerIdentityProvider(program: Command): void {
  const command = program
    .command('identity-provider')
    .description('where analysts may sign in (OpenID Connect)');
  command
    .command('set')
    .description(
      "name the provider: its keys are fetched now and stand in the federation's manifest",
    )
    .requiredOption(...DIR)
    .requiredOption('--issuer <url>', 'its issuer identifier, as its metadata gives it')
    .requiredOption('--client-id <id>', 'public client with PKCE, registered there for Concordat')
    .option(
      '--scope <scopes>',
      'what clients ask for, so that the ID token has the roles',
      'openid',
    )
    .requiredOption(
      '--roles-claim <path>',
      'where the ID token has roles, such as realm_access.roles',
    )
    .requiredOption(
      '--role <claim=role>',
      'a value of the claim and the role it gives; may be repeated',
      roleOfClaim,
      [],
    )
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      `
Run it again after the provider changed its keys. Nodes that pinned the provider must pin the new digest.

Example:
  concordat coordinator identity-provider set --dir DIR --issuer https://login.example --client-id concordat \\
    --roles-claim groups --role crime-analysts=national-analyst`,
    )
    .action(async ({ dir, issuer, clientId, scope, rolesClaim, role: roles, json }) => {
      const { discoverProvider } = await import('../federation/identity-provider.js');
      const provider = await discoverProvider({
        ...{ issuer, clientId, scope, roles },
        rolesClaim: rolesClaim.split('.'),
      });
      const done = await operateInFolder<Published>(
        dir,
        { operation: 'identity-provider', provider, reason: 'named by the operator' },
        Date.now,
      );
      print(json, done, [
        ...described(provider),
        `Its digest, which nodes may pin: ${done.provider?.digest}`,
        `Manifest ${done.serial} is in force: ${done.manifest}`,
      ]);
    });
  command
    .command('show')
    .description('what the manifest names, and the digest that nodes may pin')
    .requiredOption(...DIR)
    .option(...JSON_FLAG)
    .addHelpText('after', '\nExample:\n  concordat coordinator identity-provider show --dir DIR')
    .action(({ dir, json }) => {
      const { identityProvider: provider } = manifestInFolder(coordinatorPaths(dir).manifest);
      if (!provider)
        throw new ConcordatError('no-identity-provider', 'the manifest names none; see set --help');
      const digest = identityProviderDigest(provider);
      print(json, { digest, ...provider }, [...described(provider), `Digest ${digest}`]);
    });
  command
    .command('remove')
    .description('believe nobody by signing in any more')
    .requiredOption(...DIR)
    .requiredOption('--reason <text>', 'why: everybody reads it in the manifest')
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      '\nExample:\n  concordat coordinator identity-provider remove --dir DIR --reason "contract ended"',
    )
    .action(async ({ dir, reason, json }) => {
      const done = await operateInFolder<Published>(
        dir,
        { operation: 'identity-provider', provider: null, reason },
        Date.now,
      );
      print(json, done, [
        'Nobody may ask by signing in any more.',
        `Manifest ${done.serial} is in force: ${done.manifest}`,
      ]);
    });
}
