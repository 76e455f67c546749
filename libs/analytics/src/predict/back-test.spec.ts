import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { backTest } from './back-test.js';

const cells = disk(cellAt(51.5, -0.1, 9), 12);
const base = {
  neighbours: neighbourLists(cells),
  sampler: discreteLaplace({ scale: rational(2n) }),
  law: { mechanism: 'discrete-laplace', epsilon: 0.5 } as const,
  draws: 2,
  trainMonths: 6,
  top: 0.02,
};
const month = (): Int32Array =>
  Int32Array.from(cells, (_, i) => (i % 41 === 0 ? 9 : i % 7 === 0 ? 1 : 0));
const category = Array.from({ length: 9 }, month);

describe('backTest', () => {
  it('judges every method, private and not, on the months after the window', () => {
    const results = backTest({ ...base, category, random: seededRandom('a') });
    expect(results.map(({ method }) => method)).toEqual([
      'naive12',
      'ewma',
      'kernel',
      'concordat',
      'naive12-nonprivate',
      'ewma-nonprivate',
      'kernel-nonprivate',
      'concordat-nonprivate',
    ]);
    for (const { months, hitRate, pei, draws, method } of results) {
      expect(months).toBe(3);
      expect(draws).toBe(method.endsWith('nonprivate') ? 1 : 2);
      expect(hitRate).toBeGreaterThanOrEqual(0);
      expect(pei).toBeLessThanOrEqual(1 + 1e-12);
    }
    const exact = results.find(({ method }) => method === 'naive12-nonprivate');
    expect(exact?.pei).toBeCloseTo(1, 12);
  });

  it('is the same for the same random source and differs for another', () => {
    const run = (seed: string) =>
      JSON.stringify(backTest({ ...base, category, random: seededRandom(seed) }));
    expect(run('a')).toBe(run('a'));
    expect(run('a')).not.toBe(run('b'));
  });

  it('neither judges nor trains on a missing month', () => {
    const gap = category.map((counts, t) => (t === 7 || t === 2 ? undefined : counts));
    const [first] = backTest({ ...base, category: gap, random: seededRandom('a') });
    expect(first?.months).toBe(2);
  });

  it('refuses too few months and impossible settings', () => {
    const random = seededRandom('a');
    expect(() => backTest({ ...base, category: category.slice(0, 6), random })).toThrow(/window/);
    expect(() => backTest({ ...base, category, random, top: 0 })).toThrow(/top share/);
    expect(() => backTest({ ...base, category, random, draws: 1e99 })).toThrow(/1 to 1000/);
    const nothing = category.map(() => new Int32Array(cells.length));
    expect(() => backTest({ ...base, category: nothing, random })).toThrow(/no incident/);
  });
});
