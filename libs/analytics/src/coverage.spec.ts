import { describe, expect, it } from '@jest/globals';
import { coverage, intakeFlags } from './coverage.js';

const NONE = { mechanism: 'none' } as const;
const months = (count: number, unit: (t: number, u: number) => number): Float64Array[] =>
  Array.from({ length: count }, (_, t) => Float64Array.from({ length: 20 }, (_, u) => unit(t, u)));

describe('coverage', () => {
  it('flags a month without a third of its units, and one without any', () => {
    const flags = coverage(
      months(12, (t, u) => {
        if (t === 4 && u < 6) return 0;
        if (t === 7) return Number.NaN;
        return 30 + ((t * 7 + u * 3) % 9);
      }),
      NONE,
    );
    expect(flags.map(({ completeness }) => completeness)).toEqual(
      Array.from({ length: 12 }, (_, t) =>
        t === 4 ? 'partial' : t === 7 ? 'missing' : 'complete',
      ),
    );
    expect(flags[4]?.silentShare).toBeGreaterThan(0.25);
  });

  it('does not take a quiet season for a gap', () => {
    const flags = coverage(
      months(24, (t, u) =>
        Math.round((u < 10 ? 20 + u : 4000) * (1 + 0.3 * Math.sin((t * Math.PI) / 6))),
      ),
      NONE,
    );
    expect(flags.every(({ completeness }) => completeness === 'complete')).toBe(true);
  });

  it('does not take units drawn anew for a gap, but finds a gap in the old ones', () => {
    // Units 0 to 2 end after the fifth month and go on as units 3 to 5.
    const redrawn = (gap: number) =>
      months(18, (t, u) => {
        if (t === gap && u > 12) return 0;
        if (u < 3) return t < 5 ? 31 : 0;
        if (u < 6) return t < 5 ? 0 : 30 + ((t * u) % 5);
        return 30 + ((t * 7 + u * 3) % 9);
      });
    const partial = (gap: number) =>
      coverage(redrawn(gap), NONE).flatMap(({ completeness }, t) =>
        completeness === 'partial' ? [t] : [],
      );
    expect(partial(-1)).toEqual([]);
    expect(partial(2)).toEqual([2]);
    expect(partial(11)).toEqual([11]);
  });

  it('expects less of noisy counts', () => {
    const noisy = { mechanism: 'discrete-laplace', epsilon: 0.1 } as const;
    const gap = months(12, (t, u) => (t === 4 && u < 6 ? -8 : 30));
    expect(coverage(gap, NONE)[4]?.completeness).toBe('partial');
    expect(coverage(gap, noisy)[4]?.completeness).toBe('complete');
  });
});

describe('intakeFlags', () => {
  const month = { records: 1000, located: 940, duplicates: 8 };
  it('flags fewer located records, more duplicates and a lasting change of level', () => {
    const list = Array.from({ length: 12 }, (_, t) => ({
      ...month,
      records: 1000 + ((t * 37) % 40),
    }));
    expect(intakeFlags(list)).toEqual([]);
    list[3] = { records: 1000, located: 700, duplicates: 8 };
    list[5] = { records: 1000, located: 940, duplicates: 90 };
    expect(intakeFlags(list)).toEqual([
      { period: 3, flag: 'less-located' },
      { period: 5, flag: 'more-duplicates' },
    ]);
    for (let t = 8; t < 12; t++) list[t] = { records: 2600, located: 2444, duplicates: 21 };
    expect(intakeFlags(list)).toContainEqual({ period: 8, flag: 'series-break' });
  });

  it('needs half a year', () => {
    expect(() => intakeFlags([month, month])).toThrow(/six months/);
    expect(() =>
      coverage(
        months(5, () => 30),
        NONE,
      ),
    ).toThrow(/six periods/);
  });
});
