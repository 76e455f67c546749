/** Signed checkpoints: what a log hands out, and what a client demands of one. */
import { ConcordatError } from '#libs/bytes';
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.js';
import { openNote, signNote, type VerifiedSigner } from './note.js';
import { labelOf, type NoteSigner, parseVerifierKey, type VerifyEd25519 } from './verifier-key.js';

/** Whom a client believes about one log. */
export interface LogPolicy {
  readonly origin: string;
  /** Keys of the log, `name+id+base64`; one of them must have signed. */
  readonly logKeys: readonly string[];
  /** Keys of its witnesses (cosignature/v1). */
  readonly witnessKeys?: readonly string[];
  /** How many of the witnesses must have cosigned; 0 unless given. */
  readonly quorum?: number;
  readonly verify?: VerifyEd25519;
}

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The note's text, which `cosign` takes. */
  readonly text: string;
  /** Witnesses that cosigned, each once. */
  readonly cosigners: readonly VerifiedSigner[];
}

/** Note of a checkpoint signed by its log. Throws as `formatCheckpoint` and `signNote` do. */
export const signCheckpoint = (checkpoint: Checkpoint, signer: NoteSigner): string =>
  signNote(formatCheckpoint(checkpoint), signer);

/**
 * Opens a checkpoint and demands the log's own signature, its origin and the quorum of witnesses. Throws as `openNote` and
 * `parseCheckpoint` do, and `unknown-signer`, `wrong-origin`, `no-quorum`.
 */
export function openCheckpoint(
  note: string | Uint8Array,
  { origin, logKeys, witnessKeys = [], quorum = 0, verify }: LogPolicy,
): OpenedCheckpoint {
  const { text, signers } = openNote(note, [...logKeys, ...witnessKeys], verify);
  const ofLog = new Set(logKeys.map((key) => parseVerifierKey(key)).map(labelOf));
  if (!signers.some((signer) => ofLog.has(labelOf(signer)))) {
    throw new ConcordatError('unknown-signer', 'the log itself did not sign');
  }
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== origin) {
    throw new ConcordatError('wrong-origin', 'the checkpoint is of another log');
  }
  const cosigners = signers.filter((signer) => !ofLog.has(labelOf(signer)));
  if (new Set(cosigners.map((signer) => signer.name)).size < quorum) {
    throw new ConcordatError(
      'no-quorum',
      'too few witnesses cosigned this checkpoint; ask them and retry',
    );
  }
  return { checkpoint, text, cosigners };
}
