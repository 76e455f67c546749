/** A whole linked count without the OPRF: outputs are stood in for by hashes, everything behind them is what runs. */
import { describe, expect, it } from '@jest/globals';
import { domainDigest, utf8ToBytes } from '#libs/bytes';
import { compareRational, rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
import { countMatchKey, decoyOf, relativesOf } from './count-keys.js';
import { noiseVariance, planRhoNoise } from './count-noise.js';
import {
  COUNTED_NUMBERS,
  type CountSet,
  countLinked,
  JOINED_SETS,
  makeCountSets,
  outputsOf,
} from './count-sets.js';
import { matchKeyInput } from './match-key.js';
import { estimateOverlap } from './overlap.js';
import { sha512 } from './ristretto.js';
import { secretStream } from './secret-stream.js';
import { type StandardPerson, standardise } from './standardise.js';
import { syntheticLists } from './synthetic-people.js';

const CONTEXT = { project: 'p', epoch: 'e' };
const NOISE = planRhoNoise(rational(1n, 2n), COUNTED_NUMBERS);
const seed = domainDigest('test', utf8ToBytes('pairwise'));
const BOTH = 700;
const plan = { both: BOTH, onlyLeft: 900, onlyRight: 1200, dependence: 1 };
const lists = syntheticLists(plan, seededRandom('count sets'));
const people = {
  left: lists.left.map(({ record }) => standardise(record)),
  right: lists.right.map(({ record }) => standardise(record)),
};

const sidesSets = (
  side: 'left' | 'right',
  list: readonly StandardPerson[],
  random: string,
): CountSet[] =>
  makeCountSets({
    side,
    seed,
    queryId: 'q',
    noise: NOISE,
    outputs: (key, kind) =>
      list.flatMap((person) => {
        const of = kind === 'people' ? person : decoyOf(person);
        const input = matchKeyInput(countMatchKey(key), of, CONTEXT);
        return input === null ? [] : [sha512(input)];
      }),
    relatives: relativesOf(list),
    random: seededRandom(random),
  });

const left = sidesSets('left', people.left, 'left');
const right = sidesSets('right', people.right, 'right');

describe('a linked count from label sets', () => {
  it('counts what two lists share, with known noise, and its interval holds the truth', () => {
    const counted = countLinked(left, right, NOISE, seededRandom('counter'));
    expect(counted.noiseVariance).toBe(noiseVariance(NOISE));
    const { naive, corrected, low, high } = estimateOverlap(counted);
    expect(naive).toBeLessThan(BOTH);
    expect(low).toBeLessThan(BOTH);
    expect(high).toBeGreaterThan(BOTH);
    expect(Math.abs(corrected - BOTH)).toBeLessThan(0.3 * BOTH);
  });

  it('moves with one more person by at most 1 a join, before noise', () => {
    const extra = standardise({
      forename: 'Zofia',
      surname: 'Nowak',
      dateOfBirth: '03/04/1981',
      postcode: 'BS1 4ST',
    });
    const more = sidesSets('left', [...people.left, extra], 'left');
    const one = countLinked(left, right, NOISE, seededRandom('same'));
    const two = countLinked(more, right, NOISE, seededRandom('same'));
    for (const [key, { shared, decoys }] of Object.entries(one.counts)) {
      const other = two.counts[key as keyof typeof two.counts];
      expect(Math.abs((other?.shared ?? 0) - shared)).toBeLessThanOrEqual(1);
      expect(Math.abs((other?.decoys ?? 0) - (decoys ?? 0))).toBeLessThanOrEqual(1);
    }
  });

  it('hides sizes: the node adds dummies of its own, others each time', () => {
    const again = sidesSets('left', people.left, 'another day');
    expect(again.map(({ labels }) => labels.length)).not.toEqual(
      left.map(({ labels }) => labels.length),
    );
    for (const { labels } of [...left, ...right]) expect(labels.length).toBeGreaterThan(200);
  });

  it('lets a counter compare nothing but the sets of one join: people with decoys of the same side least of all', () => {
    // namesakes born four years apart are a person and the decoy of another
    const born = ['1980-03-04', '1984-03-04'].map((dateOfBirth) =>
      standardise({ forename: 'Zofia', surname: 'Nowak', dateOfBirth, postcode: 'BS1 4ST' }),
    );
    const sides = { left: sidesSets('left', born, 'l'), right: sidesSets('right', born, 'r') };
    const all = Object.entries(sides).flatMap(([side, sets]) =>
      sets.map(({ key, kind, labels }) => ({
        side,
        join: `${key}/${kind}`,
        labels: new Set(labels),
      })),
    );
    const shared = (a: ReadonlySet<bigint>, b: ReadonlySet<bigint>) =>
      [...a].filter((label) => b.has(label)).length;
    all.forEach((a, i) => {
      for (const b of all.slice(i + 1)) {
        if (a.join !== b.join)
          expect([a.join, b.join, shared(a.labels, b.labels)]).toEqual([a.join, b.join, 0]);
        else expect(shared(a.labels, b.labels)).toBeGreaterThan(0);
      }
    });
  });

  it('refuses sets that are missing, doubled or of another key type', () => {
    const count = (a: readonly CountSet[], b: readonly CountSet[]) => () =>
      countLinked(a, b, NOISE, seededRandom('x'));
    const wrong = expect.objectContaining({ code: 'wrong-sets' });
    expect(count(left.slice(1), right)).toThrow(wrong);
    expect(count([left[1] as CountSet, ...left.slice(1)], right)).toThrow(wrong);
    expect(count(left, right.slice(0, 8))).toThrow(wrong);
    const told = left.map((set) => ({ ...set, relatives: 0 }));
    expect(count(told, right)).toThrow(wrong);
    const unsorted = left.map((set) => ({ ...set, labels: set.labels.slice().reverse() }));
    expect(count(unsorted, right)).toThrow(expect.objectContaining({ code: 'labels-not-sorted' }));
  });

  it('has as many numbers under noise as a person counts in', () => {
    expect(COUNTED_NUMBERS).toBe(2 * JOINED_SETS.length + 4);
    expect([outputsOf('left').length, outputsOf('right').length]).toEqual([8, 11]);
  });
});

describe('noise for a rho', () => {
  it.each([
    [1n, 8n],
    [1n, 2n],
    [3n, 1n],
    [7n, 1000000n],
  ])('of %d/%d spends no more than it, and nearly all', (num, den) => {
    const { scale } = planRhoNoise(rational(num, den), 26);
    // counts / (2 b^2) <= rho, that is counts den_b^2 den <= 2 num num_b^2
    const spent = rational(26n * scale.den * scale.den, 2n * scale.num * scale.num);
    expect(compareRational(spent, rational(num, den))).toBeLessThanOrEqual(0);
    expect(compareRational(spent, rational(num * 99n, den * 100n))).toBeGreaterThanOrEqual(0);
  });

  it('refuses a rho that is not positive', () => {
    expect(() => planRhoNoise(rational(0n), 26)).toThrow(
      expect.objectContaining({ code: 'bad-epsilon' }),
    );
  });
});

describe('a secret stream', () => {
  const words = (...use: string[]) => {
    const out = new Uint32Array(40);
    secretStream(seed, ...use).fillWords(out);
    return [...out];
  };
  it('comes again for the same secret and use, in any portions, and differs for another use', () => {
    expect(words('a', 'b')).toEqual(words('a', 'b'));
    expect(words('ab')).not.toEqual(words('a', 'b'));
    const stream = secretStream(seed, 'a', 'b');
    const parts = [new Uint32Array(7), new Uint32Array(33)];
    for (const part of parts) stream.fillWords(part);
    expect(parts.flatMap((part) => [...part])).toEqual(words('a', 'b'));
  });
});
