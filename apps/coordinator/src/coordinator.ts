import type { Blobs, Journal } from '#libs/journal';
import type { BoxKey, TurnableKey } from '#libs/keystore';
import type { Logger } from '#libs/nest-kit';
import type { Entry } from '#libs/tlog';
import type { CoordinatorConfig } from './config.js';
import type { Federation } from './federation/federation.js';

/** Injection token of the one `Coordinator` of the process. */
export const COORDINATOR = Symbol('Coordinator');

/** What every service of the process works with: settings, keys, log, time. Opened once in `open-coordinator.ts`. */
export interface Coordinator {
  readonly config: CoordinatorConfig;
  readonly key: TurnableKey;
  readonly box: BoxKey;
  readonly federation: Federation;
  readonly journal: Journal;
  /** Parts of releases, served to everyone. */
  readonly blobs: Blobs;
  /** Questions and contributions that the log names, served to nobody. */
  readonly roundBlobs: Blobs;
  readonly logger: Logger;
  nowMs(): number;
  /** Resolves once the entry is durable. */
  append(entry: Entry): Promise<bigint>;
  close(): Promise<void>;
}
