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

/** Joined with the right side's people, or for some key types with its decoys. */
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

interface Joined {
  readonly key: CountKey;
  readonly kind: SetKind;
}
const PEOPLE: readonly Joined[] = COUNT_KEYS.map((key) => ({ key, kind: 'people' }));
const DECOYS: readonly Joined[] = DECOYED_KEYS.map((key) => ({ key, kind: 'decoys' }));

/** What is joined, in this order; either side sends one set for each. */
export const JOINED_SETS: readonly Joined[] = [...PEOPLE, ...DECOYS];

/** What a side has OPRF outputs made of: of its people, and on the right of their decoys. */
export const outputsOf = (side: Side): readonly Joined[] =>
  side === 'left' ? PEOPLE : JOINED_SETS;

/** Numbers in which one person of one agency counts, as a counter sees them: joins and sizes of 11 sets, 4 of relatives. */
export const COUNTED_NUMBERS = 2 * JOINED_SETS.length + RELATED_KEYS.length;

/** What a node makes its sets from. `seed` is what the two nodes share for this query, and nobody else. */
export interface CountSetSources {
  readonly side: Side;
  readonly seed: Uint8Array;
  readonly queryId: string;
  readonly noise: CountNoise;
  /** OPRF outputs (`outputsOf`) of the people asked about who have the key, one for each person. */
  readonly outputs: (key: CountKey, kind: SetKind) => readonly Uint8Array[];
  /** Labels that several of those people share who differ in another field (`relativesOf`). */
  readonly relatives: ReadonlyMap<CountKey, number>;
  /** The node's own randomness. */
  readonly random: RandomSource;
}

/**
 * Every join has labels of its own: a counter that could compare a side's people with the decoys of the same side would see one number
 * more, without noise.
 */
const scopeOf = (
  { seed, queryId }: Pick<CountSetSources, 'seed' | 'queryId'>,
  { key, kind }: Joined,
): LabelScope => {
  const { id } = countMatchKey(key);
  return { seed, queryId, keyId: kind === 'people' ? id : `${id}/decoys` };
};

/** How many dummies both sides add for the join of this set. The same at both, whatever their people are. */
const commonDummies = (sources: CountSetSources, set: Joined): BigUint64Array => {
  const stream = secretStream(sources.seed, 'dummies', sources.queryId, set.key, set.kind);
  const [count] = drawDummyCounts(sources.noise, 1, stream);
  return dummyLabels(count as number, scopeOf(sources, set));
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
  return JOINED_SETS.map((set) => {
    const { key, kind } = set;
    const scope = scopeOf(sources, set);
    // the left side's people meet the decoys of the right side
    const labels = makeLabels(
      sources.outputs(key, sources.side === 'left' ? 'people' : kind),
      scope,
    );
    const dummies = joined(commonDummies(sources, set), ownDummies(sources));
    const { labels: hidden } = withDummies({ keyId: scope.keyId, labels }, dummies);
    const isRelated = RELATED_KEYS.includes(key) && kind === 'people';
    const relatives = isRelated ? (sources.relatives.get(key) ?? 0) + laplace(sources) : null;
    return { key, kind, labels: hidden, relatives };
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
  if (left.length !== JOINED_SETS.length || right.length !== JOINED_SETS.length) {
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
        left: Math.max(0, here.labels.length - 2 * dummies),
        right: Math.max(0, there.labels.length - 2 * dummies),
        decoys: isDecoyed ? release(setOf(left, key, 'decoys'), setOf(right, key, 'decoys')) : null,
        relatives: isRelated ? { left: here.relatives ?? 0, right: there.relatives ?? 0 } : null,
      },
    ] as const;
  });
  return { counts: Object.fromEntries(counts), noiseVariance: noiseVariance(noise) };
}
