/**
 * How commands reach the process that runs over the same folder: its loopback address and a secret made at its start, in a file that
 * only the folder's owner can read. Whoever can read it can decide; a name they give is stated, not proven.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ConcordatError, utf8ToBytes } from '#libs/bytes';
import { replaceFileSync } from '#libs/host';

const Control = z.strictObject({ url: z.url(), token: z.string().regex(/^[0-9a-f]{64}$/) });
export type Control = z.infer<typeof Control>;

export const newToken = (): string => randomBytes(32).toString('hex');

/** Writes the file in one step, mode 0600. */
export function writeControl(path: string, control: Control): void {
  mkdirSync(dirname(path), { recursive: true });
  // gone with the process: it need not survive a power cut
  replaceFileSync(path, `${JSON.stringify(control)}\n`, { durable: false, mode: 0o600 });
}

/** Where commands on the same machine reach a server that listens on every address. */
export const loopbackOf = (url: string): string =>
  url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');

export const removeControl = (path: string): void => rmSync(path, { force: true });

/** The running process's address, or undefined when none wrote one. Throws `control-exposed` when others can read the file. */
export function readControl(path: string): Control | undefined {
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      throw new ConcordatError('control-exposed', `others may read ${path}; restart the process`);
    }
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ConcordatError) throw error;
    return undefined;
  }
  try {
    return Control.parse(JSON.parse(text));
  } catch {
    throw new ConcordatError(
      'control-malformed',
      `${path} is not as a process writes it; delete it`,
    );
  }
}

/** Whether an Authorization header carries the token, compared in constant time. */
export function holdsToken(header: string | undefined, token: string): boolean {
  const given = utf8ToBytes(header ?? '');
  const wanted = utf8ToBytes(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
