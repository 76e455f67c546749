import { ConcordatError } from '#libs/bytes';

declare const exactBrand: unique symbol;
declare const noisyBrand: unique symbol;

/** True counts of one vector of cells. Nothing that sends anything accepts them. */
export type ExactCounts = Int32Array & { readonly [exactBrand]: true };

/** Counts with noise: the only ones that may leave a node. Made by a mechanism or received from one. */
export type NoisyCounts = Int32Array & { readonly [noisyBrand]: true };

/**
 * Brands counts as exact. An Int32Array is taken over as it is (the caller gives it up), any other list is copied.
 * Throws `bad-count` for anything but integers from 0 to 2^31 - 1.
 */
export function exactCounts(counts: ArrayLike<number>): ExactCounts {
  const vector = counts instanceof Int32Array ? counts : new Int32Array(counts.length);
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] ?? -1;
    if (!Number.isInteger(count) || count < 0 || count > 0x7fffffff) {
      throw new ConcordatError('bad-count', 'a count is an integer from 0 to 2147483647');
    }
    vector[i] = count;
  }
  return vector as ExactCounts;
}

/**
 * Brands a vector that arrived from another process as noisy: for the receiving side (coordinator, auditor), which never
 * holds exact counts. The bytes were checked to be int32 by whoever decoded them.
 */
export const noisyCountsFromWire = (received: Int32Array): NoisyCounts => received as NoisyCounts;

/** For the mechanisms of this library only; not part of its public face. */
export const noisyCountsOfMechanism = (released: Int32Array): NoisyCounts =>
  released as NoisyCounts;
