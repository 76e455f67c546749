/**
 * Labels: what a counter sees of a person under one key in one query. The 64-byte OPRF outputs stay at the node; for every
 * query each key type is relabelled under a seed that the two nodes share and the counter lacks, so labels of two queries,
 * or of two key types in one, cannot be compared.
 */
import { ConcordatError, domainDigest, utf8ToBytes } from '#libs/bytes';
import { hmacSha512 } from './ristretto.js';

/** Largest chance, as a power of two, that two different outputs of a join truncate to one label. */
const MAX_COLLISION_BITS = -20;

/** What a relabelling is bound to. `seed`: 32 secret bytes of the two nodes, made for this query. */
export interface LabelScope {
  readonly seed: Uint8Array;
  readonly queryId: string;
  readonly keyId: string;
}

const scopeKey = (purpose: string, { seed, queryId, keyId }: LabelScope): Uint8Array => {
  if (seed.length !== 32) throw new ConcordatError('bad-seed', 'a pairwise seed has 32 bytes');
  return domainDigest(
    `concordat/linkage/${purpose}/v1`,
    seed,
    utf8ToBytes(queryId),
    utf8ToBytes(keyId),
  );
};

const labelOf = (key: Uint8Array, message: Uint8Array): bigint => {
  const mac = hmacSha512(key, message);
  return new DataView(mac.buffer, mac.byteOffset).getBigUint64(0);
};

/**
 * The labels of OPRF outputs, distinct and in ascending order: the order tells nothing of the order of the records, and a
 * value that several of a node's people share shows once, so there is no frequency to attack.
 */
export function makeLabels(outputs: readonly Uint8Array[], scope: LabelScope): BigUint64Array {
  const key = scopeKey('label', scope);
  return distinctSorted(BigUint64Array.from(outputs, (output) => labelOf(key, output)));
}

/** `count` labels that both holders of the seed make alike and that belong to nobody. */
export function dummyLabels(count: number, scope: LabelScope): BigUint64Array {
  const key = scopeKey('dummy', scope);
  return distinctSorted(
    BigUint64Array.from({ length: count }, (_, i) => labelOf(key, utf8ToBytes(`${i}`))),
  );
}

/** Ascending, each value once. Sorts `labels` in place. */
export function distinctSorted(labels: BigUint64Array): BigUint64Array {
  labels.sort();
  let kept = 0;
  for (const label of labels) {
    if (kept === 0 || labels[kept - 1] !== label) labels[kept++] = label;
  }
  return labels.slice(0, kept);
}

/**
 * Refuses sets so large that 64-bit labels of different people might meet: P <= left * right / 2^64 must stay under 2^-20
 * (4 million people on either side). Throws `labels-too-many`.
 */
export function checkLabelSpace(left: number, right: number): void {
  if (Math.log2(Math.max(1, left)) + Math.log2(Math.max(1, right)) - 64 > MAX_COLLISION_BITS) {
    throw new ConcordatError(
      'labels-too-many',
      'too many people for 64-bit labels: ask area by area',
    );
  }
}
