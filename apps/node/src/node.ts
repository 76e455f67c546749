import type { RandomSource } from '#libs/dp';
import type { GridTree, Resolution } from '#libs/grid';
import type { Blobs, Journal } from '#libs/journal';
import type { BoxKeyRing, PinnedManifest, ProcessKeys, TurnableKey } from '#libs/keystore';
import type { Ledger } from '#libs/ledger';
import type { Logger } from '#libs/nest-kit';
import type { PolicySet } from '#libs/policy';
import type { Manifest, ManifestAgency } from '#libs/protocol';
import type { Records } from '#libs/records';
import type { Entry } from '#libs/tlog';
import type { NodeConfig } from './config.js';
import type { HoldBook } from './requests/hold-book.js';

/** Injection token of the one `Node` of the process. */
export const NODE = Symbol('Node');

/** Everything a node works with. Opened once in `open-node.ts`; randomness and time are members so that tests give their own. */
export interface Node {
  readonly config: NodeConfig;
  readonly keys: ProcessKeys;
  /** Those of `keys`. */
  readonly key: TurnableKey;
  readonly box: BoxKeyRing;
  /** 32 bytes that the masks of sealed answers come from. */
  readonly sealSecret: Uint8Array;
  /** Where the auditor takes seeds; undefined when this node was not told. */
  readonly auditorUrl: string | undefined;
  readonly pinned: Pick<PinnedManifest, 'extend' | 'named'>;
  /** The manifest in force, its hash and this agency in it: read anew each time, since another may follow. */
  readonly manifest: Manifest;
  readonly manifestHash: string;
  readonly agency: ManifestAgency;
  readonly policies: PolicySet;
  readonly policyDigest: string;
  readonly journal: Journal;
  readonly logOrigin: string;
  readonly ledger: Ledger;
  /** The questions that wait, or waited, for a person. */
  readonly holds: HoldBook;
  readonly blobs: Blobs;
  readonly records: Records;
  readonly random: RandomSource;
  readonly logger: Logger;
  nowMs(): number;
  /** Tree of the agency's public domain down to a resolution, built once. */
  tree(finest: Resolution): GridTree;
  /** Appends durably, folds the entry into ledger and holds, returns its index. */
  append(entry: Entry): Promise<bigint>;
  /** Runs work about one question after all earlier work about it: two askings at once give one answer. */
  inTurn<T>(question: string, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
