/** Who is signed in on this machine: a key made for this session and the ID token that says whose it is, in files that only their owner can read. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { makeFolders, replaceFileSync } from '#libs/host';
import { createSigningKey, loadSigningKey, type SigningKey } from '#libs/keystore';

const SessionFile = z.strictObject({
  version: z.literal(1),
  /** Coordinator that the session is for. */
  url: z.url(),
  issuer: z.url(),
  analyst: z.string(),
  roles: z.array(z.string()),
  /** ID token. */
  identity: z.string(),
  expiresAt: z.iso.datetime(),
  /** Name of the key's file. */
  key: z.string().regex(/^[0-9a-f]{16}\.pem$/),
});
export type SessionFile = z.infer<typeof SessionFile>;

/** Where the session is kept: `CONCORDAT_SESSION`, else below the user's configuration. */
export const sessionFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  env.CONCORDAT_SESSION ??
  join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'concordat', 'session');

const fileOf = (folder: string): string => join(folder, 'session.json');

const signedOut = (): ConcordatError =>
  new ConcordatError('not-signed-in', 'nobody is signed in here; run: concordat login');

/** Makes the key of a session to come. Returns its file name too, which `writeSession` takes. */
export function newSessionKey(folder: string, name: string): SigningKey {
  makeFolders(folder, { mode: 0o700 });
  return createSigningKey(join(folder, name));
}

/** Replaces the session in one step; the key of the one before is destroyed. */
export function writeSession(folder: string, session: SessionFile): void {
  const before = readFile(folder);
  replaceFileSync(fileOf(folder), `${JSON.stringify(session, null, 2)}\n`, { mode: 0o600 });
  if (before && before.key !== session.key) rmSync(join(folder, before.key), { force: true });
}

/** Removes a session and its key. Whether there was one. */
export function removeSession(folder: string): boolean {
  const session = readFile(folder);
  rmSync(fileOf(folder), { force: true });
  if (session) rmSync(join(folder, session.key), { force: true });
  return session !== undefined;
}

/** Removes a key that no session came of. */
export const removeSessionKey = (folder: string, name: string): void =>
  rmSync(join(folder, name), { force: true });

/** Throws `not-signed-in`, `session-expired`, `session-exposed`, `session-malformed`. */
export function readSession(folder: string, nowMs: number): SessionFile {
  const session = readFile(folder);
  if (!session) throw signedOut();
  if (Date.parse(session.expiresAt) <= nowMs) {
    throw new ConcordatError('session-expired', 'the session has ended; run: concordat login');
  }
  return session;
}

/** The same with its key, as `ask` takes an analyst. */
export function sessionAnalyst(
  folder: string,
  nowMs: number,
): { readonly id: string; readonly key: SigningKey; readonly identity: string } {
  const { analyst, identity, key } = readSession(folder, nowMs);
  return { id: analyst, identity, key: loadSigningKey(join(folder, key)) };
}

function readFile(folder: string): SessionFile | undefined {
  let text: string;
  try {
    if ((statSync(fileOf(folder)).mode & 0o077) !== 0) {
      throw new ConcordatError(
        'session-exposed',
        `others may read ${fileOf(folder)}; run: concordat logout, then concordat login`,
      );
    }
    text = readFileSync(fileOf(folder), 'utf8');
  } catch (error) {
    if (error instanceof ConcordatError) throw error;
    return undefined;
  }
  try {
    return SessionFile.parse(JSON.parse(text));
  } catch {
    throw new ConcordatError(
      'session-malformed',
      `${fileOf(folder)} is not as login writes it; delete it and run: concordat login`,
    );
  }
}
