/**
 * What keys are learned from: the pairs of records of one person in labelled files and, for errors that have not met in one person
 * yet, pairs recombined of two of them (the crossover of Holland 1975): a key set that covers only what has been seen together misses more
 * of what is to come.
 */
import type { RandomSource } from '#libs/dp';
import { encodeColumns } from './columns.js';
import { type ComponentName, fieldsOf } from './component.js';
import { PERSON_FIELDS, type PersonField, type StandardPerson } from './standardise.js';

/** One file: standardised records and, in step, whom each is about. */
export interface LabelledPeople {
  readonly people: readonly StandardPerson[];
  readonly entities: readonly string[];
}

/** A set of pairs, one bit each. */
export type PairSet = Uint32Array;

export interface TrainingPairs {
  /** Pairs in the files; those behind them are recombined. */
  readonly real: number;
  /** Weight of each pair; recombined ones weigh as much as real ones together. */
  readonly weight: Float64Array;
  /** The pairs that agree on a component. */
  agreeOn(component: ComponentName): PairSet;
}

export const hasPair = (set: PairSet, pair: number): boolean =>
  (((set[pair >>> 5] as number) >>> (pair & 31)) & 1) === 1;

/** Fields that err together: swapped names, swapped lines of an address. The others err alone. */
const FIELDS_TOGETHER: readonly (readonly PersonField[])[] = [
  ['forename', 'surname'],
  ['street', 'locality'],
];
/** The bit of a choice that decides on the fields a component reads and those that err with them. */
const choiceBit = (component: ComponentName): number => {
  const field = fieldsOf(component)[0] as PersonField;
  const together = FIELDS_TOGETHER.find((group) => group.includes(field));
  return PERSON_FIELDS.indexOf(together?.[0] ?? field);
};

const RECOMBINED_PER_PAIR = 4;
const MOST_RECOMBINED = 60_000;

/** All pairs of records of one person within one file; a person with k records weighs k - 1, not k (k - 1) / 2. */
function truePairs(files: readonly LabelledPeople[]) {
  const left: number[] = [];
  const right: number[] = [];
  const weight: number[] = [];
  let offset = 0;
  for (const { entities } of files) {
    const rows = new Map<string, number[]>();
    entities.forEach((entity, row) => {
      const same = rows.get(entity);
      if (same) same.push(offset + row);
      else rows.set(entity, [offset + row]);
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
  return { left, right, weight };
}

/** Draws pairs in proportion to their weights. */
function pairDrawer(weight: readonly number[], random: RandomSource): () => number {
  const sums = new Float64Array(weight.length);
  let whole = 0;
  weight.forEach((one, i) => {
    whole += one;
    sums[i] = whole;
  });
  const word = new Uint32Array(1);
  return () => {
    random.fillWords(word);
    const wanted = ((word[0] as number) / 2 ** 32) * whole;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Each recombined pair takes each group of fields from one of two pairs, chosen by a bit of `choice`. */
function parentsOf(weight: readonly number[], random: RandomSource) {
  const count = Math.min(RECOMBINED_PER_PAIR * weight.length, MOST_RECOMBINED);
  const draw = pairDrawer(weight, random);
  const one = Int32Array.from({ length: count }, draw);
  const other = Int32Array.from({ length: count }, draw);
  const choice = new Uint32Array(count);
  random.fillWords(choice);
  return { count, one, other, choice };
}

/** The pairs of these files, as many as there are, and pairs recombined of them. */
export function trainingPairs(
  files: readonly LabelledPeople[],
  random: RandomSource,
): TrainingPairs {
  const { left, right, weight } = truePairs(files);
  const real = left.length;
  const whole = weight.reduce((sum, one) => sum + one, 0);
  const parents = parentsOf(weight, random);
  const lists = files.map(({ people }) => people);
  return {
    real,
    weight: Float64Array.from({ length: real + parents.count }, (_, i) =>
      i < real ? (weight[i] as number) : whole / parents.count,
    ),
    agreeOn(component) {
      const values = encodeColumns(component, lists).flatMap((column) => [...column]);
      const set = new Uint32Array(Math.ceil((real + parents.count) / 32));
      const add = (pair: number): void => {
        set[pair >>> 5] = (set[pair >>> 5] as number) | (1 << (pair & 31));
      };
      for (let i = 0; i < real; i++) {
        const value = values[left[i] as number];
        if (value !== 0 && value === values[right[i] as number]) add(i);
      }
      const bit = choiceBit(component);
      for (let i = 0; i < parents.count; i++) {
        const isOther = (((parents.choice[i] as number) >>> bit) & 1) === 1;
        if (hasPair(set, (isOther ? parents.other : parents.one)[i] as number)) add(real + i);
      }
      return set;
    },
  };
}
