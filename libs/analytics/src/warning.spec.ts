import { describe, expect, it } from '@jest/globals';
import { cornishFisher, warnings } from './warning.js';

const LAW = { mechanism: 'discrete-laplace', epsilon: 1 } as const;
const chart = (counts: readonly number[], baseline = 4) =>
  warnings(
    counts.map((count) => Float64Array.of(count)),
    Float64Array.of(baseline),
    Float64Array.of(0),
    { law: LAW },
  );

describe('warnings', () => {
  it('are silent on the baseline and speak when counts stay high', () => {
    expect(chart(new Array(12).fill(4)).warned[0]).toBe(0);
    expect(chart([...new Array(9).fill(4), 12, 13, 14]).warned[0]).toBe(1);
  });

  it('skip a missing month', () => {
    const full = chart([4, 9, 10]);
    const gap = chart([4, Number.NaN, 9, 10]);
    expect(gap.statistic[0]).toBeCloseTo(full.statistic[0] as number, 12);
    expect(gap.limit[0]).toBeCloseTo(full.limit[0] as number, 12);
  });

  it('never warn where nothing is known', () => {
    expect(chart([Number.NaN]).warned[0]).toBe(0);
  });

  it('have wider limits with wider noise and an uncertain baseline', () => {
    const limitOf = (epsilon: number, uncertainty: number) =>
      warnings([Float64Array.of(4)], Float64Array.of(4), Float64Array.of(uncertainty), {
        law: { mechanism: 'discrete-laplace', epsilon },
      }).limit[0] as number;
    expect(limitOf(0.1, 0)).toBeGreaterThan(limitOf(1, 0));
    expect(limitOf(1, 2)).toBeGreaterThan(limitOf(1, 0));
  });

  it('refuse weights and rates that are none', () => {
    const none = new Float64Array(1);
    expect(() => warnings([none], none, none, { law: LAW, weight: 0 })).toThrow(/weight/);
    expect(() => warnings([none], none, none, { law: LAW, falseAlarms: 0.7 })).toThrow(/alarms/);
  });
});

describe('cornishFisher', () => {
  it('is the identity for normal cumulants and near a chi-squared quantile for its own', () => {
    expect(cornishFisher(2.5, 0, 0)).toBe(2.5);
    // chi-squared with 50 degrees of freedom: skewness sqrt(8/50), excess 12/50, 99 % quantile 76.1539.
    const w = cornishFisher(2.3263478740408408, Math.sqrt(8 / 50), 12 / 50);
    expect(50 + 10 * w).toBeCloseTo(76.1539, 1);
  });
});
