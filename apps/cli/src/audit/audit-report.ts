/** What an audit is asked, and what it reports. */
import { bytesToHex } from '#libs/bytes';
import type { VerifyReport } from '#libs/journal';
import { type SpentTable, spentTable } from '#libs/ledger';
import type { ManifestHistory } from '#libs/protocol';
import type { EntryChecks, Reference } from './entry-checks.js';
import type { NamedBlobs, Unchecked } from './named-blobs.js';
import type { AuditFault } from './process-folder.js';

export interface AuditReport {
  readonly ok: boolean;
  readonly origin: string;
  /** Entries that the published checkpoint signs, and their Merkle root in hex. */
  readonly size: number;
  readonly root: string;
  /** Entries read and checked. */
  readonly entries: number;
  /** Releases of this log: answers of a node, national releases of a coordinator. */
  readonly releases: number;
  readonly spent: SpentTable;
  readonly faults: readonly AuditFault[];
  /** Whole entries that no checkpoint signs yet. */
  readonly unsigned: number;
  /** Earlier checkpoints, all found consistent unless a fault says otherwise. */
  readonly checkpoints: number;
  /** Witnesses of the published checkpoint, how many the manifest demands, and the newest size that many have seen. */
  readonly cosigned: {
    readonly latest: number;
    readonly quorum: number;
    readonly size: number | null;
  };
  /** What was not looked at, and why. */
  readonly unchecked: readonly Unchecked[];
}

export interface AuditOptions {
  /** The coordinator's public key, or a verifier key of the log. */
  readonly key?: string | undefined;
  /** Checkpoints of this log from elsewhere. */
  readonly known?: readonly string[];
  /** Notes of any logs of the federation, as other processes hold them: those of this log are known, the rest show what it witnessed. */
  readonly elsewhere?: readonly string[];
  /** Demands that the published checkpoint has the quorum, not any checkpoint of the history, and covers every entry. */
  readonly strict?: boolean;
  /** Takes a folder that was copied from a process at work, or whose process was killed: its last entries may be signed by nothing. */
  readonly running?: boolean;
  readonly onProgress?: (text: string) => void;
}

/** Of a folder in which there is nothing to trust. */
export const NOTHING: Omit<VerifyReport, 'faults' | 'ok'> = {
  origin: '',
  size: 0n,
  root: new Uint8Array(),
  history: 0,
  signedBy: [],
  cosigned: { latest: 0, size: undefined },
  unsigned: { entries: 0, vouched: 0, tornBytes: 0, isWritten: false },
};

/** The report; what was not checked is told only where there is any. */
export function reportOf(
  log: Omit<VerifyReport, 'faults' | 'ok'>,
  checks: EntryChecks,
  quorum: number,
  faults: readonly AuditFault[],
  unchecked: readonly Unchecked[] = [],
): AuditReport {
  return {
    ok: faults.length === 0,
    origin: log.origin,
    size: Number(log.size),
    root: bytesToHex(log.root),
    entries: checks.entries,
    releases: checks.answers.length + checks.national.length,
    spent: spentTable(checks.ledger),
    faults,
    unsigned: log.unsigned.entries,
    checkpoints: log.history,
    cosigned: {
      latest: log.cosigned.latest,
      quorum,
      size: log.cosigned.size === undefined ? null : Number(log.cosigned.size),
    },
    unchecked: unchecked.filter(({ count }) => count > 0),
  };
}

/** Signatures of receipts, steps and auditors' words are verified by the manifests alone. */
export const unsignedParts = (
  { national, manifests }: EntryChecks,
  history: ManifestHistory | undefined,
): Unchecked => ({
  what: 'signatures on releases and manifests',
  count: history ? 0 : national.length + manifests.length,
  why: 'they need the manifest, and only a key of the log was given',
});

export const seedsOf = ({ seeds }: EntryChecks): Unchecked => ({
  what: 'seeds of masks',
  count: seeds,
  why: 'an auditor keeps them to itself and destroys them with their round',
});

/** A fault for every entry that names a blob which is not there. */
export async function missingOf(
  named: readonly Reference[],
  blobs: NamedBlobs,
): Promise<AuditFault[]> {
  const faults: AuditFault[] = [];
  for (const { at, hash } of named) {
    if ((await blobs.look(hash)) === 'missing') faults.push({ at, kind: 'blob-missing' });
  }
  return faults;
}
