/**
 * The counter's work: how many labels two sets share, by one merge of the sorted sets. It gets every key type as a separate
 * set, so it never holds a graph of who shares what.
 */
import { ConcordatError } from '#libs/bytes';
import { checkLabelSpace, distinctSorted } from './label.js';

/** Labels of one key type from one node: strictly ascending. */
export interface LabelSet {
  readonly keyId: string;
  readonly labels: BigUint64Array;
}

const checkAscending = ({ labels }: LabelSet): void => {
  for (let i = 1; i < labels.length; i++) {
    if ((labels[i - 1] as bigint) >= (labels[i] as bigint)) {
      throw new ConcordatError(
        'labels-not-sorted',
        'a label set is strictly ascending: no order of records, no repeats',
      );
    }
  }
};

/** Size of the intersection. Throws `key-mismatch`, `labels-not-sorted`, `labels-too-many`. */
export function countShared(left: LabelSet, right: LabelSet): number {
  if (left.keyId !== right.keyId) {
    throw new ConcordatError('key-mismatch', 'only sets of the same key type are joined');
  }
  checkLabelSpace(left.labels.length, right.labels.length);
  checkAscending(left);
  checkAscending(right);
  let shared = 0;
  let i = 0;
  let j = 0;
  while (i < left.labels.length && j < right.labels.length) {
    const a = left.labels[i] as bigint;
    const b = right.labels[j] as bigint;
    if (a === b) shared++;
    if (a <= b) i++;
    if (b <= a) j++;
  }
  return shared;
}

/** A set with dummies merged in, to be sent to the counter. */
export const withDummies = ({ keyId, labels }: LabelSet, dummies: BigUint64Array): LabelSet => {
  const all = new BigUint64Array(labels.length + dummies.length);
  all.set(labels);
  all.set(dummies, labels.length);
  return { keyId, labels: distinctSorted(all) };
};

/**
 * One record per person, so that one person moves a count of any key by at most 1: the last row of each person reference, in the order of
 * their first rows.
 */
export function onePerPerson<T>(records: readonly T[], person: (record: T) => string): T[] {
  return [...new Map(records.map((record) => [person(record), record])).values()];
}
