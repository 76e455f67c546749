import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import { decoyOf, plainCounts } from './count-keys.js';
import { estimateOverlap } from './overlap.js';
import { COUNT_KEYS, type CountKey, type KeyCount } from './overlap-counts.js';
import { standardise } from './standardise.js';

/** Expected counts of N people known to both with independent agreement rates, among 10 N people on either side. */
const exact = (
  people: number,
  rates: Record<string, number>,
  keys: readonly CountKey[] = COUNT_KEYS,
) => ({
  counts: Object.fromEntries(
    keys.map((key): [CountKey, KeyCount] => [
      key,
      {
        shared: people * [...key].reduce((product, field) => product * (rates[field] as number), 1),
        left: 10 * people,
        right: 10 * people,
        decoys: null,
        relatives: null,
      },
    ]),
  ),
  noiseVariance: 0,
});
const RATES = { F: 0.88, S: 0.82, D: 0.97, L: 0.75 };

describe('overlap estimate', () => {
  it.each([
    ['dependent', COUNT_KEYS],
    ['basic', ['FD', 'SDL', 'FSL', 'FSDL'] as const],
  ] as const)('%s: exact where errors are independent', (method, keys) => {
    const estimate = estimateOverlap(exact(2000, RATES, keys));
    expect(estimate.method).toBe(method);
    expect(estimate.corrected).toBeCloseTo(2000, 6);
    expect(estimate.naive).toBeCloseTo(2000 * 0.88 * 0.82 * 0.97 * 0.75, 6);
    expect(estimate.low).toBeLessThan(2000);
    expect(estimate.high).toBeGreaterThan(2000);
  });

  it('subtracts strangers that decoys show, and only those that are visible', () => {
    const clean = exact(2000, RATES);
    const strangers = 100;
    const [left, right] = [20_000, 20_000];
    const counts = Object.fromEntries(
      Object.entries(clean.counts).map(([key, count]): [string, KeyCount] => {
        if (key !== 'FD') return [key, count];
        const labels = count.shared - (count.shared ** 2 * strangers) / (2 * left * right);
        const visible = (1 - labels / left) * (1 - labels / right);
        return [key, { ...count, shared: labels + strangers * visible, decoys: strangers }];
      }),
    );
    expect(Math.abs(estimateOverlap({ ...clean, counts }).corrected / 2000 - 1)).toBeLessThan(1e-5);
  });

  it('widens with noise and never narrows below the binomial spread', () => {
    const quiet = estimateOverlap(exact(2000, RATES));
    const noisy = estimateOverlap({ ...exact(2000, RATES), noiseVariance: 400 });
    expect(noisy.high - noisy.low).toBeGreaterThan(quiet.high - quiet.low);
    // No errors at all: every person known to both is among the shared labels of every key.
    const sure = estimateOverlap(exact(2000, { F: 1, S: 1, D: 1, L: 1 }));
    expect(sure.corrected).toBeCloseTo(2000, 6);
    expect(sure.high - sure.low).toBeLessThan(1);
  });

  it('is nearer the truth than the basic form where one cause spoils all fields, and its interval says so', () => {
    const usual = { F: 0.92, S: 0.87, D: 0.98, L: 0.84 };
    const poor = { F: 0.71, S: 0.54, D: 0.93, L: 0.47 };
    const [well, badly] = [exact(88_000, usual), exact(12_000, poor)];
    const counts = Object.fromEntries(
      COUNT_KEYS.map((key) => {
        const [a, b] = [well.counts[key], badly.counts[key]] as [KeyCount, KeyCount];
        return [
          key,
          { ...a, shared: a.shared + b.shared, left: a.left + b.left, right: a.right + b.right },
        ];
      }),
    );
    const { FD, SDL, FSL, FSDL } = counts as Record<CountKey, KeyCount>;
    const basic = estimateOverlap({ counts: { FD, SDL, FSL, FSDL }, noiseVariance: 0 });
    const dependent = estimateOverlap({ counts, noiseVariance: 0 });
    expect(basic.corrected).toBeLessThan(98_500);
    expect(Math.abs(dependent.corrected / 100_000 - 1)).toBeLessThan(0.005);
    expect(dependent.low).toBeLessThan(100_000);
    expect(dependent.high).toBeGreaterThan(100_000);
  });

  it('has no bias from noise that takes small numbers below zero', () => {
    const clean = exact(20_000, RATES);
    /** log of the estimate over the truth where noise on decoys and relatives is `spread`, down and up. */
    const errors = (spread: number): [number, number] =>
      [-1, 1].map((sign) => {
        const counts = Object.fromEntries(
          Object.entries(clean.counts).map(([key, count]): [string, KeyCount] => [
            key,
            {
              ...count,
              decoys: ['FD', 'SD', 'DL'].includes(key) ? sign * spread : null,
              relatives: key === 'FSL' ? { left: sign * spread, right: sign * spread } : null,
            },
          ]),
        );
        return Math.log(estimateOverlap({ counts, noiseVariance: spread ** 2 }).corrected / 20_000);
      }) as [number, number];
    const [[down, up], [halfDown, halfUp]] = [errors(40), errors(20)];
    expect(down - up).toBeGreaterThan(0.001);
    // What is left is the curvature of the form: of second order, a quarter for half the noise. A cut at zero would leave half.
    expect(Math.abs(down + up)).toBeLessThan((down - up) ** 2);
    expect((down + up) / (halfDown + halfUp)).toBeGreaterThan(3.5);
    expect((down + up) / (halfDown + halfUp)).toBeLessThan(4.5);
  });

  it('refuses too few keys and too small counts', () => {
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => estimateOverlap(exact(2000, RATES, ['FD', 'FSDL']))).toThrow(
      code('too-few-counts'),
    );
    expect(() => estimateOverlap(exact(3, RATES))).toThrow(code('overlap-too-small'));
    expect(() => estimateOverlap(exact(0, RATES))).toThrow(code('overlap-too-small'));
  });

  it('gives for any counts an interval of numbers around the estimate, or nothing', () => {
    const random = seededRandom('any counts');
    const word = new Uint32Array(1);
    const uniform = (from: number, to: number): number => {
      random.fillWords(word);
      return from + ((to - from) * (word[0] as number)) / 2 ** 32;
    };
    let estimated = 0;
    for (let run = 0; run < 300; run++) {
      const rates = { F: uniform(0, 1), S: uniform(0, 1), D: uniform(0, 1), L: uniform(0, 1) };
      const clean = exact(10 ** uniform(1, 5), rates);
      const spread = uniform(0, 1) < 0.3 ? 0 : 10 ** uniform(0, 2);
      const noisy = (value: number): number => Math.round(value + uniform(-2, 2) * spread);
      const counts = Object.fromEntries(
        Object.entries(clean.counts).map(([key, { shared, left, right }]): [string, KeyCount] => [
          key,
          {
            shared: noisy(shared),
            left: Math.max(0, noisy(left)),
            right: Math.max(0, noisy(right)),
            decoys: ['FD', 'SD', 'DL'].includes(key) ? noisy(0) : null,
            relatives: ['SD', 'DL', 'SDL', 'FSL'].includes(key)
              ? { left: noisy(left / 100), right: noisy(0) }
              : null,
          },
        ]),
      );
      let estimate: ReturnType<typeof estimateOverlap>;
      try {
        estimate = estimateOverlap({ counts, noiseVariance: spread ** 2 });
      } catch (error) {
        expect(error).toMatchObject({ code: 'overlap-too-small' });
        continue;
      }
      estimated++;
      const { corrected, low, high } = estimate;
      expect(low).toBeGreaterThan(0);
      expect(low).toBeLessThanOrEqual(corrected);
      expect(high).toBeGreaterThanOrEqual(corrected);
      // ten times up and down at most
      expect(high).toBeLessThanOrEqual(100.001 * low);
      expect(Number.isSafeInteger(Math.ceil(high))).toBe(true);
    }
    expect(estimated).toBeGreaterThan(30);
  });

  it('counts people, not the labels that two of them share', () => {
    const clean = exact(20_000, RATES);
    const people = 20_000 * RATES.F * RATES.D;
    const sides = 80_000;
    // as many chance pairs among those who agree as decoys show among all pairs of the lists, half of them in either order
    const decoys = 2_500;
    const labels = people - (people ** 2 * decoys) / (2 * sides ** 2);
    const visible = (1 - labels / sides) ** 2;
    const FD = { left: sides, right: sides, decoys, relatives: null };
    const counts = { ...clean.counts, FD: { ...FD, shared: labels + visible * decoys } };
    const { corrected } = estimateOverlap({ ...clean, counts });
    expect(Math.abs(corrected / 20_000 - 1)).toBeLessThan(0.0002);
    expect(labels / people).toBeLessThan(0.997);
  });

  it('takes relatives to be written alike as one person is, and those hidden behind a shared label off', () => {
    const clean = exact(2000, RATES);
    const sides = 10_000;
    const agreed = 2000 * RATES.F * RATES.S * RATES.L;
    const own = agreed / Math.sqrt(agreed / 2000);
    const [pairs, visible] = [60, (1 - own / sides) ** 2];
    const FSL: KeyCount = {
      shared: agreed + pairs * visible - (agreed ** 2 * pairs) / (2 * sides ** 2),
      ...{ left: sides, right: sides, decoys: null, relatives: { left: 40, right: 20 } },
    };
    const { corrected } = estimateOverlap({ ...clean, counts: { ...clean.counts, FSL } });
    expect(Math.abs(corrected / 2000 - 1)).toBeLessThan(0.0005);
  });

  it('lets missing dates, which each list tells of itself, be as frequent as they are whatever else disagrees', () => {
    // one cause spoils all fields of one person in eight; besides, one record in ten has no date
    const usual = { F: 0.92, S: 0.87, D: 0.98, L: 0.84 };
    const poor = { F: 0.71, S: 0.54, D: 0.93, L: 0.47 };
    const [well, badly] = [exact(87_500, usual), exact(12_500, poor)];
    const withDates = (present: number) =>
      Object.fromEntries(
        COUNT_KEYS.map((key) => {
          const share = key.includes('D') ? present : 1;
          const both = [well, badly].map(({ counts }) => counts[key]?.shared ?? 0);
          const shared = share * both.reduce((sum, part) => sum + part, 0);
          return [key, { ...well.counts[key], shared, left: 1e6, right: share * 1e6 } as KeyCount];
        }),
      );
    const [all, some] = [1, 0.9].map((present) =>
      estimateOverlap({ counts: withDates(present), noiseVariance: 0 }),
    );
    expect((some?.corrected as number) / (all?.corrected as number)).toBeCloseTo(1, 5);
    expect(Math.abs((some?.corrected as number) / 100_000 - 1)).toBeLessThan(0.005);
  });

  it('counts relatives who differ where the key is blind, within one list', () => {
    const twin = { surname: 'Hart', dateOfBirth: '2001-05-06', postcode: 'BS1 1AA' };
    const left = ['Ann', 'Bob'].map((forename) => standardise({ ...twin, forename }));
    const { counts } = plainCounts(left, [left[0] as (typeof left)[0]]);
    expect(counts.SDL).toEqual({
      shared: 1,
      left: 1,
      right: 1,
      decoys: null,
      relatives: { left: 1, right: 0 },
    });
    expect(counts.FSDL).toMatchObject({ shared: 1, left: 2, right: 1 });
    expect(counts.FD).toMatchObject({ shared: 1, decoys: 0 });
  });

  it('makes decoys with another year, where dates heap as they do', () => {
    expect(decoyOf(standardise({ dateOfBirth: '1980-01-01' })).date).toBe('19840101');
    expect(decoyOf(standardise({ dateOfBirth: '2000-02-29' })).date).toBe('20040229');
    expect(decoyOf(standardise({ dateOfBirth: '2096-02-29' })).date).toBe('21000301');
    expect(decoyOf(standardise({ dateOfBirth: '' })).date).toBe('');
  });
});
