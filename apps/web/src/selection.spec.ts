import { describe, expect, it } from '@jest/globals';
import { releaseOf } from './release.fixture-spec.js';
import { selectionOf } from './selection.js';
import { START, type ViewState } from './url-state.js';

const release = (id: string, periods: readonly string[]) =>
  releaseOf(id, periods, ['burglary', 'drugs'], 8);

/** May is not counted by anybody. */
const releases = [
  release('two', ['2024-04', '2024-06', '2024-07']),
  release('one', ['2024-01', '2024-02', '2024-03']),
];
const chosen = (state: Partial<ViewState>) => {
  const selection = selectionOf({ ...START, ...state }, releases, []);
  if (!selection) throw new Error('nothing selected');
  return selection;
};

describe('what a report asks', () => {
  it('concentration: of every month of the series, or of the one on the map', () => {
    const { question, category } = chosen({ show: 'concentration' });
    expect(category).toBe('burglary');
    expect(question).toEqual({
      field: 'concentration',
      given: { releases: ['one', 'two'], category, resolution: 8, from: null, to: null },
    });
    expect(chosen({ show: 'concentration', period: '2024-02' }).question?.given).toMatchObject({
      releases: ['one'],
      from: '2024-02',
      to: '2024-02',
    });
    expect(chosen({ show: 'concentration', period: '2024-05' }).question).toBeUndefined();
  });

  it('plan: with a budget within the epsilon that is asked for', () => {
    const { question } = chosen({ show: 'plan', epsilon: 3, runs: 12 });
    expect(question).toEqual({
      field: 'plan',
      given: { releases: ['one', 'two'], rhoPerYear: '9/50', runs: 12 },
    });
    expect(chosen({ show: 'plan', epsilon: 0.2, runs: 12 }).question).toBeUndefined();
  });
});
