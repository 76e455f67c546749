import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
import { drawDummyCounts, noiseVariance, planCountNoise, releaseCounts } from './count-noise.js';
import { countShared, onePerPerson, withDummies } from './join.js';
import { checkLabelSpace, distinctSorted, dummyLabels } from './label.js';

const KEY = 'k';
const setOf = (values: Iterable<bigint>) => ({
  keyId: KEY,
  labels: distinctSorted(BigUint64Array.from(values)),
});

describe('join', () => {
  const values = fc.array(fc.bigInt({ min: 0n, max: 60n }), { maxLength: 60 });

  it('counts what sets share, and one person moves it by at most 1', () => {
    fc.assert(
      fc.property(values, values, fc.bigInt({ min: 0n, max: 60n }), (a, b, person) => {
        const there = new Set(b);
        const shared = countShared(setOf(a), setOf(b));
        expect(shared).toBe([...new Set(a)].filter((value) => there.has(value)).length);
        expect(Math.abs(countShared(setOf([...a, person]), setOf(b)) - shared)).toBeLessThanOrEqual(
          1,
        );
      }),
    );
  });

  it('refuses other keys, unsorted or repeated labels, and sets too large for 64 bits', () => {
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => countShared(setOf([1n]), { ...setOf([1n]), keyId: 'other' })).toThrow(
      code('key-mismatch'),
    );
    for (const labels of [
      [2n, 1n],
      [1n, 1n],
    ]) {
      expect(() =>
        countShared(setOf([1n]), { keyId: KEY, labels: BigUint64Array.from(labels) }),
      ).toThrow(code('labels-not-sorted'));
    }
    checkLabelSpace(200_000, 200_000);
    expect(() => checkLabelSpace(5_000_000, 5_000_000)).toThrow(code('labels-too-many'));
  });

  it('keeps the last record of a person', () => {
    expect(onePerPerson(['a1', 'b1', 'a2'], (record) => record.charAt(0))).toEqual(['a2', 'b1']);
  });
});

describe('noise of linked counts', () => {
  it('adds the same dummies at both nodes, takes their mean off, and stays unbiased within its variance', () => {
    const plan = planCountNoise(rational(1n), 1);
    const truth = setOf(Array.from({ length: 500 }, (_, i) => BigInt(i) << 32n));
    const runs = 400;
    let sum = 0;
    let squares = 0;
    for (let run = 0; run < runs; run++) {
      const scope = { seed: new Uint8Array(32).fill(run & 255), queryId: `${run}`, keyId: KEY };
      const send = () => {
        const [count] = drawDummyCounts(plan, 1, seededRandom(`pair ${run}`));
        return withDummies(truth, dummyLabels(count as number, scope));
      };
      const [released] = releaseCounts(
        [countShared(send(), send())],
        plan,
        seededRandom(`counter ${run}`),
      );
      const error = (released as number) - 500;
      sum += error;
      squares += error ** 2;
    }
    const variance = noiseVariance(plan);
    expect(variance).toBeCloseTo(2 * 1.8413, 3);
    // 5 standard errors of the mean; the variance of squares of a discrete Laplace sum is under 4 variance^2 here.
    expect(Math.abs(sum / runs)).toBeLessThan(5 * Math.sqrt(variance / runs));
    expect(Math.abs(squares / runs - variance)).toBeLessThan(
      5 * Math.sqrt((4 * variance ** 2) / runs),
    );
    expect(Math.sqrt(variance)).toBeLessThan(2.5);
  });

  it('scales with the number of counts and refuses what is no budget', () => {
    expect(planCountNoise(rational(1n, 2n), 8)).toEqual({ scale: rational(16n), dummyMean: 320 });
    expect(() => planCountNoise(rational(0n), 1)).toThrow(
      expect.objectContaining({ code: 'bad-epsilon' }),
    );
    expect(() => planCountNoise(rational(1n), 0)).toThrow(
      expect.objectContaining({ code: 'bad-count' }),
    );
  });
});
