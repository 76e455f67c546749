import { describe, expect, it } from '@jest/globals';
import { weightedDisplacement } from './weighted-displacement.js';

const NONE = {
  displacementBefore: 0,
  displacementAfter: 0,
  displacementControlBefore: 0,
  displacementControlAfter: 0,
};

describe('weightedDisplacement', () => {
  it('is the sum of four changes with the variance of eight Poisson counts', () => {
    const { wdd, se, z, p } = weightedDisplacement({
      treatedBefore: 100,
      treatedAfter: 60,
      controlBefore: 90,
      controlAfter: 80,
      displacementBefore: 20,
      displacementAfter: 25,
      displacementControlBefore: 22,
      displacementControlAfter: 21,
    });
    expect(wdd).toBe(-40 + 10 + 5 + 1);
    expect(se).toBeCloseTo(Math.sqrt(418), 12);
    expect(z).toBeCloseTo(-24 / Math.sqrt(418), 12);
    expect(p).toBeCloseTo(0.24044, 4);
  });

  it('adds the variance of the noise', () => {
    const counts = {
      treatedBefore: 9,
      treatedAfter: 4,
      controlBefore: 9,
      controlAfter: 9,
      ...NONE,
    };
    expect(weightedDisplacement(counts, 33).se).toBe(8);
    expect(weightedDisplacement(counts).se).toBeCloseTo(Math.sqrt(31), 12);
    expect(weightedDisplacement({ ...counts, treatedBefore: -40 }, 16).se).toBe(4);
    expect(() => weightedDisplacement(counts, Number.NaN)).toThrow(/variance/);
  });

  it('is 0 where nothing happened', () => {
    const nothing = {
      treatedBefore: 0,
      treatedAfter: 0,
      controlBefore: 0,
      controlAfter: 0,
      ...NONE,
    };
    expect(weightedDisplacement(nothing)).toMatchObject({ wdd: 0, se: 0, z: 0, p: 1 });
  });
});
