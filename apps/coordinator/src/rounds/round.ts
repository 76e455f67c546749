import type { Receipt, RoundState, Signed, SignedAssertion, Standing } from '#libs/protocol';
import type { Category, Query } from '#libs/query';

/** A contribution that passed every check; its vector lies on disk under `receipt.payload.valueDigest`. */
export interface AcceptedContribution {
  readonly groups: readonly { readonly category: Category; readonly period: string }[];
  readonly receipt: Signed<Receipt>;
}

/** A round as the log tells it, with the files that its entries name. */
export interface Round {
  readonly state: RoundState;
  readonly query: Query;
  readonly assertion: SignedAssertion;
  /** By the digest that the round's standings name them by. */
  readonly contributions: ReadonlyMap<string, AcceptedContribution>;
}

/** What one agency did in a round. */
export type Party = { readonly agency: string } & (
  | Exclude<Standing, { status: 'answered' }>
  | { readonly status: 'answered'; readonly contribution: AcceptedContribution }
);

/** Every agency asked, in the order of the manifest. */
export const partiesOf = (
  standings: RoundState['standings'],
  contributions: Round['contributions'],
): Party[] =>
  [...standings].map(([agency, standing]): Party => {
    if (standing.status !== 'answered') return { agency, ...standing };
    const contribution = contributions.get(standing.contribution);
    if (!contribution) throw new Error('an accepted contribution was not loaded');
    return { agency, status: 'answered', contribution };
  });
