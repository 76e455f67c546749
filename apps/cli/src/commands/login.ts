/** `concordat login | logout | whoami`: asking as somebody whom the federation's identity provider knows, without a key of the manifest. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { httpAddress } from '#libs/command-line';
import { verifyIdentity } from '#libs/identity';
import { type IdentityProvider, SignedManifest } from '#libs/protocol';
import { jsonOf, reach } from '../graphql-client.js';
import {
  newSessionKey,
  readSession,
  removeSession,
  removeSessionKey,
  sessionFolder,
  writeSession,
} from '../session/session-file.js';
import { DEFAULT_URL } from './default-url.js';

const SIGN_IN_WITHIN_MS = 10 * 60_000;

interface LoginFlags {
  readonly url: string;
  readonly issuer?: string;
  readonly json?: boolean;
}

/** The provider that the coordinator's manifest names. Nodes believe their own copy of the manifest, not this one. */
async function providerOf(url: string, issuer: string | undefined): Promise<IdentityProvider> {
  const response = await reach(new URL('/v1/manifest', url));
  const signed = z
    .object({ payload: SignedManifest.shape.payload })
    .safeParse(await jsonOf(response));
  if (!signed.success)
    throw new ConcordatError('not-a-coordinator', `${url} does not show a manifest`);
  const { identityProvider } = signed.data.payload;
  if (!identityProvider) {
    throw new ConcordatError(
      'no-identity-provider',
      'this federation names none: ask with a key (concordat analyst init)',
    );
  }
  if (issuer !== undefined && identityProvider.issuer !== issuer) {
    throw new ConcordatError(
      'wrong-issuer',
      `this federation signs in at ${identityProvider.issuer}, not there`,
    );
  }
  return identityProvider;
}

async function login({ url, issuer, json }: LoginFlags): Promise<void> {
  const provider = await providerOf(url, issuer);
  const folder = sessionFolder();
  const name = `${randomBytes(8).toString('hex')}.pem`;
  const key = newSessionKey(folder, name);
  try {
    const { signIn } = await import('../session/sign-in.js');
    const identity = await signIn(provider, key.publicKey, {
      show: (address) =>
        process.stderr.write(`Open this address in a browser on this machine:\n${address.href}\n`),
      signal: AbortSignal.timeout(SIGN_IN_WITHIN_MS),
    });
    const { analyst, roles, expiresSeconds } = await verifyIdentity(identity, provider, {
      publicKey: key.publicKey,
      atMs: Date.now(),
    });
    const expiresAt = new Date(expiresSeconds * 1000).toISOString();
    const session = {
      ...{ version: 1 as const, url, issuer: provider.issuer, analyst, roles: [...roles] },
      ...{ identity, expiresAt, key: name },
    };
    writeSession(folder, session);
    tell(session, json);
  } catch (error) {
    removeSessionKey(folder, name);
    throw error;
  }
}

const tell = (
  session: {
    readonly analyst: string;
    readonly roles: readonly string[];
    readonly issuer: string;
    readonly expiresAt: string;
    readonly url: string;
  },
  json: boolean | undefined,
): void => {
  const { analyst, roles, issuer, expiresAt, url } = session;
  const text = `${analyst}\n  signed in at ${issuer} until ${expiresAt}, for ${url}\n  roles: ${roles.join(', ') || 'none that the federation knows'}`;
  process.stdout.write(
    `${json ? JSON.stringify({ analyst, roles, issuer, expiresAt, url }) : text}\n`,
  );
};

/** Registers the three verbs. */
export function registerLogin(program: Command): void {
  program
    .command('login')
    .description("sign in at the federation's identity provider (OpenID Connect with PKCE)")
    .option('--url <url>', 'address of the coordinator', httpAddress, DEFAULT_URL)
    .option('--issuer <url>', 'refuse when the federation signs in elsewhere')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      `
Prints an address to open in a browser and waits for you to sign in there, at most ten minutes. A key is made for the session and
kept with it in CONCORDAT_SESSION, else ~/.config/concordat/session; concordat query then needs no --key.

Example:
  concordat login --url https://concordat.example --issuer https://login.example`,
    )
    .action(login);
  program
    .command('logout')
    .description('end the session of this machine and destroy its key')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText('after', '\nThe provider keeps its own session.\n\nExample:\n  concordat logout')
    .action(({ json }: { json?: boolean }) => {
      const wasSignedIn = removeSession(sessionFolder());
      const text = wasSignedIn ? 'Signed out.' : 'Nobody was signed in.';
      process.stdout.write(`${json ? JSON.stringify({ wasSignedIn }) : text}\n`);
    });
  program
    .command('whoami')
    .description('who is signed in on this machine, as what, until when')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText('after', '\nExit code 1 when nobody is.\n\nExample:\n  concordat whoami --json')
    .action(({ json }: { json?: boolean }) => tell(readSession(sessionFolder(), Date.now()), json));
}
