import type { Blobs } from '#libs/journal';
import type { BoxKey, PinnedManifest, SigningKey } from '#libs/keystore';
import type { Logger } from '#libs/nest-kit';
import type { SealBook, SealEvent } from '#libs/protocol';
import type { AgencyTrees } from './agency-trees.js';

/** Injection token of the one `Sealing` of the process. */
export const SEALING = Symbol('Sealing');

/** What the auditor keeps of sealed rounds, and with which keys. Opened once in `open-sealing.ts`. */
export interface Sealing {
  readonly id: string;
  /** The manifests that this process believes: the one in force, and those before it by their hash. */
  readonly pinned: Pick<PinnedManifest, 'manifest' | 'named'>;
  readonly key: SigningKey;
  readonly box: BoxKey;
  /** The fold of the log; what it allows is decided by `sealFault`. */
  readonly book: SealBook;
  /** Signed seeds as they came, each in its box, until the round's end. */
  readonly seeds: Blobs;
  /** Sums of masks, and what was signed about them. */
  readonly sums: Blobs;
  readonly trees: AgencyTrees;
  readonly logger: Logger;
  nowMs(): number;
  /** Appends durably and folds in. */
  append(event: SealEvent): Promise<void>;
  /** One after another: what was checked against the book still holds when it is logged. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** What every entry about a round begins with. */
export const about = ({ id, nowMs }: Sealing, round: string) => ({
  at: new Date(nowMs()).toISOString(),
  actor: id,
  round,
});
