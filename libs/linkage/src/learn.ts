/**
 * Proposes a key set from labelled records: a greedy weighted cover (Chvatal 1979) of the true pairs, and of pairs recombined of them, by
 * keys that carry enough entropy and join (almost) no strangers in the training files.
 */
import { ConcordatError, domainDigest } from '#libs/bytes';
import { collisions, encodeColumns, pairColumns } from './columns.js';
import { COMPONENT_NAMES, type ComponentName, fieldsOf } from './component.js';
import { EntropyMeter, MIN_KEY_BITS } from './entropy.js';
import { type MatchKey, matchKey, PERSONAL_FIELDS } from './match-key.js';
import { secretStream } from './secret-stream.js';
import type { PersonField } from './standardise.js';
import {
  hasPair,
  type LabelledPeople,
  type PairSet,
  type TrainingPairs,
  trainingPairs,
} from './training-pairs.js';

export type { LabelledPeople } from './training-pairs.js';

export interface LearnOptions {
  readonly maxKeys: number;
  readonly minBits?: number;
  /** Fields no key may read. */
  readonly without?: readonly PersonField[];
  /** A field that every key must read. */
  readonly reading?: PersonField;
  /**
   * Every key must read forename, date of birth or identity number: surname and address alone also join the members of
   * one household. Training files without families (Febrl) do not show that harm.
   */
  readonly householdSafe?: boolean;
  /** Called for each key chosen. */
  readonly onKey?: () => void;
}

export interface LearnedKey {
  readonly key: MatchKey;
  readonly bits: number;
  /** Share of the true pairs that this key and those before it join. */
  readonly covered: number;
}

const MAX_COMPONENTS = 5;
/** Strangers a key may join in training, as a share of the pairs it joins rightly. */
const MAX_FALSE_SHARE = 0.0005;
/** What joining a pair once more is worth against joining it first: spare keys make up for errors the training lacks. */
const REPEAT_WORTH = 0.15;
/** A key that joins a smaller share of the pairs is not worth its labels. */
const LEAST_SHARE = 0.1;
/** Seeds the recombination: the same files give the same keys. */
const SEED = domainDigest('concordat/linkage/learn/v1');

const firstOfEach = ({ people, entities }: LabelledPeople) => {
  const seen = new Set<string>();
  return people.filter((_, row) => {
    const entity = entities[row] as string;
    const fresh = !seen.has(entity);
    seen.add(entity);
    return fresh;
  });
};

interface Candidate {
  readonly components: readonly ComponentName[];
  readonly bits: number;
  readonly joins: PairSet;
}

const readsAny = (components: readonly ComponentName[], fields: readonly PersonField[]): boolean =>
  components.some((name) => fieldsOf(name).some((field) => fields.includes(field)));

const intersection = (a: PairSet, b: PairSet): PairSet =>
  a.map((word, i) => word & (b[i] as number));

/** Sum of `worth` over a set. */
function worthOf(set: PairSet, worth: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < set.length; at++) {
    let rest = set[at] as number;
    while (rest !== 0) {
      const bit = rest & -rest;
      sum += worth[32 * at + 31 - Math.clz32(bit)] as number;
      rest ^= bit;
    }
  }
  return sum;
}

/** Minimal keys: tuples that reach `minBits` and fall below it without their last component. */
function candidates(
  files: readonly LabelledPeople[],
  pairs: TrainingPairs,
  options: LearnOptions,
): Candidate[] {
  const { minBits = MIN_KEY_BITS, without = [], reading, householdSafe = false } = options;
  const names = COMPONENT_NAMES.filter((name) => !readsAny([name], without));
  const allowed = (components: readonly ComponentName[]): boolean =>
    (!householdSafe || readsAny(components, PERSONAL_FIELDS)) &&
    (reading === undefined || readsAny(components, [reading]));
  const meter = new EntropyMeter(files.flatMap(firstOfEach));
  const agrees = names.map((name) => pairs.agreeOn(name));
  const least = LEAST_SHARE * pairs.weight.reduce((sum, weight) => sum + weight, 0);
  const found: Candidate[] = [];
  const extend = (chosen: readonly ComponentName[], joins: PairSet | null, from: number): void => {
    const taken = new Set(chosen.flatMap((name) => [...fieldsOf(name)]));
    for (let at = from; at < names.length; at++) {
      const name = names[at] as ComponentName;
      if (fieldsOf(name).some((field) => taken.has(field))) continue;
      const components = [...chosen, name];
      const bits = meter.bits(components);
      const isKey = bits >= minBits;
      if (isKey ? !allowed(components) : components.length >= MAX_COMPONENTS) continue;
      const agree = agrees[at] as PairSet;
      const next = joins ? intersection(joins, agree) : agree;
      if (worthOf(next, pairs.weight) < least) continue;
      if (isKey) found.push({ components, bits, joins: next });
      else extend(components, next, at + 1);
    }
  };
  extend([], null, 0);
  return found;
}

/** Pairs of different people in one file that a key joins. */
function strangersJoined(
  files: readonly LabelledPeople[],
  components: readonly ComponentName[],
): number {
  let strangers = 0;
  for (const { people, entities } of files) {
    const codes = new Map<string, number>();
    const entityColumn = Int32Array.from(entities, (entity) => {
      const code = codes.get(entity) ?? codes.size + 1;
      codes.set(entity, code);
      return code;
    });
    const [first, ...rest] = components.map((name) => encodeColumns(name, [people]));
    const tuple = rest.reduce(pairColumns, first as Int32Array[]);
    const same = pairColumns(tuple, [entityColumn]);
    strangers += collisions(tuple[0] as Int32Array).equal - collisions(same[0] as Int32Array).equal;
  }
  return strangers;
}

/** The cover so far: what each pair is still worth. */
class Cover {
  private readonly worth: Float64Array;
  private readonly covered: Uint8Array;

  constructor(private readonly pairs: TrainingPairs) {
    this.worth = Float64Array.from(pairs.weight);
    this.covered = new Uint8Array(pairs.real);
  }

  gain({ joins }: Candidate): number {
    return worthOf(joins, this.worth);
  }

  take({ joins }: Candidate): void {
    for (let i = 0; i < this.worth.length; i++) {
      if (!hasPair(joins, i)) continue;
      this.worth[i] = (this.worth[i] as number) * REPEAT_WORTH;
      if (i < this.pairs.real) this.covered[i] = 1;
    }
  }

  /** Share of the pairs in the files, by weight. */
  share(): number {
    const { real, weight } = this.pairs;
    let [sum, whole] = [0, 0];
    for (let i = 0; i < real; i++) {
      whole += weight[i] as number;
      sum += (weight[i] as number) * (this.covered[i] as number);
    }
    return sum / whole;
  }
}

/**
 * At most `maxKeys` keys of at least `minBits` bits, in the order chosen. Throws `no-labelled-pairs` when no person has
 * two records, `no-keys` when no tuple carries `minBits`, and `bad-max-keys`.
 */
export function learnKeys(files: readonly LabelledPeople[], options: LearnOptions): LearnedKey[] {
  if (!Number.isSafeInteger(options.maxKeys) || options.maxKeys < 1 || options.maxKeys > 64) {
    throw new ConcordatError('bad-max-keys', 'ask for 1 to 64 keys');
  }
  const pairs = trainingPairs(files, secretStream(SEED, 'recombined pairs'));
  if (pairs.real === 0) {
    throw new ConcordatError(
      'no-labelled-pairs',
      'no person has two records in one file: nothing to learn from',
    );
  }
  const cover = new Cover(pairs);
  const isHarmless = ({ components, joins }: Candidate): boolean => {
    let right = 0;
    for (let i = 0; i < pairs.real; i++) if (hasPair(joins, i)) right++;
    return strangersJoined(files, components) <= MAX_FALSE_SHARE * right;
  };
  // Gains only fall as keys are taken (the cover is submodular), so an old gain bounds the new one (Minoux 1978).
  let left = candidates(files, pairs, options).map((candidate) => ({
    candidate,
    bound: cover.gain(candidate),
  }));
  const learned: LearnedKey[] = [];
  while (learned.length < options.maxKeys) {
    left.sort((a, b) => b.bound - a.bound || b.candidate.bits - a.candidate.bits);
    let best: (typeof left)[number] | null = null;
    const harmful = new Set<(typeof left)[number]>();
    for (const one of left) {
      if (best && one.bound <= best.bound) break;
      one.bound = cover.gain(one.candidate);
      if (one.bound <= (best?.bound ?? 0)) continue;
      if (isHarmless(one.candidate)) best = one;
      else harmful.add(one);
    }
    if (!best) break;
    const { candidate } = best;
    cover.take(candidate);
    const { components, bits } = candidate;
    learned.push({ key: matchKey(components), bits, covered: cover.share() });
    left = left.filter((one) => one !== best && !harmful.has(one));
    options.onKey?.();
  }
  if (learned.length === 0) {
    throw new ConcordatError(
      'no-keys',
      'no key carries so many bits on these people: train on more of them, or ask for fewer bits',
    );
  }
  return learned;
}
