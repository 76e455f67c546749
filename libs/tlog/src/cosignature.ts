/** Witness cosignatures of a checkpoint, after C2SP tlog-cosignature (Ed25519, cosignature/v1). */
import { ConcordatError, utf8ToBytes } from '#libs/bytes';
import { parseCheckpoint } from './checkpoint.js';
import { formatSignatureLine } from './signature-line.js';
import { keyId, type NoteSigner } from './verifier-key.js';

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** The bytes a witness signs: the checkpoint's text under a header and the time in POSIX seconds. */
export const timestampedMessage = (checkpointText: string, timestamp: bigint): Uint8Array =>
  utf8ToBytes(`cosignature/v1\ntime ${timestamp}\n${checkpointText}`);

/** Splits a `timestamped_signature`; undefined unless it is 72 bytes dated before 2^63. */
export function readTimestamped(
  bytes: Uint8Array,
): { readonly timestamp: bigint; readonly signature: Uint8Array } | undefined {
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const timestamp = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
  return timestamp >> 63n ? undefined : { timestamp, signature: bytes.subarray(TIME_BYTES) };
}

/**
 * Cosigns a checkpoint's text at `timestamp` (POSIX seconds): a signature line with its newline, to be added to the note.
 * It states that this is the largest consistent tree of that origin the cosigner has seen, so the caller checks first
 * (`witnessUpdate` does). Throws `malformed-checkpoint`, `malformed-verifier-key`, `out-of-range`.
 */
export function cosign(checkpointText: string, signer: NoteSigner, timestamp: bigint): string {
  parseCheckpoint(checkpointText);
  if (timestamp < 0n || timestamp >= 1n << 63n) {
    throw new ConcordatError('out-of-range', 'a cosignature is dated 0 to 2^63 - 1 POSIX seconds');
  }
  const id = keyId(signer.name, 'cosignature/v1', signer.publicKey);
  const signature = new Uint8Array(TIME_BYTES + SIGNATURE_BYTES);
  new DataView(signature.buffer).setBigUint64(0, timestamp);
  signature.set(signer.sign(timestampedMessage(checkpointText, timestamp)), TIME_BYTES);
  return formatSignatureLine({ name: signer.name, keyId: id, signature });
}
