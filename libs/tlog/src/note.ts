/**
 * Signed notes, after C2SP signed-note (and golang.org/x/mod/sumdb/note, whose notes these are byte for byte): text ending
 * in a newline, an empty line, then one line for each signature.
 */
import { ConcordatError, fromUtf8, utf8ToBytes } from '#libs/bytes';
import { readTimestamped, timestampedMessage } from './cosignature.js';
import { formatSignatureLine, parseSignatureLine, type SignatureLine } from './signature-line.js';
import {
  keyId,
  labelOf,
  type NoteSigner,
  parseVerifierKey,
  type SignatureType,
  type VerifierKey,
  type VerifyEd25519,
  verifyEd25519,
} from './verifier-key.js';

/** More signature lines than this are refused unread; the specification asks for at least 16. */
const MAX_SIGNATURES = 100;
const MAX_NOTE_BYTES = 1_000_000;

export interface VerifiedSigner {
  readonly name: string;
  readonly keyId: number;
  readonly type: SignatureType;
  /** POSIX seconds a cosigner gave; absent for a plain signature. */
  readonly timestamp?: bigint;
}

export interface OpenedNote {
  /** The signed text, with its final newline. */
  readonly text: string;
  /** The known keys that signed it, each once, in the note's order. Never empty. */
  readonly signers: readonly VerifiedSigner[];
}

const malformed = (why: string): never => {
  throw new ConcordatError('malformed-note', `not a signed note: ${why}`);
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: the specification forbids exactly these
const FORBIDDEN = /[\u0000-\u0009\u000b-\u001f]|\p{Surrogate}/u;

function assertText(text: string): void {
  if (typeof text !== 'string') malformed('it is not text');
  if (!text.endsWith('\n')) malformed('the text must end in a newline');
  if (FORBIDDEN.test(text)) malformed('control characters other than newline are not allowed');
}

/**
 * Note of `text` (ending in a newline) with the signature of one key. Throws `malformed-note` for text that cannot be
 * signed, `malformed-signer`, and `malformed-verifier-key` for a signer whose name or key cannot be written.
 */
export function signNote(text: string, signer: NoteSigner): string {
  assertText(text);
  if (typeof signer?.sign !== 'function') {
    throw new ConcordatError(
      'malformed-signer',
      'a signer is its name, its public key and a function that signs',
    );
  }
  const id = keyId(signer.name, 'ed25519', signer.publicKey);
  const signature = signer.sign(utf8ToBytes(text));
  return `${text}\n${formatSignatureLine({ name: signer.name, keyId: id, signature })}`;
}

/** Text and signature lines of a note, nothing verified. Throws `malformed-note`. */
function splitNote(note: string | Uint8Array): { text: string; signatures: SignatureLine[] } {
  if (typeof note !== 'string' && !(note instanceof Uint8Array))
    malformed('it is neither text nor bytes');
  if (note.length > MAX_NOTE_BYTES) malformed('it is longer than a megabyte');
  let whole: string;
  try {
    whole = typeof note === 'string' ? note : fromUtf8(note);
  } catch {
    return malformed('it is not UTF-8');
  }
  assertText(whole);
  // the last empty line separates text and signatures; the text may hold others
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) malformed('an empty line and signatures must follow the text');
  const lines = whole
    .slice(split + 2)
    .split('\n')
    .slice(0, -1);
  if (lines.length === 0) malformed('there is no signature');
  if (lines.length > MAX_SIGNATURES) malformed(`there are more than ${MAX_SIGNATURES} signatures`);
  return { text: whole.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

/** The note with more signature lines, each as `cosign` returns it; a line it already holds is not repeated. */
export function addSignatures(note: string, lines: readonly string[]): string {
  const { text, signatures } = splitNote(note);
  const all = [...signatures.map(formatSignatureLine), ...lines];
  for (const line of lines) {
    if (!line.endsWith('\n')) malformed('a signature line ends in a newline');
    parseSignatureLine(line.slice(0, -1));
  }
  return `${text}\n${[...new Set(all)].join('')}`;
}

/** The timestamp of a valid signature (undefined for a plain one), or `false`. */
function verifySignature(
  text: string,
  { signature }: SignatureLine,
  key: VerifierKey,
  verify: VerifyEd25519,
): { readonly timestamp?: bigint } | false {
  if (key.type === 'ed25519') {
    return verify(signature, utf8ToBytes(text), key.publicKey) && {};
  }
  const timestamped = readTimestamped(signature);
  if (!timestamped) return false;
  const { timestamp } = timestamped;
  const message = timestampedMessage(text, timestamp);
  return verify(timestamped.signature, message, key.publicKey) && { timestamp };
}

/**
 * Opens a signed note with the keys one trusts (`name+id+base64`; type Ed25519 or cosignature/v1). Signatures of other keys
 * are ignored, as the specification asks; one by a known key that fails refuses the whole note.
 * Throws `malformed-note`, `malformed-verifier-key`, `bad-signature`, or `unknown-signer` when no known key signed.
 * `verify` replaces the Ed25519 verification in plain JavaScript, where node:crypto is at hand.
 */
export function openNote(
  note: string | Uint8Array,
  verifierKeys: readonly string[],
  verify: VerifyEd25519 = verifyEd25519,
): OpenedNote {
  if (!Array.isArray(verifierKeys)) {
    throw new ConcordatError(
      'malformed-verifier-key',
      'give the keys you trust as a list of texts',
    );
  }
  const known = new Map<string, VerifierKey>();
  for (const text of new Set(verifierKeys)) {
    const key = parseVerifierKey(text);
    const label = labelOf(key);
    if (known.has(label)) {
      throw new ConcordatError(
        'malformed-verifier-key',
        'two known keys have the same name and id',
      );
    }
    known.set(label, key);
  }
  const { text, signatures } = splitNote(note);
  const signers = new Map<string, VerifiedSigner>();
  for (const line of signatures) {
    const label = labelOf(line);
    const key = known.get(label);
    if (!key) continue;
    const verified = verifySignature(text, line, key, verify);
    if (!verified) {
      throw new ConcordatError('bad-signature', 'a signature by a known key does not fit the note');
    }
    const { name, keyId, type } = key;
    if (!signers.has(label)) signers.set(label, { name, keyId, type, ...verified });
  }
  if (signers.size === 0) {
    throw new ConcordatError('unknown-signer', 'no key you trust signed this note');
  }
  return { text, signers: [...signers.values()] };
}
