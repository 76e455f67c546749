/** Keys that sign notes, after C2SP signed-note: `<name>+<key id in hex>+<base64 of type byte and public key>`. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ConcordatError, fromBase64, toBase64, utf8ToBytes } from '#libs/bytes';
import { isStrictEd25519 } from './strict-ed25519.js';

/** Signature types of C2SP signed-note that this log uses, and their identifier bytes. */
const TYPE_BYTE = { ed25519: 0x01, 'cosignature/v1': 0x04 } as const;

export type SignatureType = keyof typeof TYPE_BYTE;

export interface VerifierKey {
  readonly name: string;
  /** First four bytes of `SHA-256(name || 0x0a || type byte || public key)`, big-endian. */
  readonly keyId: number;
  readonly type: SignatureType;
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array;
}

/**
 * A named Ed25519 key that can sign. The same key has one id when it signs notes and another when it cosigns, so `signNote`
 * and `cosign` compute the id themselves.
 */
export interface NoteSigner {
  readonly name: string;
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array;
  /** The 64-byte Ed25519 signature (RFC 8032) of `message`. */
  sign(message: Uint8Array): Uint8Array;
}

/** True for an Ed25519 signature (64 bytes) of `message` by `publicKey` (32 bytes); never throws. */
export type VerifyEd25519 = (
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
) => boolean;

/** RFC 8032 verification in plain JavaScript: canonical encodings only, no small-order points. For the browser. */
export const verifyEd25519: VerifyEd25519 = (signature, message, publicKey) =>
  isStrictEd25519(publicKey, signature) &&
  ed25519.verify(signature, message, publicKey, { zip215: false });

const malformed = (why: string): never => {
  throw new ConcordatError('malformed-verifier-key', `not a verifier key: ${why}`);
};

/** A key name: not empty, without Unicode spaces, control characters or '+'. */
export const isKeyName = (name: string): boolean =>
  name !== '' && !/[\p{White_Space}\p{Cc}\p{Surrogate}+]/u.test(name);

/** Key id of C2SP signed-note. Throws `malformed-verifier-key` for a bad name or a key that is not 32 bytes. */
export function keyId(name: string, type: SignatureType, publicKey: Uint8Array): number {
  if (!isKeyName(name)) malformed("the name is empty or holds a space or a '+'");
  if (!(publicKey instanceof Uint8Array) || publicKey.length !== 32)
    malformed('an Ed25519 public key is 32 bytes');
  const digest = sha256
    .create()
    .update(utf8ToBytes(`${name}\n`))
    .update(Uint8Array.of(TYPE_BYTE[type]))
    .update(publicKey)
    .digest();
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}

/** Text form of a signer's key for one type of signature: what verifiers are given. Throws `malformed-verifier-key`. */
export function formatVerifierKey(
  { name, publicKey }: Pick<NoteSigner, 'name' | 'publicKey'>,
  type: SignatureType = 'ed25519',
): string {
  const label = labelOf({ name, keyId: keyId(name, type, publicKey) });
  return `${label}+${toBase64(Uint8Array.of(TYPE_BYTE[type], ...publicKey))}`;
}

/** Inverse of `formatVerifierKey`; checks that the id belongs to name and key. Throws `malformed-verifier-key`. */
export function parseVerifierKey(text: string): VerifierKey {
  if (typeof text !== 'string') return malformed('it is not text');
  const match = /^([^+]*)\+([0-9a-fA-F]{8})\+(.*)$/s.exec(text);
  if (!match) return malformed('the form is name+id+base64');
  const [, name = '', id = '', base64 = ''] = match;
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(base64);
  } catch {
    return malformed('the part after the second + is base64 with padding');
  }
  const type = (Object.keys(TYPE_BYTE) as SignatureType[]).find(
    (candidate) => TYPE_BYTE[candidate] === bytes[0],
  );
  if (type === undefined)
    return malformed('the signature type is neither Ed25519 nor cosignature/v1');
  const publicKey = bytes.slice(1);
  const computed = keyId(name, type, publicKey);
  if (computed !== Number.parseInt(id, 16))
    malformed('the id does not belong to this name and key');
  return { name, keyId: computed, type, publicKey };
}

/** Name and id together (`name+c74f20a3`): what identifies a key in a signature line. */
export const labelOf = ({ name, keyId: id }: Pick<VerifierKey, 'name' | 'keyId'>): string =>
  `${name}+${id.toString(16).padStart(8, '0')}`;
