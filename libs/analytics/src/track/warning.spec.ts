import { describe, expect, it } from '@jest/globals';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { noiseVariance } from '../laws/pmf.js';
import { poissonDraws } from '../laws/random-variates.js';
import { forecast } from '../predict/forecast.js';
import { knownBaseline, usualBaseline } from './baseline.js';
import { warnings } from './warning.js';

const LAW = { mechanism: 'discrete-laplace', epsilon: 1 } as const;
const chart = (counts: readonly number[], baseline = 4) =>
  warnings(
    counts.map((count) => Float64Array.of(count)),
    knownBaseline(Float64Array.of(baseline)),
    { law: LAW },
  );

/** `last` in one cell of `cells` that otherwise count 4 in every period. */
const among = (cells: number, last: readonly number[]) =>
  warnings(
    last.map((count) => Float64Array.from({ length: cells }, (_, i) => (i === 0 ? count : 4))),
    knownBaseline(new Float64Array(cells).fill(4)),
    { law: LAW },
  );

describe('warnings', () => {
  it('are silent on the baseline and speak when counts stay high', () => {
    expect(among(50, new Array(12).fill(4)).warned[0]).toBe(0);
    const { warned, statistic, limit, p } = among(50, [...new Array(9).fill(4), 12, 13, 14]);
    expect(warned.indexOf(1)).toBe(0);
    expect(warned.lastIndexOf(1)).toBe(0);
    expect(statistic[0]).toBeGreaterThan(limit[0] as number);
    expect(p[0]).toBeLessThan(0.003);
    expect(limit[1]).toBeNaN();
  });

  it('skip a missing month', () => {
    const full = among(50, [4, 9, 10]);
    const gap = among(50, [4, Number.NaN, 9, 10]);
    expect(gap.statistic[0]).toBeCloseTo(full.statistic[0] as number, 1);
    expect(gap.p[0]).toBeCloseTo(full.p[0] as number, 2);
  });

  it('never warn where nothing is known', () => {
    const { warned, p } = chart([Number.NaN]);
    expect(warned[0]).toBe(0);
    expect(p[0]).toBeNaN();
  });

  it('say how much all cells have more, and do not warn of it', () => {
    const random = seededRandom('common');
    const rates = new Float64Array(2000).fill(6);
    const months = [1, 1.3, 1.4].map((factor) =>
      poissonDraws(
        rates.map((rate) => factor * rate),
        random,
      ),
    );
    const { warned, commonChange } = warnings(months, knownBaseline(rates), {
      law: { mechanism: 'none' },
    });
    expect(commonChange[0]).toBeCloseTo(1, 1);
    expect(commonChange[2]).toBeCloseTo(1.4, 1);
    expect(warned.reduce((sum, one) => sum + one, 0)).toBeLessThan(20);
  });

  it('are not moved by one cell that boils over', () => {
    expect(among(50, [400]).commonChange[0]).toBeLessThan(1.1);
  });

  it('need more evidence under wider noise and against a baseline that is less known', () => {
    const tailOf = (epsilon: number) =>
      warnings([Float64Array.of(14)], knownBaseline(Float64Array.of(4)), {
        law: { mechanism: 'discrete-laplace', epsilon },
      }).p[0] as number;
    expect(tailOf(0.1)).toBeGreaterThan(tailOf(1));
    const neighbours = neighbourLists(disk(cellAt(51.5, -0.1, 9), 6));
    const cells = neighbours.degrees.length;
    const random = seededRandom('usual');
    const rates = Float64Array.from({ length: cells }, (_, i) => (i % 5 === 0 ? 12 : 2));
    const months = Array.from({ length: 6 }, () => poissonDraws(rates, random));
    const law = { mechanism: 'none' } as const;
    // Some quiet cells rise to 8, all others stay as they are.
    const rises = (i: number): boolean => i % 20 === 3;
    const newest = rates.map((rate, i) => (rises(i) ? 8 : rate));
    const meanTail = (count: number) => {
      const release = {
        periods: months.slice(6 - count),
        noiseVariance: noiseVariance(law),
        law,
      };
      const baseline = usualBaseline(forecast(release, neighbours));
      const { p } = warnings([newest], baseline, { law });
      return p.reduce((sum, value, i) => sum + (rises(i) ? value : 0), 0);
    };
    expect(meanTail(1)).toBeGreaterThan(meanTail(6));
  });

  it('refuse weights and rates that are none', () => {
    const none = knownBaseline(new Float64Array(1));
    const months = [new Float64Array(1)];
    expect(() => warnings(months, none, { law: LAW, weight: 0 })).toThrow(/weight/);
    expect(() => warnings(months, none, { law: LAW, falseAlarms: 0.7 })).toThrow(/alarms/);
  });
});
