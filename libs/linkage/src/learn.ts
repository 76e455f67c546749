/**
 * Proposes a key set from labelled records: a greedy weighted cover (Chvatal 1979) of the true pairs by keys that carry
 * enough entropy and join (almost) no strangers in the training files.
 */
import { ConcordatError } from '#libs/bytes';
import { collisions, encodeColumns, pairColumns } from './columns.js';
import { COMPONENT_NAMES, type ComponentName, fieldsOf } from './component.js';
import { EntropyMeter, MIN_KEY_BITS } from './entropy.js';
import { type MatchKey, matchKey } from './match-key.js';
import type { PersonField, StandardPerson } from './standardise.js';

/** One file: standardised records and, in step, whom each is about. */
export interface LabelledPeople {
  readonly people: readonly StandardPerson[];
  readonly entities: readonly string[];
}

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

interface Pairs {
  /** Rows in the concatenation of all files. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly weight: Float64Array;
}

/** All pairs of records of one person within one file; a person with k records weighs k - 1, not k (k - 1) / 2. */
function truePairs(files: readonly LabelledPeople[]): Pairs {
  const left: number[] = [];
  const right: number[] = [];
  const weight: number[] = [];
  let offset = 0;
  for (const { entities } of files) {
    const rows = new Map<string, number[]>();
    entities.forEach((entity, row) => {
      rows.set(entity, [...(rows.get(entity) ?? []), offset + row]);
    });
    for (const same of rows.values()) {
      for (let i = 0; i < same.length; i++) {
        for (let j = i + 1; j < same.length; j++) {
          left.push(same[i] as number);
          right.push(same[j] as number);
          weight.push(2 / same.length);
        }
      }
    }
    offset += entities.length;
  }
  return {
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    weight: Float64Array.from(weight),
  };
}

const firstOfEach = ({ people, entities }: LabelledPeople): StandardPerson[] => {
  const seen = new Set<string>();
  return people.filter((_, row) => {
    const entity = entities[row] as string;
    const fresh = !seen.has(entity);
    seen.add(entity);
    return fresh;
  });
};

const agreement = (column: Int32Array, pairs: Pairs): Uint8Array =>
  Uint8Array.from(pairs.left, (row, i) => {
    const value = column[row] as number;
    return value !== 0 && value === column[pairs.right[i] as number] ? 1 : 0;
  });

interface Candidate {
  readonly components: readonly ComponentName[];
  readonly bits: number;
  readonly joins: Uint8Array;
}

/** Fields that tell the members of one household apart; surname and address do not. */
const PERSONAL_FIELDS: readonly PersonField[] = ['forename', 'dateOfBirth', 'idNumber'];
const readsAny = (components: readonly ComponentName[], fields: readonly PersonField[]): boolean =>
  components.some((name) => fieldsOf(name).some((field) => fields.includes(field)));

/** Minimal keys: tuples that reach `minBits` and fall below it without their last component. */
function candidates(
  files: readonly LabelledPeople[],
  pairs: Pairs,
  options: LearnOptions,
): Candidate[] {
  const { minBits = MIN_KEY_BITS, without = [], reading, householdSafe = false } = options;
  const names = COMPONENT_NAMES.filter((name) => !readsAny([name], without));
  const allowed = (components: readonly ComponentName[]): boolean =>
    (!householdSafe || readsAny(components, PERSONAL_FIELDS)) &&
    (reading === undefined || readsAny(components, [reading]));
  const meter = new EntropyMeter(files.flatMap(firstOfEach));
  const agrees = new Map(
    names.map((name) => {
      const columns = encodeColumns(
        name,
        files.map(({ people }) => people),
      );
      const all = Int32Array.from(columns.flatMap((column) => [...column]));
      return [name, agreement(all, pairs)] as const;
    }),
  );
  const found: Candidate[] = [];
  const extend = (
    chosen: readonly ComponentName[],
    joins: Uint8Array | null,
    from: number,
  ): void => {
    const taken = new Set(chosen.flatMap((name) => [...fieldsOf(name)]));
    for (let at = from; at < names.length; at++) {
      const name = names[at] as ComponentName;
      if (fieldsOf(name).some((field) => taken.has(field))) continue;
      const agree = agrees.get(name) as Uint8Array;
      const next = joins ? joins.map((bit, i) => bit & (agree[i] as number)) : agree;
      const components = [...chosen, name];
      const bits = meter.bits(components);
      if (bits < minBits && components.length < MAX_COMPONENTS) extend(components, next, at + 1);
      else if (bits >= minBits && allowed(components))
        found.push({ components, bits, joins: next });
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

/**
 * At most `maxKeys` keys of at least `minBits` bits, in the order chosen. Throws `no-labelled-pairs` when no person has
 * two records, and `bad-max-keys`.
 */
export function learnKeys(files: readonly LabelledPeople[], options: LearnOptions): LearnedKey[] {
  if (!Number.isSafeInteger(options.maxKeys) || options.maxKeys < 1 || options.maxKeys > 64) {
    throw new ConcordatError('bad-max-keys', 'ask for 1 to 64 keys');
  }
  const pairs = truePairs(files);
  if (pairs.left.length === 0) {
    throw new ConcordatError(
      'no-labelled-pairs',
      'no person has two records in one file: nothing to learn from',
    );
  }
  let left = candidates(files, pairs, options);
  const worth = Float64Array.from(pairs.weight);
  const whole = pairs.weight.reduce((sum, weight) => sum + weight, 0);
  const covered = new Uint8Array(worth.length);
  const learned: LearnedKey[] = [];
  const gain = ({ joins }: Candidate): number => {
    let sum = 0;
    for (let i = 0; i < joins.length; i++) if (joins[i] === 1) sum += worth[i] as number;
    return sum;
  };
  while (learned.length < options.maxKeys && left.length > 0) {
    const ranked = left.map((candidate) => ({ candidate, score: gain(candidate) }));
    ranked.sort((a, b) => b.score - a.score || b.candidate.bits - a.candidate.bits);
    const chosen = ranked.find(({ candidate }) => {
      const right = candidate.joins.reduce((sum, bit) => sum + bit, 0);
      const harmless = strangersJoined(files, candidate.components) <= MAX_FALSE_SHARE * right;
      if (!harmless) left = left.filter((other) => other !== candidate);
      return harmless;
    });
    if (!chosen || chosen.score <= 0) break;
    const { components, bits, joins } = chosen.candidate;
    for (let i = 0; i < joins.length; i++) {
      if (joins[i] !== 1) continue;
      covered[i] = 1;
      worth[i] = (worth[i] as number) * REPEAT_WORTH;
    }
    const share = pairs.weight.reduce((sum, weight, i) => sum + weight * (covered[i] as number), 0);
    learned.push({ key: matchKey(components), bits, covered: share / whole });
    left = left.filter((candidate) => candidate !== chosen.candidate);
    options.onKey?.();
  }
  return learned;
}
