/** What a holder's own log says of each epoch: who declared how much, which batches were evaluated, whether it has ended. */
import type { BatchEntry, QuotaGrant } from '#libs/linkage';
import type { Entry } from '#libs/tlog';
import { epochFolder } from './epoch.js';

type Declared = Extract<Entry, { kind: 'linkage.declared' }>;

interface LoggedEpoch {
  readonly declared: Map<string, Declared>;
  /** Evaluated batches, by node and sequence number. */
  readonly batches: Map<string, BatchEntry>;
  isDestroyed: boolean;
}

const batchName = ({ node, sequence }: Pick<BatchEntry, 'node' | 'sequence'>): string =>
  `${node} ${sequence}`;

/** A fold of the log. Epochs go by the names of their folders. */
export class HolderLog {
  private readonly epochs = new Map<string, LoggedEpoch>();

  take(entry: Entry): void {
    if (!entry.kind.startsWith('linkage.') || !('epoch' in entry)) return;
    const name = epochFolder(entry);
    const epoch: LoggedEpoch = this.epochs.get(name) ?? {
      declared: new Map(),
      batches: new Map(),
      isDestroyed: false,
    };
    this.epochs.set(name, epoch);
    if (entry.kind === 'linkage.share-destroyed') epoch.isDestroyed = true;
    if (entry.kind === 'linkage.declared') epoch.declared.set(entry.node, entry);
    if (entry.kind === 'linkage.batch' && entry.code === undefined) {
      const batch = { ...entry, kind: 'linkage-batch-evaluated', code: null } as const;
      epoch.batches.set(batchName(entry), batch);
    }
  }

  isDestroyed(name: string): boolean {
    return this.epochs.get(name)?.isDestroyed ?? false;
  }

  /** What a node declared, undefined before it did. */
  declaredBy(name: string, node: string): QuotaGrant | undefined {
    return this.epochs.get(name)?.declared.get(node);
  }

  grants(name: string): QuotaGrant[] {
    return [...(this.epochs.get(name)?.declared.values() ?? [])];
  }

  /** Whether the evaluation of a batch is in the log. */
  hasBatch(name: string, { node, sequence }: Pick<BatchEntry, 'node' | 'sequence'>): boolean {
    return this.epochs.get(name)?.batches.has(batchName({ node, sequence })) ?? false;
  }

  /** Batches that were evaluated, oldest first. */
  batches(name: string): BatchEntry[] {
    return [...(this.epochs.get(name)?.batches.values() ?? [])];
  }
}
