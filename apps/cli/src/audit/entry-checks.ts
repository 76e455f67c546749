/** The entries of a log as they go by: each is folded and judged, and what it names is kept for later. */
import { isConcordatError } from '#libs/bytes';
import { applyEntry, checkEntry, emptyLedger } from '#libs/ledger';
import {
  applyToSealBook,
  emptySealBook,
  isSealEvent,
  type SealEvent,
  sealFault,
} from '#libs/protocol';
import { decodeEntry, type Entry, type EntryOf } from '#libs/tlog';
import { PolicyHistory } from './policy-documents.js';
import type { AuditFault } from './process-folder.js';

const PROGRESS_EVERY = 20_000n;

/** A blob that an entry names, and where. */
export interface Reference {
  readonly at: string;
  readonly hash: string;
}

type Placed<Kind extends Entry['kind']> = {
  readonly index: bigint;
  readonly entry: EntryOf<Kind>;
};

/** What it gathers is judged once the log is read; memory grows with the questions answered, not with the entries. */
export class EntryChecks {
  readonly faults: AuditFault[] = [];
  readonly ledger = emptyLedger();
  readonly policies = new PolicyHistory();
  readonly answers: Placed<'release.made'>[] = [];
  readonly national: Placed<'round.released'>[] = [];
  readonly manifests: Placed<'manifest.published'>[] = [];
  readonly rotations: Placed<'key.rotated'>[] = [];
  /** Enrolments and orders, which a coordinator publishes. */
  readonly documents: Reference[] = [];
  /** Questions and contributions of rounds, which it keeps to itself. */
  readonly ofRounds: Reference[] = [];
  /** Seeds that an auditor took; each is destroyed when its round is over. */
  seeds = 0;
  entries = 0;
  private readonly sealing = emptySealBook();

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
      this.keep(index, entry);
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

  private keep(index: bigint, entry: Entry): void {
    const at = `entry ${index}`;
    switch (entry.kind) {
      case 'policy.activated':
      case 'budget.reserved':
        this.policies.add(at, entry);
        break;
      case 'release.made':
        this.answers.push({ index, entry });
        break;
      case 'round.released':
        this.national.push({ index, entry });
        break;
      case 'manifest.published':
        this.manifests.push({ index, entry });
        break;
      case 'key.rotated':
        this.rotations.push({ index, entry });
        break;
      case 'enrolment.received':
        this.documents.push({ at, hash: entry.enrolment });
        break;
      case 'forecast.enabled':
      case 'forecast.disabled':
        this.documents.push({ at, hash: entry.order });
        break;
      case 'round.opened':
        this.ofRounds.push({ at, hash: entry.question });
        break;
      case 'contribution.accepted':
        this.ofRounds.push({ at, hash: entry.contribution });
        break;
      case 'seed.received':
        this.seeds += 1;
        break;
    }
  }
}
