/**
 * X25519 keys for boxes: what one process of the federation sends another through, or past, a third that must not read it.
 * A box is `box` of NaCl (X25519, XSalsa20, Poly1305): only the two key holders can open it, and it opens only if one of them made it.
 */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import nacl from 'tweetnacl';
import {
  ConcordatError,
  concatBytes,
  domainDigest,
  fromBase64url,
  toBase64url,
  utf8ToBytes,
} from '#libs/bytes';
import { readPrivateFile, writePrivateFile } from '#libs/host';

const NONCE_BYTES = nacl.box.nonceLength;
const TAG_BYTES = nacl.box.overheadLength;

/** An X25519 private key that stays inside this object. Keys of others are 32 raw bytes in base64url, as in the manifest. */
export interface BoxKey {
  readonly publicKey: string;
  /** A box for `recipient`: 24 random bytes of nonce, then the message and its tag, 40 bytes more than the message. Throws `bad-box-key`. */
  close(message: Uint8Array, recipient: string): Uint8Array;
  /** The message of a box that `sender` made for this key. Throws `bad-box` for any other bytes, `bad-box-key`. */
  open(box: Uint8Array, sender: string): Uint8Array;
  /** 32 bytes that only this key and `other` can compute, for one use. Throws `bad-box-key`. */
  secretWith(other: string, use: string): Uint8Array;
}

const raw = (key: KeyObject, part: 'd' | 'x'): Uint8Array =>
  new Uint8Array(Buffer.from(String(key.export({ format: 'jwk' })[part]), 'base64url'));

/** What everybody shares with a point of small order (RFC 7748 section 6.1): the key of the zero point. */
const SHARED_BY_ALL = nacl.box.before(new Uint8Array(32), new Uint8Array(32));

/** Others whose shared key is remembered: more than a federation has processes. */
const MOST_REMEMBERED = 4096;

function agree(publicKey: string, secretKey: Uint8Array): Uint8Array {
  let point: Uint8Array | undefined;
  try {
    point = fromBase64url(publicKey);
  } catch {
    point = undefined;
  }
  const shared = point?.length === 32 ? nacl.box.before(point, secretKey) : SHARED_BY_ALL;
  if (nacl.verify(shared, SHARED_BY_ALL)) {
    throw new ConcordatError('bad-box-key', 'not an X25519 public key that a box can be made for');
  }
  return shared;
}

/** The key that is shared with each other one, agreed once: that takes as long as forty letters. Throws `bad-box-key`. */
function agreement(secretKey: Uint8Array): (publicKey: string) => Uint8Array {
  const agreed = new Map<string, Uint8Array>();
  return (publicKey) => {
    const known = agreed.get(publicKey);
    if (known) return known;
    const shared = agree(publicKey, secretKey);
    if (agreed.size === MOST_REMEMBERED) agreed.clear();
    agreed.set(publicKey, shared);
    return shared;
  };
}

const fromKeyObject = (privateKey: KeyObject): BoxKey => {
  const sharedWith = agreement(raw(privateKey, 'd'));
  return {
    publicKey: toBase64url(raw(createPublicKey(privateKey), 'x')),
    close(message, recipient) {
      const nonce = new Uint8Array(randomBytes(NONCE_BYTES));
      return concatBytes(
        nonce,
        nacl.box.after(new Uint8Array(message), nonce, sharedWith(recipient)),
      );
    },
    open(box, sender) {
      const shared = sharedWith(sender);
      const message =
        box.length < NONCE_BYTES + TAG_BYTES
          ? null
          : nacl.box.open.after(
              new Uint8Array(box.subarray(NONCE_BYTES)),
              new Uint8Array(box.subarray(0, NONCE_BYTES)),
              shared,
            );
      if (message === null) {
        throw new ConcordatError('bad-box', 'not a box that this sender made for this process');
      }
      return message;
    },
    secretWith: (other, use) =>
      domainDigest('concordat/pairwise-secret/v1', sharedWith(other), utf8ToBytes(use)),
  };
};

/** Makes a key and writes it to `path` (PKCS #8 PEM, mode 0600). Throws `key-exists`. */
export function createBoxKey(path: string): BoxKey {
  const { privateKey } = generateKeyPairSync('x25519');
  writePrivateFile(path, Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' })));
  return fromKeyObject(privateKey);
}

/** Loads a key. Throws `box-key-missing`, `key-exposed` or `key-malformed`. */
export function loadBoxKey(path: string): BoxKey {
  if (!existsSync(path)) {
    throw new ConcordatError(
      'box-key-missing',
      `${path} is missing: this folder was made by a version without box keys; make a new one with init and enrol it`,
    );
  }
  const pem = readPrivateFile(path);
  let key: KeyObject;
  try {
    key = createPrivateKey(Buffer.from(pem));
  } catch {
    throw new ConcordatError('key-malformed', `${path} is not a PKCS #8 private key`);
  }
  if (key.asymmetricKeyType !== 'x25519') {
    throw new ConcordatError('key-malformed', `${path} is not an X25519 key`);
  }
  return fromKeyObject(key);
}
