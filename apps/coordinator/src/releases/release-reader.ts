import type { GridTree } from '#libs/grid';

/** Injection token of the one `ReleaseReader` of the process. */
export const RELEASE_READER = Symbol('ReleaseReader');

/** What an agency did in the round of a release. `code` says why, when it is not `contributed`. */
interface AgencyCoverage {
  readonly id: string;
  readonly name: string;
  readonly status: 'contributed' | 'refused' | 'missing';
  readonly code?: string;
}

/** Everything about a release but its numbers. */
export interface ReleaseHeader {
  readonly id: string;
  readonly fingerprint: string;
  readonly query: {
    readonly measure: string;
    readonly categories: readonly string[];
    readonly periods: readonly string[];
    readonly resolution: number;
    readonly purpose: string;
    readonly rho: string;
  };
  readonly sentence: string;
  readonly grid: string;
  readonly gridHash: string;
  /** One released vector each, in the order that `ReleaseReader.columns` counts them. */
  readonly groups: readonly { readonly category: string; readonly period: string }[];
  readonly privacy: {
    readonly unit: string;
    readonly rho: string;
    readonly epsilon: number;
    readonly delta: number;
  };
  readonly agencies: readonly AgencyCoverage[];
  /** RFC 3339, UTC. */
  readonly releasedAt: string;
}

/** Columns of one group, indexed by node of the release's `GridTree`. `covered` is 1 where an agency reports. */
export interface GroupColumns {
  /** Measurement before the tree estimate. */
  readonly raw: Int32Array;
  readonly estimate: Float64Array;
  readonly variance: Float64Array;
  /** The additive map: whole, never negative, every family adds up. */
  readonly integer: Int32Array;
  readonly covered: Uint8Array;
}

/** Read access to published releases, newest first. A release never changes once listed. */
export interface ReleaseReader {
  list(): readonly ReleaseHeader[];
  header(id: string): ReleaseHeader | undefined;
  /** How many there are, now and whenever there are more, until `signal` is aborted. */
  growth(signal: AbortSignal): AsyncIterable<number>;
  tree(id: string): Promise<GridTree>;
  columns(id: string, group: number): Promise<GroupColumns>;
}
