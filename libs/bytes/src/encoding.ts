import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { ConcordatError } from './errors.js';

export { bytesToHex, concatBytes, utf8ToBytes };

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const encodeWith = (alphabet: string, bytes: Uint8Array, pad: boolean): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += alphabet.charAt(word >>> 18) + alphabet.charAt((word >>> 12) & 63);
    if (left > 1) text += alphabet.charAt((word >>> 6) & 63);
    else if (pad) text += '=';
    if (left > 2) text += alphabet.charAt(word & 63);
    else if (pad) text += '=';
  }
  return text;
};

const reverse = (alphabet: string): Int16Array => {
  const table = new Int16Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) table[alphabet.charCodeAt(i)] = i;
  return table;
};
const FROM_BASE64 = reverse(BASE64);
const FROM_BASE64URL = reverse(BASE64URL);

const decodeWith = (table: Int16Array, text: string, what: string): Uint8Array => {
  const fail = (): never => {
    throw new ConcordatError('malformed-encoding', `not canonical ${what}`);
  };
  if (text.length % 4 === 1) fail();
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? (table[code] ?? -1) : -1;
    if (value < 0) fail();
    word = ((word << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (word >>> bits) & 0xff;
    }
  }
  // Unused low bits must be zero, or two texts would stand for the same bytes.
  if ((word & ((1 << bits) - 1)) !== 0) fail();
  return bytes;
};

/** RFC 4648 section 5, without padding. */
export const toBase64url = (bytes: Uint8Array): string => encodeWith(BASE64URL, bytes, false);

/** Inverse of `toBase64url`; refuses padding, foreign characters and non-zero unused bits (`malformed-encoding`). */
export const fromBase64url = (text: string): Uint8Array =>
  decodeWith(FROM_BASE64URL, text, 'base64url');

/** RFC 4648 section 4, with padding. */
export const toBase64 = (bytes: Uint8Array): string => encodeWith(BASE64, bytes, true);

/** Inverse of `toBase64`; refuses missing padding, foreign characters and non-zero unused bits (`malformed-encoding`). */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new ConcordatError('malformed-encoding', 'not canonical base64');
  const body = text.endsWith('==')
    ? text.slice(0, -2)
    : text.endsWith('=')
      ? text.slice(0, -1)
      : text;
  const bytes = decodeWith(FROM_BASE64, body, 'base64');
  if (toBase64(bytes) !== text)
    throw new ConcordatError('malformed-encoding', 'not canonical base64');
  return bytes;
}

/** Lower-case hex of even length to bytes; anything else is `malformed-encoding`. */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) {
    throw new ConcordatError('malformed-encoding', 'not lower-case hex');
  }
  return hexToBytes(text);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes to text; invalid UTF-8 is `malformed-encoding`, never a replacement character. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ConcordatError('malformed-encoding', 'not valid UTF-8');
  }
}

/** Equality in time that depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
