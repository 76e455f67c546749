import { describe, expect, it } from '@jest/globals';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { conditionalRatio, discZones, expectationRatio, scan } from './scan.js';

describe('likelihood ratios', () => {
  it('are the published ones without noise', () => {
    expect(expectationRatio(10, 4, 0)).toBeCloseTo(10 * Math.log(2.5) - 6, 14);
    expect(expectationRatio(3, 4, 0)).toBe(0);
    // SaTScan user guide, Poisson model: 56 cases where 33.08 were expected, 1175 in all.
    expect(conditionalRatio(56, 33.08, 1175, 0, 0)).toBeCloseTo(
      56 * Math.log(56 / 33.08) + 1119 * Math.log(1119 / 1141.92),
      12,
    );
    expect(conditionalRatio(7, 2, 7, 0, 0)).toBeCloseTo(7 * Math.log(3.5), 14);
  });

  it('shrink when the count is noisy and stand a negative one', () => {
    expect(expectationRatio(10, 4, 8)).toBeLessThan(expectationRatio(10, 4, 0));
    expect(expectationRatio(-3, 4, 8)).toBe(0);
    expect(conditionalRatio(10, 4, 50, 8, 80)).toBeLessThan(conditionalRatio(10, 4, 50, 0, 0));
  });
});

describe('scan over discs', () => {
  const cells = disk(cellAt(51.5, -0.1, 9), 6);
  const neighbours = neighbourLists(cells);

  it('has zones of 1, 7 and 19 cells around an inner cell', () => {
    const zones = discZones(neighbours, 2);
    expect(zones.offsets.length - 1).toBe(3 * cells.length);
    const middle = cells.indexOf(cellAt(51.5, -0.1, 9));
    const sizes = [0, 1, 2].map(
      (ring) =>
        (zones.offsets[3 * middle + ring + 1] as number) -
        (zones.offsets[3 * middle + ring] as number),
    );
    expect(sizes).toEqual([1, 7, 19]);
  });

  it('finds an injected disc and skips a missing cell', () => {
    const middle = cells.indexOf(cellAt(51.5, -0.1, 9));
    const expected = new Float64Array(cells.length).fill(5);
    const counts = expected.slice();
    const inside = new Set(disk(cells[middle] as bigint, 1));
    cells.forEach((cell, i) => {
      if (inside.has(cell)) counts[i] = 12;
    });
    const input = {
      counts,
      expected,
      zones: discZones(neighbours, 2),
      model: 'expectation',
      noiseVariance: 0,
    } as const;
    const found = scan(input);
    expect(found.best).toBe(3 * middle + 1);
    expect(found.llr[found.best]).toBeCloseTo(84 * Math.log(84 / 35) - 49, 12);
    counts[middle] = Number.NaN;
    expect(scan(input).llr[found.best]).toBeCloseTo(72 * Math.log(72 / 30) - 42, 12);
  });
});
