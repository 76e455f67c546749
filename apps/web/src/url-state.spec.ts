import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatViewState, parseViewState, START } from './url-state.js';

describe('view state in the URL', () => {
  it('survives writing and reading', () => {
    const state = {
      show: 'emerging' as const,
      resolution: 8,
      forecast: 'burglary-next-month',
      treated: { authority: 'Bristol, City of' },
      method: 'synthetic' as const,
      control: { cells: ['89195839227ffff'] },
      displacement: { authority: 'North Somerset' },
      displacementControl: { cells: ['881958392bfffff', '89195839227ffff'] },
      donors: [{ authority: 'Bath and North East Somerset' }, { cells: ['89195839227ffff'] }],
      start: '2023-09',
      before: 8,
      after: 3,
      epsilon: 2.5,
      runs: 53,
      release: '7f1c0c7e9ab24d10',
      layer: 'vehicle-crime',
      period: '2024-01',
      zoom: 10.25,
      latitude: 51.4545,
      longitude: -2.5879,
      cell: '89195839227ffff',
    };
    const fragment = formatViewState(state);
    expect(fragment).toBe(
      '#release=7f1c0c7e9ab24d10&show=emerging&layer=vehicle-crime&period=2024-01&resolution=8&forecast=burglary-next-month&method=synthetic&treated=Bristol,+City+of&control=89195839227ffff&displacement=North+Somerset&displacementControl=881958392bfffff,89195839227ffff&donor=Bath+and+North+East+Somerset&donor=89195839227ffff&start=2023-09&before=8&after=3&epsilon=2.5&runs=53&map=10.25/51.45450/-2.58790&cell=89195839227ffff',
    );
    expect(parseViewState(fragment)).toEqual(state);
  });

  it.each([
    '',
    '#',
    '#layer=<script>&map=1e9/0/0',
    '#map=99/51/0',
    '#map=5/86/0',
    '#cell=zz',
    '#show=people&period=2024-1&resolution=12&forecast=../x',
    '#treated=<b>&control=89195839227fff&start=2023-13&before=0&after=x&method=magic&donor=<i>&donor=&displacement=<b>&epsilon=0&runs=55',
    '#epsilon=1e9&runs=1.5&before=-1&start=now&treated=',
  ])('falls back to the start view: %s', (fragment) => {
    expect(parseViewState(fragment)).toEqual({
      ...START,
      release: undefined,
      cell: undefined,
      resolution: undefined,
      forecast: undefined,
      treated: undefined,
      control: undefined,
      displacement: undefined,
      displacementControl: undefined,
      donors: undefined,
      method: undefined,
      start: undefined,
      before: undefined,
      after: undefined,
      epsilon: undefined,
      runs: undefined,
    });
  });

  it('keeps a window of months', () => {
    const state = parseViewState('#period=2024-01/2024-03');
    expect(state.period).toBe('2024-01/2024-03');
    expect(formatViewState(state)).toContain('period=2024-01/2024-03');
  });

  it('reads any text without throwing, and is stable after one round', () => {
    fc.assert(
      fc.property(fc.webFragments(), (text) => {
        const once = parseViewState(`#${text}`);
        expect(parseViewState(formatViewState(once))).toEqual(once);
      }),
    );
  });
});
