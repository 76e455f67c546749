import type { RandomSource } from '#libs/dp';
import type { GridTree, Resolution } from '#libs/grid';
import type { Blobs, Journal } from '#libs/journal';
import type { SigningKey } from '#libs/keystore';
import type { Ledger } from '#libs/ledger';
import type { Logger } from '#libs/nest-kit';
import type { PolicySet } from '#libs/policy';
import type { Manifest, ManifestAgency } from '#libs/protocol';
import type { Records } from '#libs/records';
import type { Entry } from '#libs/tlog';
import type { NodeConfig } from './config.js';

/** Injection token of the one `Node` of the process. */
export const NODE = Symbol('Node');

/** Everything a node works with. Opened once in `open-node.ts`; randomness and time are members so that tests give their own. */
export interface Node {
  readonly config: NodeConfig;
  readonly key: SigningKey;
  readonly manifest: Manifest;
  readonly manifestHash: string;
  readonly agency: ManifestAgency;
  readonly policies: PolicySet;
  readonly policyDigest: string;
  readonly journal: Journal;
  readonly logOrigin: string;
  readonly ledger: Ledger;
  readonly blobs: Blobs;
  readonly records: Records;
  readonly random: RandomSource;
  readonly logger: Logger;
  nowMs(): number;
  /** Tree of the agency's public domain down to a resolution, built once. */
  tree(finest: Resolution): GridTree;
  /** Appends durably, folds the entry into the ledger, returns its index. */
  append(entry: Entry): Promise<bigint>;
  close(): Promise<void>;
}
