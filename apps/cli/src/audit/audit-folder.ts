/**
 * Full offline verification of one process's folder: the log itself (`verifyJournal`), what its entries say (order rules, budget,
 * policy), and every blob they name. Nothing is written; memory grows with the questions answered, not with the entries.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, isConcordatError } from '#libs/bytes';
import { readJournal, type VerifyReport, verifyJournal, verifyPublishedLog } from '#libs/journal';
import { applyEntry, checkEntry, emptyLedger, type SpentTable, spentTable } from '#libs/ledger';
import {
  applyToSealBook,
  emptySealBook,
  isSealEvent,
  type SealEvent,
  sealFault,
} from '#libs/protocol';
import { decodeEntry, type EntryOf } from '#libs/tlog';
import { keyFaults } from './key-faults.js';
import { checkPolicyDocuments, PolicyHistory } from './policy-documents.js';
import { type AuditFault, type LogKeys, openProcessFolder } from './process-folder.js';
import { checkRelease } from './release-blobs.js';
import { hashBlobs } from './stored-blobs.js';
import { checkWitnessed, originOf } from './witnessed.js';

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
  readonly onProgress?: (text: string) => void;
}

const PROGRESS_EVERY = 20_000n;

/** Folds and checks entries as they go by; what it gathers is judged once the log is read. */
class EntryChecks {
  readonly faults: AuditFault[] = [];
  readonly ledger = emptyLedger();
  readonly policies = new PolicyHistory();
  private readonly sealing = emptySealBook();
  readonly answers: { readonly index: bigint; readonly entry: EntryOf<'release.made'> }[] = [];
  readonly national: { readonly index: bigint; readonly entry: EntryOf<'round.released'> }[] = [];
  readonly rotations: { readonly index: bigint; readonly entry: EntryOf<'key.rotated'> }[] = [];
  entries = 0;

  constructor(private readonly onProgress: (text: string) => void) {}

  check(index: bigint, bytes: Uint8Array): void {
    if (index > 0n && index % PROGRESS_EVERY === 0n) this.onProgress(`${index} entries read`);
    this.entries += 1;
    const at = `entry ${index}`;
    try {
      const entry = decodeEntry(bytes);
      for (const kind of checkEntry(this.ledger, index, entry)) this.faults.push({ at, kind });
      applyEntry(this.ledger, index, entry);
      if (isSealEvent(entry)) this.checkSealing(at, entry);
      if (entry.kind === 'policy.activated' || entry.kind === 'budget.reserved')
        this.policies.add(at, entry);
      if (entry.kind === 'release.made') this.answers.push({ index, entry });
      if (entry.kind === 'round.released') this.national.push({ index, entry });
      if (entry.kind === 'key.rotated') this.rotations.push({ index, entry });
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      this.faults.push({ at, kind: error.code });
      this.ledger.nextIndex = index + 1n;
    }
  }

  /** Whether an auditor may have written this about a sealed round. */
  private checkSealing(at: string, event: SealEvent): void {
    const kind = sealFault(this.sealing, event);
    if (kind) this.faults.push({ at, kind });
    applyToSealBook(this.sealing, event);
  }
}

const nothing: Omit<VerifyReport, 'faults' | 'ok'> = {
  origin: '',
  size: 0n,
  root: new Uint8Array(),
  history: 0,
  signedBy: [],
  cosigned: { latest: 0, size: undefined },
  unsigned: { entries: 0, tornBytes: 0 },
};

function reportOf(
  log: Omit<VerifyReport, 'faults' | 'ok'>,
  checks: EntryChecks,
  quorum: number,
  faults: readonly AuditFault[],
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
  };
}

/** Audits a folder. Throws `no-such-folder` and `malformed-key`; everything else that is wrong is a fault. */
export async function auditFolder(dir: string, options: AuditOptions = {}): Promise<AuditReport> {
  const { onProgress = () => {} } = options;
  const folder = openProcessFolder(dir, options.key);
  const checks = new EntryChecks(onProgress);
  const quorum = folder.keys?.quorum ?? 0;
  if (!existsSync(folder.logDir)) {
    return reportOf(nothing, checks, quorum, [
      ...folder.faults,
      { at: 'log', kind: 'log-missing' },
    ]);
  }
  // without a manifest to trust there is no key, and nothing of the log can be believed
  if (!folder.keys) return reportOf(nothing, checks, quorum, folder.faults);

  const { keys, manifest, id } = folder;
  const { elsewhere = [] } = options;
  const ofThisLog = elsewhere.filter((note) => originOf(note) === keys.origin);
  onProgress('verifying the log');
  const log = await verifyJournal(folder.logDir, {
    verifierKeys: keys.verifierKeys,
    ...(keys.origin === undefined ? {} : { origin: keys.origin }),
    quorum,
    quorumOf: options.strict ? 'checkpoint' : 'history',
    known: [...(options.known ?? []), ...ofThisLog],
    onEntry: (index, bytes) => checks.check(index, bytes),
  });
  const faults: AuditFault[] = [...folder.faults, ...log.faults];
  if (log.unsigned.tornBytes > 0) faults.push({ at: 'entries.rec', kind: 'record-torn' });
  if (options.strict && log.unsigned.entries > 0)
    faults.push({ at: `entry ${log.size}`, kind: 'entries-unsigned' });
  if (log.unsigned.entries > 0) await checkUnsigned(folder.logDir, log.size, checks);
  faults.push(...checks.faults, ...keyFaults(log.signedBy, folder.keys.logKeys, checks.rotations));

  onProgress('hashing the blobs');
  const blobs = await hashBlobs(join(dir, 'blobs'), (files) => {
    if (files % 500 === 0) onProgress(`${files} blobs hashed`);
  });
  const uploads = await hashBlobs(join(dir, 'uploads'));
  faults.push(...blobs.damaged.map((at) => ({ at: `blobs/${at}`, kind: 'blob-corrupt' })));
  faults.push(...uploads.damaged.map((at) => ({ at: `uploads/${at}`, kind: 'blob-corrupt' })));
  const damaged = new Set(blobs.damaged.map((path) => path.split(/[/\\]/).at(-1)));
  for (const { index, entry } of checks.answers) {
    const at = `entry ${index}`;
    if (entry.blob !== entry.valueDigest) faults.push({ at, kind: 'blob-differs' });
    if (!blobs.whole.has(entry.blob) && !damaged.has(entry.blob)) {
      faults.push({ at, kind: 'blob-missing' });
    }
  }
  for (const release of checks.national) {
    faults.push(
      ...(await checkRelease(join(dir, 'blobs'), release, blobs.whole, damaged, folder.history)),
    );
  }
  faults.push(...checks.policies.check(join(dir, 'blobs'), blobs.whole, damaged));
  if (manifest && id !== undefined) {
    const agency = manifest.agencies.find((candidate) => candidate.id === id);
    if (agency && folder.isNode) faults.push(...checkPolicyDocuments(dir, agency));
    faults.push(...checkWitnessed(dir, manifest, id, elsewhere));
  }
  return reportOf(log, checks, quorum, faults);
}

/** Entries after the checkpoint are nobody's word yet, but they must keep the rules like all others. */
async function checkUnsigned(logDir: string, from: bigint, checks: EntryChecks): Promise<void> {
  for await (const { index, bytes } of readJournal(logDir, { unsigned: true })) {
    if (index >= from) checks.check(index, bytes);
  }
}

/** Audits a log as it is published, below `url`: what `auditFolder` does without record file, history and blobs. */
export async function auditPublishedLog(
  url: string,
  keys: LogKeys,
  options: AuditOptions & { readonly read: (path: string) => Promise<Uint8Array | undefined> },
): Promise<AuditReport> {
  const checks = new EntryChecks(options.onProgress ?? (() => {}));
  options.onProgress?.(`reading ${url}`);
  const log = await verifyPublishedLog(options.read, {
    verifierKeys: keys.verifierKeys,
    ...(keys.origin === undefined ? {} : { origin: keys.origin }),
    quorum: options.strict ? keys.quorum : 0,
    known: [
      ...(options.known ?? []),
      ...(options.elsewhere ?? []).filter((note) => originOf(note) === keys.origin),
    ],
    onEntry: (index, bytes) => checks.check(index, bytes),
  });
  return reportOf(log, checks, keys.quorum, [...log.faults, ...checks.faults]);
}
