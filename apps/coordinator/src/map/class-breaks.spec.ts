import { describe, expect, it } from '@jest/globals';
import { classBreaks } from './class-breaks.js';

const columns = (estimates: number[], standardError: number) => ({
  coverage: new Uint8Array(estimates.length).fill(2),
  estimate: Float64Array.from(estimates),
  standardError: new Float64Array(estimates.length).fill(standardError),
});

describe('class breaks', () => {
  it('gives few cells the highest classes, at round limits', () => {
    const skewed = Array.from({ length: 1000 }, (_, i) => 3000 / (i + 1));
    expect(classBreaks(columns(skewed, 1))).toEqual([5, 10, 25, 80, 300]);
  });

  it('looks only at cells that can be told from zero', () => {
    expect(classBreaks(columns([1, 2, -30, 0.5], 10))).toEqual([]);
    expect(classBreaks(columns([1, 2, 40, 41, Number.NaN], 10))).toEqual([40]);
  });

  it('ascends strictly', () => {
    const limits = classBreaks(columns([7, 7, 7, 7, 7, 8, 9], 1));
    expect(limits).toEqual([...new Set(limits)].sort((a, b) => a - b));
  });
});
