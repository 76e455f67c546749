/**
 * One node's part of a linked count, and what a counter makes of two parts. A part is a label set for each counted key type,
 * with dummies that both nodes add alike (they hide how many labels are shared) and dummies of the node's own (they hide how many
 * it has), and the numbers of relatives with noise. The counter subtracts known means and adds noise of its own.
 */
import { ConcordatError } from '#libs/bytes';
import { discreteLaplace, type RandomSource } from '#libs/dp';
import { countMatchKey, DECOYED_KEYS, RELATED_KEYS } from './count-keys.js';
import { type CountNoise, drawDummyCounts, noiseVariance, releaseCounts } from './count-noise.js';
import { countShared, withDummies } from './join.js';
import { distinctSorted, dummyLabels, type LabelScope, makeLabels } from './label.js';
import { COUNT_KEYS, type CountKey, type OverlapCounts } from './overlap-counts.js';
import { secretStream } from './secret-stream.js';

/** `people`, or for some key types of the right side the decoys too. */
export type SetKind = 'people' | 'decoys';

/** One label set. Each travels in a box of its own. */
export interface CountSet {
  readonly key: CountKey;
  readonly kind: SetKind;
  /** Strictly ascending. */
  readonly labels: BigUint64Array;
  /** Noisy number of labels that several of the node's people share; null where the key type needs none, and for decoys. */
  readonly relatives: number | null;
}

export type Side = 'left' | 'right';

/** Every set that a side sends, in this order. */
export const setsOf = (
  side: Side,
): readonly { readonly key: CountKey; readonly kind: SetKind }[] => [
  ...COUNT_KEYS.map((key) => ({ key, kind: 'people' as const })),
  ...(side === 'right' ? DECOYED_KEYS.map((key) => ({ key, kind: 'decoys' as const })) : []),
];

/** Numbers in which one person of one agency counts, as a counter sees them: joins and sizes of 11 sets, 4 of relatives. */
export const COUNTED_NUMBERS = 2 * (COUNT_KEYS.length + DECOYED_KEYS.length) + RELATED_KEYS.length;

/** What a node makes its sets from. `seed` is what the two nodes share for this query, and nobody else. */
export interface CountSetSources {
  readonly side: Side;
  readonly seed: Uint8Array;
  readonly queryId: string;
  readonly noise: CountNoise;
  /** OPRF outputs of the people asked about who have the key, one for each person. */
  readonly outputs: (key: CountKey, kind: SetKind) => readonly Uint8Array[];
  /** Labels that several of those people share who differ in another field (`relativesOf`). */
  readonly relatives: ReadonlyMap<CountKey, number>;
  /** The node's own randomness. */
  readonly random: RandomSource;
}

const scopeOf = (
  { seed, queryId }: Pick<CountSetSources, 'seed' | 'queryId'>,
  key: CountKey,
): LabelScope => ({ seed, queryId, keyId: countMatchKey(key).id });

/** How many dummies both sides add for the join of this set. The same at both, whatever their people are. */
const commonDummies = (sources: CountSetSources, key: CountKey, kind: SetKind): BigUint64Array => {
  const stream = secretStream(sources.seed, 'dummies', sources.queryId, key, kind);
  const [count] = drawDummyCounts(sources.noise, 1, stream);
  const scope = scopeOf(sources, key);
  return dummyLabels(count as number, { ...scope, keyId: `${scope.keyId}/${kind}` });
};

/** Random labels of nobody: with 64 bits they meet no others. */
const ownDummies = ({ noise, random }: CountSetSources): BigUint64Array => {
  const [count] = drawDummyCounts(noise, 1, random);
  const words = new Uint32Array(2 * (count as number));
  random.fillWords(words);
  return new BigUint64Array(words.buffer);
};

const joined = (...sets: readonly BigUint64Array[]): BigUint64Array => {
  const all = new BigUint64Array(sets.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const set of sets) {
    all.set(set, at);
    at += set.length;
  }
  return distinctSorted(all);
};

const laplace = ({ noise, random }: CountSetSources): number => {
  const out = new Int32Array(1);
  discreteLaplace({ scale: noise.scale }).sampleInto(out, random);
  return out[0] as number;
};

/** Everything one side sends to the counter. */
export function makeCountSets(sources: CountSetSources): CountSet[] {
  return setsOf(sources.side).map(({ key, kind }) => {
    const scope = scopeOf(sources, key);
    const labels = makeLabels(sources.outputs(key, kind), scope);
    // the left side's people meet the right side's people and its decoys: dummies for both joins
    const isDecoyed = sources.side === 'left' && DECOYED_KEYS.includes(key);
    const common = joined(
      commonDummies(sources, key, kind),
      ...(isDecoyed ? [commonDummies(sources, key, 'decoys')] : []),
    );
    const { labels: hidden } = withDummies(
      { keyId: scope.keyId, labels },
      joined(common, ownDummies(sources)),
    );
    const counted = kind === 'people' ? sources.relatives.get(key) : undefined;
    const relatives = RELATED_KEYS.includes(key) && kind === 'people';
    return {
      key,
      kind,
      labels: hidden,
      relatives: relatives ? (counted ?? 0) + laplace(sources) : null,
    };
  });
}

const setOf = (sets: readonly CountSet[], key: CountKey, kind: SetKind): CountSet => {
  const found = sets.filter((set) => set.key === key && set.kind === kind);
  const [set] = found;
  if (!set || found.length > 1) {
    throw new ConcordatError('wrong-sets', 'an answer has every counted key type exactly once');
  }
  return set;
};

/**
 * The counter's work: joins the sets of the two sides key type by key type, takes known means off and adds noise from `random`.
 * What it returns may be published. Throws `wrong-sets`, `labels-not-sorted`, `labels-too-many`.
 */
export function countLinked(
  left: readonly CountSet[],
  right: readonly CountSet[],
  noise: CountNoise,
  random: RandomSource,
): OverlapCounts {
  if (left.length !== setsOf('left').length || right.length !== setsOf('right').length) {
    throw new ConcordatError('wrong-sets', 'an answer has every counted key type exactly once');
  }
  const release = (a: CountSet, b: CountSet): number => {
    const keyId = a.key;
    const shared = countShared({ keyId, labels: a.labels }, { keyId: b.key, labels: b.labels });
    return releaseCounts([shared], noise, random)[0] as number;
  };
  const counts = COUNT_KEYS.map((key) => {
    const here = setOf(left, key, 'people');
    const there = setOf(right, key, 'people');
    const isDecoyed = DECOYED_KEYS.includes(key);
    const isRelated = RELATED_KEYS.includes(key);
    if (isRelated !== (here.relatives !== null) || isRelated !== (there.relatives !== null)) {
      throw new ConcordatError('wrong-sets', 'relatives are told of their key types, no others');
    }
    const dummies = noise.dummyMean;
    return [
      key,
      {
        shared: release(here, there),
        left: Math.max(0, here.labels.length - (isDecoyed ? 3 : 2) * dummies),
        right: Math.max(0, there.labels.length - 2 * dummies),
        decoys: isDecoyed ? release(here, setOf(right, key, 'decoys')) : null,
        relatives: isRelated ? { left: here.relatives ?? 0, right: there.relatives ?? 0 } : null,
      },
    ] as const;
  });
  return { counts: Object.fromEntries(counts), noiseVariance: noiseVariance(noise) };
}
