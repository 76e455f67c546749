import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import { standardise } from './standardise.js';
import { hasPair, trainingPairs } from './training-pairs.js';

/** Half of the pairs have other forenames, the other half other dates of birth: never both, as files go. */
const files = [
  {
    people: Array.from({ length: 400 }, (_, row) => {
      const [pair, isSecond] = [row >> 1, row % 2 === 1];
      return standardise({
        forename: isSecond && pair % 2 === 0 ? 'Zoe' : 'Ann',
        surname: 'Hart',
        dateOfBirth: isSecond && pair % 2 === 1 ? '1990-05-06' : '1980-02-03',
      });
    }),
    entities: Array.from({ length: 400 }, (_, row) => `${row >> 1}`),
  },
];
const pairs = trainingPairs(files, seededRandom('pairs'));
const indices = Array.from(pairs.weight, (_, pair) => pair);
const real = indices.slice(0, pairs.real);
const recombined = indices.slice(pairs.real);

describe('training pairs', () => {
  it('are those of the files, and recombined ones that weigh as much together', () => {
    const sum = (some: readonly number[]) =>
      some.reduce((total, pair) => total + (pairs.weight[pair] as number), 0);
    expect(real).toHaveLength(200);
    expect(sum(real)).toBe(200);
    expect(sum(recombined)).toBeCloseTo(200, 9);
  });

  it('agree as the records do, and recombined ones as one of two pairs does in each group of fields', () => {
    const [forename, surname, date] = (['forename', 'surname', 'date'] as const).map((name) =>
      pairs.agreeOn(name),
    ) as [Uint32Array, Uint32Array, Uint32Array];
    for (const pair of real) {
      expect([hasPair(forename, pair), hasPair(date, pair)]).toEqual([
        pair % 2 === 1,
        pair % 2 === 0,
      ]);
    }
    for (const pair of indices) expect(hasPair(surname, pair)).toBe(true);
    // one in eight disagrees in both, which no pair of the files does (1e-6 below 60 of 800)
    const both = recombined.filter((pair) => !hasPair(forename, pair) && !hasPair(date, pair));
    expect(both.length).toBeGreaterThan(60);
    expect(both.length).toBeLessThan(150);
    // names err together: what swaps one swaps the other
    const sounds = pairs.agreeOn('forename-sound');
    for (const pair of recombined) expect(hasPair(sounds, pair)).toBe(hasPair(forename, pair));
  });

  it('of somebody with three records weigh as two', () => {
    const people = [0, 1, 2].map(() => standardise({ surname: 'Hart' }));
    const three = trainingPairs([{ people, entities: ['a', 'a', 'a'] }], seededRandom('three'));
    expect(three.real).toBe(3);
    expect(three.weight.slice(0, 3).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(2, 9);
  });
});
