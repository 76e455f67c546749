/** What a verification is asked and what it finds; opening the checkpoints it meets. */

import { isConcordatError } from '#libs/bytes';
import { verifyEd25519ByNode } from '#libs/host';
import {
  type Checkpoint,
  labelOf,
  openNote,
  parseCheckpoint,
  type VerifyEd25519,
} from '#libs/tlog';
import { CHECKPOINT, TAIL } from './layout.js';
import type { ReadFile } from './log-source.js';
import { type OpenedTail, openTail } from './tail-note.js';

export type FaultKind =
  | 'checkpoint-missing'
  | 'checkpoint-malformed'
  | 'checkpoint-signature'
  | 'checkpoint-origin'
  | 'checkpoint-quorum'
  | 'checkpoint-rolled-back'
  | 'root-mismatch'
  | 'entry-mismatch'
  | 'bundle-missing'
  | 'bundle-malformed'
  | 'bundle-mismatch'
  | 'tile-missing'
  | 'tile-mismatch'
  | 'record-missing'
  | 'record-damaged'
  | 'record-mismatch'
  | 'history-damaged'
  | 'tail-malformed'
  | 'tail-mismatch'
  | 'known-ahead'
  | 'known-mismatch';

export interface Fault {
  /** `entry 12`, `checkpoint`, a path such as `tile/0/003`, `history 4`, `known 0`, `entries.rec byte 99`. */
  readonly at: string;
  readonly kind: FaultKind;
}

export interface VerifyOptions {
  /** This log's own keys (type Ed25519) and its witnesses' (cosignature/v1), `name+id+base64`, and no others. */
  readonly verifierKeys: readonly string[];
  /** The log's name; taken from its checkpoint unless given. */
  readonly origin?: string;
  /** How many cosigners the checkpoint must have; 0 unless given. */
  readonly quorum?: number;
  /**
   * What must have the quorum: the published checkpoint, or any checkpoint of the history over a tree that is not empty. A
   * log that is at work, or was just stopped, has a newest checkpoint that its witnesses have not seen yet. A directory's only.
   */
  readonly quorumOf?: 'checkpoint' | 'history';
  /** Checkpoints of this log from elsewhere (a witness, an earlier audit): notes signed by one of the keys. */
  readonly known?: readonly string[];
  /** Called with every signed entry in order; what it throws ends the verification. */
  readonly onEntry?: (index: bigint, bytes: Uint8Array) => void | Promise<void>;
  readonly verify?: VerifyEd25519;
}

/** A wholly wrong log would fill the memory with faults. */
const MAX_FAULTS = 1000;

/** A signed checkpoint and where it came from. */
export interface Claim extends Pick<Checkpoint, 'size' | 'root'> {
  readonly at: string;
  readonly kind: 'root-mismatch' | 'known-mismatch' | 'tail-mismatch';
}

export interface SignedCheckpoint {
  /** The whole note as it was read. */
  readonly note: string;
  readonly text: string;
  readonly checkpoint: Checkpoint;
  /** Different witnesses that cosigned. */
  readonly cosigners: number;
  /** Name and id of the log's key that signed, `name+c74f20a3`. */
  readonly logKey: string;
}

export class Verification {
  readonly faults: Fault[] = [];

  constructor(
    readonly read: ReadFile,
    readonly options: VerifyOptions,
    /** Set for a directory, where more files are compared than a client would fetch. */
    readonly dir?: string,
  ) {}

  fault(at: string, kind: FaultKind): undefined {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ at, kind });
    return undefined;
  }

  /** The checkpoint a note holds, signed by the log, or a fault. */
  open(at: string, note: string | Uint8Array): SignedCheckpoint | undefined {
    const { verifierKeys, verify = verifyEd25519ByNode } = this.options;
    try {
      const { text, signers } = openNote(note, verifierKeys, verify);
      const log = signers.find(({ type }) => type === 'ed25519');
      if (!log) return this.fault(at, 'checkpoint-signature');
      const cosigners = signers.filter(({ type }) => type === 'cosignature/v1');
      return {
        note: typeof note === 'string' ? note : Buffer.from(note).toString('utf8'),
        text,
        checkpoint: parseCheckpoint(text),
        cosigners: new Set(cosigners.map(({ name }) => name)).size,
        logKey: labelOf(log),
      };
    } catch (error) {
      if (!isConcordatError(error) || error.code === 'malformed-verifier-key') throw error;
      const isSignature = error.code === 'bad-signature' || error.code === 'unknown-signer';
      return this.fault(at, isSignature ? 'checkpoint-signature' : 'checkpoint-malformed');
    }
  }

  /** The log's published checkpoint out of its note, or a fault. */
  openPublished(note: Uint8Array | undefined): SignedCheckpoint | undefined {
    if (!note) return this.fault(CHECKPOINT, 'checkpoint-missing');
    const opened = this.open(CHECKPOINT, note);
    if (!opened) return undefined;
    const { origin, quorum = 0, quorumOf = 'checkpoint' } = this.options;
    if (origin !== undefined && opened.checkpoint.origin !== origin) {
      return this.fault(CHECKPOINT, 'checkpoint-origin');
    }
    const isDemanded = quorumOf === 'checkpoint' || this.dir === undefined;
    if (isDemanded && opened.cosigners < quorum) this.fault(CHECKPOINT, 'checkpoint-quorum');
    return opened;
  }

  /** The writer's note over entries that no checkpoint signs; undefined when there is none, or a fault. */
  async tail(origin: string): Promise<OpenedTail | undefined> {
    const note = await this.read(TAIL);
    if (!note) return undefined;
    try {
      const tail = openTail(note, this.options.verifierKeys, this.options.verify);
      return tail.origin === origin ? tail : this.fault(TAIL, 'tail-mismatch');
    } catch (error) {
      if (!isConcordatError(error) || error.code === 'malformed-verifier-key') throw error;
      return this.fault(TAIL, 'tail-malformed');
    }
  }

  /** Checkpoints from elsewhere, as claims about this log. */
  known(latest: Checkpoint): Claim[] {
    return (this.options.known ?? []).flatMap((note, i) => {
      const at = `known ${i}`;
      const checkpoint = this.open(at, note)?.checkpoint;
      if (!checkpoint) return [];
      if (checkpoint.origin !== latest.origin) this.fault(at, 'checkpoint-origin');
      if (checkpoint.size > latest.size) this.fault(at, 'known-ahead');
      return [{ ...checkpoint, at, kind: 'known-mismatch' as const }];
    });
  }
}
