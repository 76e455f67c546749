/** Ed25519 by node:crypto (OpenSSL), for processes: the same interface as the verification in plain JavaScript. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { isStrictEd25519, type VerifyEd25519 } from '#libs/tlog';

/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** To parse a key takes as long as to verify with it. */
const keys = new Map<string, KeyObject>();
const MAX_KEYS = 1024;

function keyObject(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('latin1');
  const known = keys.get(name);
  if (known) return known;
  const key = createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, publicKey]),
    format: 'der',
    type: 'spki',
  });
  if (keys.size >= MAX_KEYS) keys.clear();
  keys.set(name, key);
  return key;
}

/**
 * Strict Ed25519 verification. OpenSSL refuses S >= L by itself, but takes keys of small order and keys that are not
 * canonically encoded: those are refused before it is asked. A malformed key or signature is simply not valid.
 */
export const verifyEd25519ByNode: VerifyEd25519 = (signature, message, publicKey) => {
  if (!isStrictEd25519(publicKey, signature)) return false;
  try {
    return verify(null, message, keyObject(publicKey), signature);
  } catch {
    return false;
  }
};
