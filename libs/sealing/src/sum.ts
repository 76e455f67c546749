/** What the coordinator does with masked vectors: sums them, and takes the sum of their masks off again. */
import { ConcordatError } from '#libs/bytes';
import { type NoisyCounts, noisyCountsFromWire } from '#libs/dp';
import { addAt } from './mask.js';

/**
 * Adds a masked vector to a sum, modulo 2^64: value i at `positions[i]`. Throws `wrong-length`, `unknown-node`; after the second the
 * sum is of no use.
 */
export function addMasked(
  sum: BigUint64Array,
  masked: BigUint64Array,
  positions: Int32Array,
): void {
  if (masked.length !== positions.length) {
    throw new ConcordatError('wrong-length', 'a masked vector has one value for each position');
  }
  addAt(sum, masked, positions);
}

/**
 * Sum of the answers: sum of the masked vectors less the sum of their masks, read as signed integers. A sum of counts fits 32 bits;
 * one that does not is of a mask that does not belong to its vector, and is refused whole (`sum-out-of-range`). Throws
 * `wrong-length`.
 */
export function unmask(maskedSum: BigUint64Array, maskSum: BigUint64Array): NoisyCounts {
  if (maskedSum.length !== maskSum.length) {
    throw new ConcordatError('wrong-length', 'the sums of vectors and of masks differ in length');
  }
  const masked = new Uint32Array(maskedSum.buffer, maskedSum.byteOffset, 2 * maskedSum.length);
  const masks = new Uint32Array(maskSum.buffer, maskSum.byteOffset, 2 * maskSum.length);
  const values = new Int32Array(maskedSum.length);
  let unfit = 0;
  for (let i = 0; i < values.length; i++) {
    const low = (masked[2 * i] as number) - (masks[2 * i] as number);
    const high = (masked[2 * i + 1] as number) - (masks[2 * i + 1] as number) - +(low < 0);
    const value = low | 0;
    values[i] = value;
    unfit |= (high | 0) ^ (value >> 31);
  }
  if (unfit !== 0) {
    throw new ConcordatError(
      'sum-out-of-range',
      'a mask does not belong to its vector: the sum is not one of counts',
    );
  }
  return noisyCountsFromWire(values);
}
