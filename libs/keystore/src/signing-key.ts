import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { ConcordatError, toBase64url } from '#libs/bytes';
import { readPrivateFile, verifyEd25519ByNode, writePrivateFile } from '#libs/host';
import type { MessageSigner, VerifySignature } from '#libs/protocol';
import type { NoteSigner } from '#libs/tlog';

/** An Ed25519 private key that stays inside this object. */
export interface SigningKey extends MessageSigner {
  /** 32 raw bytes. */
  readonly publicKeyBytes: Uint8Array;
}

const publicBytes = (key: KeyObject): Uint8Array =>
  Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url');

const fromKeyObject = (privateKey: KeyObject): SigningKey => {
  const publicKeyBytes = publicBytes(createPublicKey(privateKey));
  return {
    publicKeyBytes,
    publicKey: toBase64url(publicKeyBytes),
    sign: (message) => sign(null, message, privateKey),
  };
};

/** Makes a key and writes it to `path` (PKCS #8 PEM, mode 0600). Throws `key-exists`. */
export function createSigningKey(path: string): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  writePrivateFile(path, Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' })));
  return fromKeyObject(privateKey);
}

/** Loads a key. Throws `key-missing`, `key-exposed` or `key-malformed`. */
export function loadSigningKey(path: string): SigningKey {
  const pem = readPrivateFile(path);
  let key: KeyObject;
  try {
    key = createPrivateKey(Buffer.from(pem));
  } catch {
    throw new ConcordatError('key-malformed', `${path} is not a PKCS #8 private key`);
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new ConcordatError('key-malformed', `${path} is not an Ed25519 key`);
  }
  return fromKeyObject(key);
}

/** A key that can be replaced while others hold it: they sign with the new one from then on. */
export interface TurnableKey extends SigningKey {
  turn(next: SigningKey): void;
}

export function turnableKey(first: SigningKey): TurnableKey {
  let key = first;
  return {
    get publicKey() {
      return key.publicKey;
    },
    get publicKeyBytes() {
      return key.publicKeyBytes;
    },
    sign: (message) => key.sign(message),
    turn: (next) => {
      key = next;
    },
  };
}

/** As whom a process signs its log and cosigns others', with whatever key is in force. */
export const noteSigner = (origin: string, key: SigningKey): NoteSigner => ({
  name: origin,
  get publicKey() {
    return key.publicKeyBytes;
  },
  sign: (message) => key.sign(message),
});

/** Strict Ed25519 verification of messages: a malformed key or signature is simply not valid. */
export const verifySignature: VerifySignature = (publicKey, message, signature) =>
  verifyEd25519ByNode(signature, message, publicKey);
