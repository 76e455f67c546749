import { describe, expect, it } from '@jest/globals';
import type { ReleaseHeader } from '#libs/protocol';
import { releaseSeries, type SeriesMember } from './release-series.js';

const release = (
  id: string,
  periods: readonly string[],
  {
    categories = ['asb', 'robbery'],
    rho = '1/8',
    by = 'alpha',
    status = 'answered',
    resolution = 9,
  }: {
    readonly categories?: readonly string[];
    readonly rho?: string;
    readonly by?: string;
    readonly status?: string;
    readonly resolution?: number;
  } = {},
): SeriesMember => ({
  id,
  header: {
    query: { measure: 'incidents', categories, periods, resolution, rho, gridHash: 'h' },
    coverage: [{ agency: by, status }],
  } as unknown as ReleaseHeader,
});
const first = release('a', ['2023-11', '2023-12']);
const second = release('b', ['2024-02']);

describe('releaseSeries', () => {
  it('is the same question over other months, oldest first', () => {
    expect(releaseSeries(second, [second, first])).toEqual(['a', 'b']);
    expect(releaseSeries(first, [second, first])).toEqual(['a', 'b']);
  });

  it.each([
    ['another cost', release('c', ['2024-03'], { rho: '1/4' })],
    ['other categories', release('c', ['2024-03'], { categories: ['asb'] })],
    ['another resolution', release('c', ['2024-03'], { resolution: 8 })],
    ['other agencies', release('c', ['2024-03'], { by: 'beta' })],
    ['an agency that did not answer', release('c', ['2024-03'], { status: 'silent' })],
    ['a month that is there already', release('c', ['2024-02', '2024-03'])],
    ['a window of months', release('c', ['2024-03/2024-05'])],
    ['weeks', release('c', ['2024-W20'])],
  ])('leaves out a release with %s', (_what, other) => {
    expect(releaseSeries(second, [other, second, first])).toEqual(['a', 'b']);
  });

  it('takes the newer of two that count the same month, and the release itself before both', () => {
    const again = release('d', ['2023-11', '2023-12']);
    expect(releaseSeries(second, [again, second, first])).toEqual(['d', 'b']);
    expect(releaseSeries(first, [again, second, first])).toEqual(['a', 'b']);
  });

  it('joins weeks with weeks', () => {
    const early = release('w', ['2023-W52']);
    const late = release('x', ['2024-W01', '2024-W02']);
    expect(releaseSeries(late, [late, second, early, first])).toEqual(['w', 'x']);
  });

  it('leaves a window of months alone', () => {
    const window = release('w', ['2024-03/2024-05']);
    expect(releaseSeries(window, [second, window, first])).toEqual(['w']);
  });

  it('holds no more releases than a layer may read: the newest periods', () => {
    const months = Array.from({ length: 150 }, (_, m) => {
      const month = `${2010 + Math.floor(m / 12)}-${String((m % 12) + 1).padStart(2, '0')}`;
      return release(month, [month]);
    }).reverse();
    const series = releaseSeries(months[0] as SeriesMember, months);
    expect(series).toHaveLength(120);
    expect(series.at(-1)).toBe('2022-06');
  });
});
