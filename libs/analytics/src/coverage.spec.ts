import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
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
      months(24, (t, u) => Math.round((20 + u) * (1 + 0.3 * Math.sin((t * Math.PI) / 6)))),
      NONE,
    );
    expect(flags.every(({ completeness }) => completeness === 'complete')).toBe(true);
  });

  describe('on 35 real months of 1,717 LSOAs with known gaps', () => {
    const file = new URL('../vectors/west-midlands-lsoa-months.json.gz', import.meta.url);
    const record = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
      months: string[];
      counts: number[][];
    };
    const KNOWN = ['2023-05', '2023-06', '2023-07', '2023-08', '2024-09', '2025-03'];
    const flagged = (periods: Float64Array[], law: Parameters<typeof coverage>[1]): string[] =>
      coverage(periods, law).flatMap(({ completeness }, t) =>
        completeness === 'complete' ? [] : [record.months[t] as string],
      );
    const exact = record.counts.map((month) => Float64Array.from(month));

    it.each([
      ['without noise', undefined],
      ['at epsilon 1', 1n],
      ['at epsilon 0.5', 2n],
    ])('flags every gap and at most two other months %s', (_, scale) => {
      let months = exact;
      let law: Parameters<typeof coverage>[1] = NONE;
      if (scale) {
        const sampler = discreteLaplace({ scale: rational(scale) });
        const random = seededRandom(`coverage ${scale}`);
        const noise = new Int32Array(exact[0]?.length ?? 0);
        law = { mechanism: 'discrete-laplace', epsilon: 1 / Number(scale) };
        months = exact.map((month) => {
          sampler.sampleInto(noise, random);
          return month.map((count, i) => count + (noise[i] as number));
        });
      }
      const flags = flagged(months, law);
      expect(flags).toEqual(expect.arrayContaining(KNOWN));
      expect(flags.length).toBeLessThanOrEqual(KNOWN.length + 2);
    });
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
