import { describe, expect, it } from '@jest/globals';
import type { Release } from './release-client.js';
import { momentsOf, seriesOf } from './series.js';

const release = (
  id: string,
  periods: readonly string[],
  more: {
    readonly categories?: readonly string[];
    readonly rho?: string;
    readonly by?: string;
  } = {},
): Release => {
  const { categories = ['asb', 'robbery'], rho = '1/8', by = 'alpha' } = more;
  return {
    id,
    fingerprint: id,
    query: { measure: 'incidents', categories, periods, resolution: 9, purpose: 'test', rho },
    groups: categories.flatMap((category) => periods.map((period) => ({ category, period }))),
    sentence: '',
    grid: 'g',
    gridHash: 'h',
    privacy: { unit: 'incident', rho, epsilon: 1, delta: 1e-6 },
    agencies: [{ id: by, name: by, status: 'contributed' }],
    releasedAt: '2024-06-01T00:00:00Z',
  };
};
const first = release('a', ['2023-11', '2023-12']);
const second = release('b', ['2024-02']);
const ids = (series: readonly Release[]) => series.map(({ id }) => id);

describe('a series', () => {
  it('is the same question over other months, oldest first', () => {
    expect(ids(seriesOf(second, [second, first]))).toEqual(['a', 'b']);
    expect(ids(seriesOf(first, [second, first]))).toEqual(['a', 'b']);
  });

  it.each([
    ['another cost', release('c', ['2024-03'], { rho: '1/4' })],
    ['other categories', release('c', ['2024-03'], { categories: ['asb'] })],
    ['other agencies', release('c', ['2024-03'], { by: 'beta' })],
    ['a month that is there already', release('c', ['2024-02', '2024-03'])],
    ['a window of months', release('c', ['2024-03/2024-05'])],
  ])('leaves out a release with %s', (_what, other) => {
    expect(ids(seriesOf(second, [other, second, first]))).toEqual(['a', 'b']);
  });

  it('takes the newer of two that count the same month', () => {
    const again = release('d', ['2023-11', '2023-12']);
    expect(ids(seriesOf(second, [again, second, first]))).toEqual(['d', 'b']);
  });
});

describe('the months of a series', () => {
  it('keep a place for those that nobody counted', () => {
    const moments = momentsOf([first, second], 'all');
    expect(moments.map(({ period, release: counted }) => [period, counted?.id])).toEqual([
      ['2023-11', 'a'],
      ['2023-12', 'a'],
      ['2024-01', undefined],
      ['2024-02', 'b'],
    ]);
  });

  it('and for those that only another category counted', () => {
    const partly: Release = {
      ...first,
      groups: first.groups.filter(
        ({ category, period }) => category === 'asb' || period === '2023-11',
      ),
    };
    expect(momentsOf([partly], 'robbery').map((moment) => moment.release?.id)).toEqual([
      'a',
      undefined,
    ]);
  });

  it('are windows as they stand, when the question had windows', () => {
    const windows = release('w', ['2024-01/2024-03', '2024-04/2024-06']);
    expect(momentsOf([windows], 'asb').map(({ period }) => period)).toEqual(windows.query.periods);
  });
});
