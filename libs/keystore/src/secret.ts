import { randomBytes } from 'node:crypto';
import { ConcordatError } from '#libs/bytes';
import { readPrivateFile, writePrivateFile } from '#libs/host';

const SECRET_BYTES = 32;

/** Makes a 32-byte secret file (mode 0600). Throws `key-exists`. */
export function createSecret(path: string): Uint8Array {
  const secret = randomBytes(SECRET_BYTES);
  writePrivateFile(path, secret);
  return secret;
}

/** Loads it. Throws `key-missing`, `key-exposed` or `key-malformed`. */
export function loadSecret(path: string): Uint8Array {
  const secret = readPrivateFile(path);
  if (secret.length !== SECRET_BYTES) {
    throw new ConcordatError('key-malformed', `${path} is not a 32-byte secret`);
  }
  return secret;
}
