/**
 * The witness side of C2SP tlog-witness: its request as text, and the decision on one. Pure: the caller keeps the latest
 * checkpoint of each origin, stores the new one before it replies, and lets one request of an origin through at a time.
 */
import { ConcordatError, equalBytes, fromBase64, isConcordatError, toBase64 } from '#libs/bytes';
import { type Checkpoint, parseCheckpoint } from './checkpoint.js';
import { cosign } from './cosignature.js';
import { EMPTY_ROOT } from './merkle.js';
import { openNote } from './note.js';
import { verifyConsistency } from './proof.js';
import type { NoteSigner, VerifyEd25519 } from './verifier-key.js';

/** A consistency proof of two sizes below 2^64 has no more hashes. */
const MAX_PROOF_LINES = 63;

export interface WitnessRequest {
  /** Size the witness is thought to have cosigned last. */
  readonly oldSize: bigint;
  /** Consistency proof from there to the checkpoint. */
  readonly proof: readonly Uint8Array[];
  /** The log's signed checkpoint, a note. */
  readonly checkpoint: string;
}

const malformed = (why: string): never => {
  throw new ConcordatError('malformed-witness-request', `not an add-checkpoint request: ${why}`);
};

/** Body of `POST <prefix>/add-checkpoint`. */
export const formatWitnessRequest = ({ oldSize, proof, checkpoint }: WitnessRequest): string =>
  `old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n${checkpoint}`;

/** Inverse of `formatWitnessRequest`; the checkpoint is not opened. Throws `malformed-witness-request`. */
export function parseWitnessRequest(body: string): WitnessRequest {
  const split = body.indexOf('\n\n');
  if (split < 0) malformed('an empty line precedes the checkpoint');
  const [first = '', ...hashes] = body.slice(0, split).split('\n');
  const match = /^old (0|[1-9]\d{0,19})$/.exec(first);
  if (!match) malformed('the first line is "old <size>"');
  if (hashes.length > MAX_PROOF_LINES)
    malformed(`the proof has more than ${MAX_PROOF_LINES} lines`);
  const proof = hashes.map((line) => {
    try {
      const hash = fromBase64(line);
      return hash.length === 32 ? hash : malformed('a proof line is 32 bytes');
    } catch {
      return malformed('a proof line is base64 of 32 bytes');
    }
  });
  return { oldSize: BigInt(match?.[1] ?? 0), proof, checkpoint: body.slice(split + 2) };
}

export interface WitnessState {
  /** Keys of the logs this witness serves, by origin. */
  readonly logKeys: ReadonlyMap<string, readonly string[]>;
  /** Latest checkpoint it cosigned for an origin. */
  readonly latest: (origin: string) => Checkpoint | undefined;
  readonly signer: NoteSigner;
  /** POSIX seconds. */
  readonly timestamp: bigint;
  readonly verify?: VerifyEd25519;
}

/** What the witness answers: an HTTP status of tlog-witness and, when it refuses, why. */
export type WitnessReply =
  | {
      readonly status: 200;
      /** To be stored, durably, before the cosignature is sent. */
      readonly latest: Checkpoint;
      /** Signature line with its newline. */
      readonly cosignature: string;
    }
  | {
      readonly status: 400 | 403 | 404 | 409 | 422;
      readonly code:
        | 'malformed-request'
        | 'unknown-log'
        | 'untrusted-checkpoint'
        | 'old-size-too-large'
        | 'stale-old-size'
        | 'fork'
        | 'bad-consistency-proof';
      /** Size last cosigned, with `stale-old-size`: the body of a 409 of type text/x.tlog.size, less its newline. */
      readonly size?: bigint;
    };

/**
 * Decides on a request (C2SP tlog-witness, add-checkpoint), in the order the specification gives. A `fork` is proof that
 * the log signed two trees of one size: keep the request.
 */
export function witnessUpdate(body: string, state: WitnessState): WitnessReply {
  let request: WitnessRequest;
  let claimed: Checkpoint;
  try {
    request = parseWitnessRequest(body);
    claimed = parseCheckpoint(
      request.checkpoint.slice(0, request.checkpoint.lastIndexOf('\n\n') + 1),
    );
  } catch (error) {
    if (isConcordatError(error)) return { status: 400, code: 'malformed-request' };
    throw error;
  }
  const { oldSize, proof } = request;
  const keys = state.logKeys.get(claimed.origin);
  if (!keys) return { status: 404, code: 'unknown-log' };

  let text: string;
  try {
    text = openNote(request.checkpoint, keys, state.verify).text;
  } catch (error) {
    if (isConcordatError(error, 'malformed-note'))
      return { status: 400, code: 'malformed-request' };
    if (isConcordatError(error)) return { status: 403, code: 'untrusted-checkpoint' };
    throw error;
  }
  const checkpoint = parseCheckpoint(text);
  if (oldSize > checkpoint.size) return { status: 400, code: 'old-size-too-large' };

  const latest = state.latest(checkpoint.origin);
  const size = latest?.size ?? 0n;
  if (oldSize !== size) return { status: 409, code: 'stale-old-size', size };
  const root1 = latest?.root ?? EMPTY_ROOT;
  if (oldSize === checkpoint.size && !equalBytes(root1, checkpoint.root)) {
    return { status: 409, code: 'fork' };
  }
  const consistent = verifyConsistency({
    size1: oldSize,
    size2: checkpoint.size,
    root1,
    root2: checkpoint.root,
    proof,
  });
  if (!consistent) return { status: 422, code: 'bad-consistency-proof' };
  return {
    status: 200,
    latest: checkpoint,
    cosignature: cosign(text, state.signer, state.timestamp),
  };
}
