/** What is counted of two lists: eight key types by the fields they hold, forename, surname, date of birth and location. */

/** Key types by the fields they hold. */
export const COUNT_KEYS = ['FD', 'SD', 'DL', 'FSD', 'FDL', 'SDL', 'FSL', 'FSDL'] as const;
export type CountKey = (typeof COUNT_KEYS)[number];

/** What was counted of one key type; DP noise may have been added to each number. */
export interface KeyCount {
  /** Distinct labels shared by the two lists. */
  readonly shared: number;
  /** Distinct labels of the left and of the right list. */
  readonly left: number;
  readonly right: number;
  /** Labels the left list shares with the right list's decoys; null where none were made. */
  readonly decoys: number | null;
  /** Labels that several people of one list share: two of them differ in a field the key lacks. Null where not counted. */
  readonly relatives: { readonly left: number; readonly right: number } | null;
}

export interface OverlapCounts {
  readonly counts: Readonly<Partial<Record<CountKey, KeyCount>>>;
  /** Variance of the DP noise on every number of shared labels, decoys and relatives; 0 where exact. */
  readonly noiseVariance: number;
}
