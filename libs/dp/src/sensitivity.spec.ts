import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  answerEvents,
  type ContributionBounds,
  eventRho,
  INCIDENT_BOUNDS,
  levelVariances,
  mergedBounds,
  parseRho,
  querySensitivity,
  sumRationals,
  treeL2SensitivitySquared,
} from './index.js';

interface Row {
  readonly person: number;
  readonly group: number;
  readonly cell: number;
  readonly key: number;
}

/**
 * Bounding as the record store does it: a fixed keyed order per person; a row counts if fewer than c of the person's rows in its
 * group and fewer than M in the year come before it. `slack` builds the mutant whose threshold is off by one.
 */
function bound(rows: readonly Row[], { perGroup, perYear }: ContributionBounds, slack = 0): Row[] {
  const inYear = new Map<number, number>();
  const inGroup = new Map<string, number>();
  return [...rows]
    .sort((a, b) => a.key - b.key)
    .filter(({ person, group }) => {
      const rankInYear = (inYear.get(person) ?? 0) + 1;
      const rankInGroup = (inGroup.get(`${person}/${group}`) ?? 0) + 1;
      inYear.set(person, rankInYear);
      inGroup.set(`${person}/${group}`, rankInGroup);
      return rankInYear <= perYear + slack && rankInGroup <= perGroup + slack;
    });
}

const LEVELS = 3;
/** Counts of `groups` trees of three levels (root, 2, 4 cells), one after another. */
function count(rows: readonly Row[], groups: number): Int32Array {
  const counts = new Int32Array(groups * 7);
  for (const { group, cell } of rows) {
    for (const node of [0, 1 + (cell >> 1), 3 + cell]) {
      counts[group * 7 + node] = (counts[group * 7 + node] ?? 0) + 1;
    }
  }
  return counts;
}

/** What one person changes: squared L2 and L1 of one level, and squared L2 of the tree, each at its largest. */
function change(a: Int32Array, b: Int32Array) {
  const level = [0, 1, 1, 2, 2, 2, 2];
  const squares = [0, 0, 0];
  const absolute = [0, 0, 0];
  a.forEach((value, i) => {
    const d = Math.abs(value - (b[i] ?? 0));
    const l = level[i % 7] ?? 0;
    squares[l] = (squares[l] ?? 0) + d * d;
    absolute[l] = (absolute[l] ?? 0) + d;
  });
  return {
    l2: Math.max(...squares),
    l1: Math.max(...absolute),
    tree: squares.reduce((x, y) => x + y),
  };
}

const GROUPS = 3;
const bounds = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 6 }))
  .map(([c, more]): ContributionBounds => ({ unit: 'person', perGroup: c, perYear: c + more }));
const dataset = fc.array(
  fc.record({
    person: fc.integer({ min: 0, max: 2 }),
    group: fc.integer({ min: 0, max: GROUPS - 1 }),
    cell: fc.integer({ min: 0, max: 3 }),
    key: fc.double({ noNaN: true }),
  }),
  { maxLength: 40 },
);

/** The check: removing person 0 never changes the answer by more than the sensitivity claims. Returns the worst excess. */
function neverExceeds(slack: number, runs: number): fc.RunDetails<[Row[], ContributionBounds]> {
  return fc.check(
    fc.property(dataset, bounds, (rows, limits) => {
      const without = rows.filter(({ person }) => person !== 0);
      const true_ = change(
        count(bound(rows, limits, slack), GROUPS),
        count(bound(without, limits, slack), GROUPS),
      );
      const claimed = querySensitivity(limits, GROUPS);
      return (
        BigInt(true_.l2) <= claimed.l2Squared &&
        true_.l1 <= claimed.l1 &&
        BigInt(true_.tree) <= treeL2SensitivitySquared(claimed, LEVELS)
      );
    }),
    { numRuns: runs, seed: 20_260_101 },
  );
}

describe('sensitivity', () => {
  it('is never exceeded by a person, on random neighbouring datasets', () => {
    expect(neverExceeds(0, 2000).failed).toBe(false);
  });

  it('mutant: a bounding threshold off by one is caught by the same check', () => {
    expect(neverExceeds(1, 2000).failed).toBe(true);
  });

  it('is reached: the bound is the smallest that holds', () => {
    // c = 3, M = 7, three groups: a person with 3 + 3 + 1 records in one cell each.
    const limits: ContributionBounds = { unit: 'person', perGroup: 3, perYear: 7 };
    const rows = Array.from({ length: 9 }, (_, i) => ({
      person: 0,
      group: Math.floor(i / 3),
      cell: 0,
      key: i,
    }));
    const worst = change(count(bound(rows, limits), GROUPS), count([], GROUPS));
    expect(querySensitivity(limits, GROUPS)).toEqual({ l1: 7, l2Squared: 19n });
    expect(worst).toEqual({ l1: 7, l2: 19, tree: 57 });
  });

  it('has a closed form that equals the exhaustive maximum', () => {
    const maximum = (c: number, m: number, groups: number): number => {
      if (groups === 0) return 0;
      let best = 0;
      for (let x = 0; x <= Math.min(c, m); x++) {
        best = Math.max(best, x * x + maximum(c, m - x, groups - 1));
      }
      return best;
    };
    for (let c = 1; c <= 4; c++) {
      for (let m = c; m <= 10; m++) {
        for (let groups = 1; groups <= 4; groups++) {
          const { l2Squared } = querySensitivity(
            { unit: 'person', perGroup: c, perYear: m },
            groups,
          );
          expect(Number(l2Squared)).toBe(maximum(c, m, groups));
        }
      }
    }
  });

  it('of merged groups is derived from the bounds anew (opendp #2949)', () => {
    const limits: ContributionBounds = { unit: 'person', perGroup: 2, perYear: 5 };
    expect(mergedBounds(limits, 2)).toEqual({ unit: 'person', perGroup: 4, perYear: 5 });
    expect(mergedBounds(limits, 3).perGroup).toBe(5);
    fc.assert(
      fc.property(dataset, bounds, (rows, some) => {
        const merge = (kept: Row[]) =>
          count(
            kept.map((row) => ({ ...row, group: 0 })),
            1,
          );
        const without = rows.filter(({ person }) => person !== 0);
        const { l2 } = change(merge(bound(rows, some)), merge(bound(without, some)));
        const claimed = querySensitivity(mergedBounds(some, GROUPS), 1).l2Squared;
        expect(BigInt(l2)).toBeLessThanOrEqual(claimed);
      }),
    );
    // What was claimed for one group before merging would be too little.
    expect(querySensitivity(mergedBounds(limits, 2), 1).l2Squared).toBeGreaterThan(
      querySensitivity(limits, 1).l2Squared,
    );
  });

  it('counts a record as often as overlapping groups do', () => {
    // Three groups whose windows overlap: group g counts the rows of groups g and g + 1, so a record is in two of them.
    fc.assert(
      fc.property(dataset, bounds, (rows, limits) => {
        const windows = (kept: Row[]) =>
          count(
            kept.flatMap((row) => [
              row,
              ...(row.group > 0 ? [{ ...row, group: row.group - 1 }] : []),
            ]),
            GROUPS,
          );
        const without = rows.filter(({ person }) => person !== 0);
        const { l2, l1 } = change(windows(bound(rows, limits)), windows(bound(without, limits)));
        // One window holds the records of two bounded groups.
        const claimed = querySensitivity(mergedBounds(limits, 2), GROUPS, 2);
        expect(BigInt(l2)).toBeLessThanOrEqual(claimed.l2Squared);
        expect(l1).toBeLessThanOrEqual(claimed.l1);
      }),
    );
    expect(querySensitivity(INCIDENT_BOUNDS, 3, 2)).toEqual({ l1: 2, l2Squared: 2n });
    expect(() => querySensitivity(INCIDENT_BOUNDS, 1, 2)).toThrow(
      expect.objectContaining({ code: 'bad-contribution-bounds' }),
    );
  });

  it('makes the events of an answer cost exactly its rho', () => {
    const limits: ContributionBounds = { unit: 'person', perGroup: 3, perYear: 7 };
    const rho = parseRho('1/8');
    const { l2Squared } = querySensitivity(limits, GROUPS);
    const levels = levelVariances({ rho, finest: 9, l2SensitivitySquared: l2Squared });
    const events = answerEvents(levels, limits, GROUPS);
    expect(sumRationals(events.flatMap((event) => eventRho(event) ?? []))).toEqual({
      num: 1n,
      den: 8n,
    });
    expect(querySensitivity(INCIDENT_BOUNDS, 12)).toEqual({ l1: 1, l2Squared: 1n });
  });

  it.each<[ContributionBounds, number]>([
    [{ unit: 'person', perGroup: 3, perYear: 2 }, 1],
    [{ unit: 'person', perGroup: 0, perYear: 2 }, 1],
    [{ unit: 'person', perGroup: 1.5, perYear: 2 }, 1],
    [{ unit: 'person', perGroup: 1, perYear: Number.NaN }, 1],
    [{ unit: 'incident', perGroup: 1, perYear: 2 }, 1],
    [INCIDENT_BOUNDS, 0],
  ])('refuses bounds %j for %p groups', (limits, groups) => {
    expect(() => querySensitivity(limits, groups)).toThrow(
      expect.objectContaining({ code: 'bad-contribution-bounds' }),
    );
  });
});
