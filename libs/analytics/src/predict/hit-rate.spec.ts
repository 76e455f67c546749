import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { selectKth } from '../laws/selection.js';
import { accuracy, hitsInTop } from './hit-rate.js';

describe('accuracy', () => {
  it('is hit rate, PAI and PEI by their definitions', () => {
    const scores = Float64Array.of(9, 1, 8, 2, 0, 0, 0, 0, 0, 0);
    const actual = Float64Array.of(3, 0, 1, 4, 2, 0, 0, 0, 0, 0);
    const result = accuracy(scores, actual, 0.2);
    expect(result?.hitRate).toBeCloseTo(4 / 10, 14);
    expect(result?.pai).toBeCloseTo(4 / 10 / 0.2, 14);
    expect(result?.pei).toBeCloseTo(4 / 7, 14);
    expect(accuracy(scores, new Float64Array(10), 0.2)).toBeUndefined();
  });

  it('gives tied cells their fair share of the places left', () => {
    const scores = Float64Array.of(5, 1, 1, 1, 0);
    const actual = Float64Array.of(2, 6, 0, 0, 9);
    expect(hitsInTop(scores, actual, 2)).toBeCloseTo(2 + 6 / 3, 14);
    expect(hitsInTop(scores, actual, 4)).toBe(8);
  });
});

describe('selectKth', () => {
  it('agrees with sorting', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1 }), (list) => {
        const sorted = Float64Array.from(list).sort();
        for (let k = 0; k < list.length; k++) {
          expect(selectKth(Float64Array.from(list), k)).toBe(sorted[k]);
        }
      }),
    );
  });
});
