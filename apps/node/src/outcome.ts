/** What comes of one question at one agency. */
import type { QueryGroup } from '#libs/query';
import type { Released } from './release.js';

/** One accepted answer: what `receipt.ts` writes the receipt from. */
export interface Answer extends Released {
  readonly groups: readonly QueryGroup[];
  readonly levelVariances: readonly string[];
}

interface Refused {
  readonly code: string;
  readonly constraint: string | null;
}

export type Outcome =
  | { readonly status: 'answered'; readonly answer: Answer }
  | { readonly status: 'refused'; readonly refused: Refused }
  /** The question waits for a person; asked again after they agreed, it is answered. */
  | { readonly status: 'held'; readonly until: string };

export const refused = (code: string, constraint: string | null = null): Outcome => ({
  status: 'refused',
  refused: { code, constraint },
});
