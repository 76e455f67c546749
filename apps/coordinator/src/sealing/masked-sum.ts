/** One group of a sealed round: the masked vectors of those who answered it, summed, less the sum of their masks. */
import { ConcordatError } from '#libs/bytes';
import type { NoisyCounts } from '#libs/dp';
import type { Group, Unmasked } from '#libs/protocol';
import { addMasked, BYTES_PER_VALUE, maskedFromBytes, unmask } from '#libs/sealing';
import type { VectorStore } from '../rounds/vector-store.js';

/** Where one contributor's values of the group lie: in which file, from which value on, at which nodes of the union's tree. */
export interface MaskedPart {
  readonly digest: string;
  readonly from: number;
  readonly embedding: Int32Array;
}

const values = async (
  vectors: VectorStore,
  digest: string,
  from: number,
  length: number,
): Promise<BigUint64Array> =>
  maskedFromBytes(await vectors.read(digest, from * BYTES_PER_VALUE, length * BYTES_PER_VALUE));

/**
 * The noisy sum over a tree of `nodeCount` nodes. Nobody, this process included, sees a summand of it. Throws `sum-missing` when the
 * auditor gave no sum for the group, `wrong-length`, and `sum-out-of-range` when a mask does not belong to its vector.
 */
export async function unmaskedSum(
  group: Group,
  parts: readonly MaskedPart[],
  nodeCount: number,
  { unmasked, vectors }: { readonly unmasked: Unmasked; readonly vectors: VectorStore },
): Promise<NoisyCounts> {
  const sum = unmasked.sums.find(
    ({ category, period }) => category === group.category && period === group.period,
  );
  if (!sum) throw new ConcordatError('sum-missing', 'the auditor summed no masks for this group');
  await vectors.require(sum.digest, { bytes: nodeCount * BYTES_PER_VALUE, bound: undefined });
  const total = new BigUint64Array(nodeCount);
  for (const { digest, from, embedding } of parts) {
    addMasked(total, await values(vectors, digest, from, embedding.length), embedding);
  }
  return unmask(total, await values(vectors, sum.digest, 0, nodeCount));
}
