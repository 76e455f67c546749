import type { Receipt, Signed, SignedAssertion } from '#libs/protocol';
import type { Category, Query } from '#libs/query';

/**
 * What one agency did in a round. When the round closes `waiting` becomes `silent`, and `held`, where a person has not decided yet,
 * becomes `refused` with the code `approval-needed`.
 */
export type Party = { readonly agency: string } & (
  | { readonly status: 'waiting' | 'held' }
  | { readonly status: 'silent' }
  | { readonly status: 'refused' | 'rejected'; readonly code: string }
  | { readonly status: 'answered'; readonly contribution: AcceptedContribution }
);

/** A contribution that passed every check; its vector lies on disk under `receipt.payload.valueDigest`. */
interface AcceptedContribution {
  readonly groups: readonly { readonly category: Category; readonly period: string }[];
  readonly receipt: Signed<Receipt>;
}

type Phase = 'collecting' | 'composing' | 'released' | 'aborted';

export interface Round {
  readonly id: string;
  readonly query: Query;
  readonly fingerprint: string;
  readonly assertion: SignedAssertion;
  readonly openedAtMs: number;
  readonly deadlineMs: number;
  readonly parties: Map<string, Party>;
  phase: Phase;
  /** Id of the release once there is one. */
  release: string | null;
  /** Why an aborted round was aborted. */
  code: string | null;
}
