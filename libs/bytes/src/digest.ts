import { sha256 } from '@noble/hashes/sha2.js';
import { canonicalBytes } from './canonical-json.js';
import { bytesToHex, concatBytes, utf8ToBytes } from './encoding.js';

const lengthOf = (part: Uint8Array): Uint8Array => {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(part.length));
  return length;
};

/**
 * A domain tag and parts, each preceded by its length in 8 bytes: no two different lists of parts, and no two tags, give the
 * same bytes. `tag` names purpose and version, such as `concordat/query/v1`.
 */
export const domainMessage = (tag: string, ...parts: readonly Uint8Array[]): Uint8Array =>
  concatBytes(...[utf8ToBytes(tag), ...parts].flatMap((part) => [lengthOf(part), part]));

/** SHA-256 of `domainMessage(tag, ...parts)`. */
export function domainDigest(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create();
  for (const part of [utf8ToBytes(tag), ...parts]) hash.update(lengthOf(part)).update(part);
  return hash.digest();
}

/** Lower-case hex of `domainDigest(tag, canonical JSON of value)`. */
export const digestOf = (tag: string, value: unknown): string =>
  bytesToHex(domainDigest(tag, canonicalBytes(value)));

/** Plain SHA-256 in lower-case hex: the name of a blob. */
export const sha256Hex = (...parts: readonly Uint8Array[]): string =>
  bytesToHex(sha256(parts.length === 1 && parts[0] ? parts[0] : concatBytes(...parts)));
