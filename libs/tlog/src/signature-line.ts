/** One signature line of a note, after C2SP signed-note: em dash, name, base64 of the key id and the signature. */
import { ConcordatError, fromBase64, toBase64 } from '#libs/bytes';
import { isKeyName } from './verifier-key.js';

export interface SignatureLine {
  readonly name: string;
  readonly keyId: number;
  /** What follows the key id; its form depends on the signature type. */
  readonly signature: Uint8Array;
}

const malformed = (why: string): never => {
  throw new ConcordatError('malformed-note', `not a signature line: ${why}`);
};

/** The line with its newline. Throws `malformed-note` for a name that cannot stand in it. */
export function formatSignatureLine({ name, keyId: id, signature }: SignatureLine): string {
  if (!isKeyName(name)) malformed("a key name is empty or holds a space or a '+'");
  const bytes = Uint8Array.of(id >>> 24, id >>> 16, id >>> 8, id, ...signature);
  return `— ${name} ${toBase64(bytes)}\n`;
}

/** Inverse of `formatSignatureLine`, for a line without its newline. Throws `malformed-note`. */
export function parseSignatureLine(line: string): SignatureLine {
  const match = /^— ([^ ]+) ([^ ]+)$/.exec(line);
  const [, name = '', base64 = ''] = match ?? malformed('the form is "— name base64"');
  if (!isKeyName(name)) malformed("a key name holds a space or a '+'");
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(base64);
  } catch {
    return malformed('the signature is not base64');
  }
  if (bytes.length < 5) malformed('the signature is too short to hold a key id');
  return {
    name,
    keyId: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0),
    signature: bytes.subarray(4),
  };
}
