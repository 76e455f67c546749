/** The text of a log's signed tree head, after C2SP tlog-checkpoint. */
import { ConcordatError, equalBytes, fromBase64, toBase64 } from '#libs/bytes';
import { EMPTY_ROOT, HASH_BYTES } from './merkle.js';

export interface Checkpoint {
  /** Name of the log, unique for ever; the key that signs it should have the same name. */
  readonly origin: string;
  readonly size: bigint;
  /** Merkle tree hash of the first `size` entries. */
  readonly root: Uint8Array;
  /** Lines after the third. This log writes none, since nobody audits them. */
  readonly extensions?: readonly string[];
}

const malformed = (why: string): never => {
  throw new ConcordatError('malformed-checkpoint', `not a checkpoint: ${why}`);
};

/** Text to sign, each line ended by a newline. Throws `malformed-checkpoint`. */
export function formatCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  for (const line of [origin, ...extensions]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a note holds no control characters
    if (line === '' || /[\u0000-\u001f]|\p{Surrogate}/u.test(line)) {
      malformed('origin and extensions are non-empty lines');
    }
  }
  if (size < 0n || size >= 1n << 64n) malformed('the size is 0 to 2^64 - 1');
  if (root.length !== HASH_BYTES) malformed('the root is 32 bytes');
  if (size === 0n && !equalBytes(root, EMPTY_ROOT)) malformed('the empty tree has another root');
  return `${[origin, size, toBase64(root), ...extensions].join('\n')}\n`;
}

/** Inverse of `formatCheckpoint`; takes a note's text, so open the note first. Throws `malformed-checkpoint`. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  if (lines.length < 4 || lines.pop() !== '') malformed('it has three lines or more');
  const [origin = '', size = '', base64 = '', ...extensions] = lines;
  if (!/^(?:0|[1-9]\d{0,19})$/.test(size)) malformed('the size is a decimal number');
  let root: Uint8Array;
  try {
    root = fromBase64(base64);
  } catch {
    return malformed('the root is base64 of 32 bytes');
  }
  const head = { origin, size: BigInt(size), root };
  const checkpoint = extensions.length > 0 ? { ...head, extensions } : head;
  // what cannot be written (a bad root or origin, a size out of range) cannot be read either
  formatCheckpoint(checkpoint);
  return checkpoint;
}
