import { describe, expect, it } from '@jest/globals';
import { concentration, lorenz, poissonGini } from './concentration.js';

describe('lorenz', () => {
  it('orders cells by count and runs from [0, 0] to [1, 1]', () => {
    const { curve, gini } = lorenz(Float64Array.of(0, 6, 0, 2));
    expect(curve).toEqual([
      [0, 0],
      [0.25, 0.75],
      [0.5, 1],
      [0.75, 1],
      [1, 1],
    ]);
    // Twice the trapezoid area minus 1: 2 (0.09375 + 0.21875 + 0.25 + 0.25) - 1.
    expect(gini).toBeCloseTo(0.625, 14);
  });

  it('is 0 for even counts and 1 - 1/n for one cell with all', () => {
    expect(lorenz(Float64Array.of(5, 5, 5)).gini).toBeCloseTo(0, 14);
    expect(lorenz(Float64Array.of(0, 0, 9, 0, 0)).gini).toBeCloseTo(0.8, 14);
  });

  it('refuses a share of nothing', () => {
    expect(() => lorenz(Float64Array.of(0, 0))).toThrow(/not defined/);
    expect(() => lorenz(Float64Array.of(3, -1))).toThrow(/counts from 0/);
    expect(() => concentration(Float64Array.of(9, -4, 2))).toThrow(/counts from 0/);
    expect(() => lorenz(Float64Array.of())).toThrow(/at least one/);
    expect(() => lorenz(Float64Array.of(1, Number.NaN))).toThrow(/missing/);
  });
});

describe('concentration', () => {
  // mpmath: exp(-2 m) (I0(2 m) + I1(2 m)).
  it.each([
    [0.1, 0.909221675163141],
    [1, 0.523777611802609],
    [7.5, 0.204273706493989],
  ])('knows the Gini of chance for mean %d', (mean, gini) => {
    expect(poissonGini(mean)).toBeCloseTo(gini, 12);
  });

  it('counts the fewest cells that hold a share', () => {
    const summary = concentration(Float64Array.of(1, 10, 0, 0, 4, 3, 2, 0));
    expect(summary).toMatchObject({
      cells: 8,
      activeCells: 5,
      cellsHolding25: 1,
      cellsHolding50: 1,
    });
    expect(summary.giniAboveChance).toBeCloseTo(summary.gini - poissonGini(20 / 8), 14);
  });
});
