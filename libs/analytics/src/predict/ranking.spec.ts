import { describe, expect, it } from '@jest/globals';
import { rankCells } from './ranking.js';

const release = (counts: readonly number[]) => ({
  periods: [Float64Array.from(counts)],
  noiseVariance: 2,
});
const rates = (mean: readonly number[], variance: number) => ({
  mean: Float64Array.from(mean),
  cellVariance: new Float64Array(mean.length).fill(variance),
});

describe('rankCells', () => {
  it('goes by the forecast where its choice is clearly better', () => {
    const ranking = rankCells(release([9, 0, 1, 2]), rates([1, 8, 1, 1], 1), 0.25);
    // Cell 1 instead of cell 0: 8 - 1, with the variance of both.
    expect(ranking).toMatchObject({ by: 'forecast', gain: 7, standardError: Math.SQRT2 });
    expect([...ranking.scores]).toEqual([1, 8, 1, 1]);
  });

  it('is the naive ranking, exactly, where that is not clear', () => {
    const ranking = rankCells(release([9, 0, 1, 2]), rates([1, 8, 1, 1], 25), 0.25);
    expect(ranking).toMatchObject({ by: 'released-mean', gain: 7 });
    expect([...ranking.scores]).toEqual([9, 0, 1, 2]);
  });

  it('goes by the forecast where many are chosen and the counts show nothing beyond noise', () => {
    const counts = Array.from({ length: 120 }, (_, i) => ((i * 7919) % 41) - 20);
    const mean = Array.from(counts, (_, i) => 1 + (i % 3) / 100);
    const of = (noiseVariance: number, share: number) =>
      rankCells({ ...release(counts), noiseVariance }, rates(mean, 25), share);
    expect(of(200, 0.25)).toMatchObject({ by: 'forecast' });
    expect(of(200, 0.25).gain).toBeLessThan(2 * of(200, 0.25).standardError);
    // The same counts with little noise are a signal; and one cell may stand out where the area does not.
    expect(of(1, 0.25).by).toBe('released-mean');
    expect(of(200, 0.01).by).toBe('released-mean');
  });

  it('is the naive ranking where both choose the same', () => {
    const ranking = rankCells(release([9, 5, 1, 2]), rates([8, 6, 1, 1], 0), 0.5);
    expect(ranking).toMatchObject({ by: 'released-mean', gain: 0, standardError: 0 });
  });

  it('lets equal counts at the limit share the places', () => {
    const { gain, standardError } = rankCells(release([3, 3, 0, 0]), rates([4, 2, 0, 0], 1), 0.25);
    expect(gain).toBe(4 - (4 + 2) / 2);
    expect(standardError).toBeCloseTo(Math.sqrt(0.5), 12);
  });

  it('leaves a period without counts out of the means', () => {
    const gap = {
      periods: [Float64Array.of(4, Number.NaN), Float64Array.of(2, 5)],
      noiseVariance: 2,
    };
    expect([...rankCells(gap, rates([1, 1], 1), 0.5).scores]).toEqual([3, 5]);
  });
});
