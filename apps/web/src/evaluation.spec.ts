import { describe, expect, it } from '@jest/globals';
import { cellAt, cellToText, disk, parentOf } from '#libs/grid';
import type { Area } from './area.js';
import {
  comparedAreas,
  evaluationOf,
  evaluationProblem,
  missingArea,
  startsOf,
  withPicked,
} from './evaluation.js';
import { releaseOf } from './release.fixture-spec.js';
import { selectionOf } from './selection.js';
import { START, type ViewState } from './url-state.js';
import type { AreaState, AreaStates } from './use-areas.js';

const bristol = cellAt(51.4545, -2.5879, 9);
const around = Array.from(disk(bristol, 6), cellToText);
const cells = (...at: readonly number[]): Area => ({ cells: at.map((i) => around[i] ?? '') });
const [a, b, c, d, e] = [0, 20, 40, 60, 80].map((i) => cells(i)) as [Area, Area, Area, Area, Area];

const release = (id: string, periods: readonly string[]) => releaseOf(id, periods, ['burglary'], 9);
/** May is not counted by anybody. */
const releases = [
  release('two', ['2024-04', '2024-06', '2024-07']),
  release('one', ['2024-01', '2024-02', '2024-03']),
];

const viewOf = (state: Partial<ViewState>): ViewState => ({
  ...START,
  show: 'evaluation',
  treated: a,
  control: b,
  start: '2024-04',
  ...state,
});
const found = (area: Area): AreaState => ({
  step: 'found',
  area: {
    cells: (area.cells ?? []).map((text) => ({ cell: BigInt(`0x${text}`), ring: [] })),
    named: area.cells ?? [],
  },
});
const statesOf = (state: ViewState): AreaStates =>
  new Map(comparedAreas(state).map(({ area }) => [area.cells?.join() ?? '', found(area)]));
const asked = (state: Partial<ViewState>, areas?: AreaStates) => {
  const view = viewOf(state);
  const selection = selectionOf(view, releases, []);
  if (!selection) throw new Error('nothing selected');
  return evaluationOf(selection, view, areas ?? statesOf(view))?.given;
};

describe('months of an evaluation', () => {
  it('can start in any counted month but the first', () => {
    const moments = selectionOf(viewOf({}), releases, [])?.moments ?? [];
    expect(startsOf(moments)).toEqual(['2024-02', '2024-03', '2024-04', '2024-06', '2024-07']);
  });

  it.each([
    [{ start: '2024-03' }, ['2024-01', '2024-07']],
    [{ start: '2024-04', before: 2 }, ['2024-02', '2024-07']],
    [{ start: '2024-04', after: 2 }, ['2024-01', '2024-06']],
    [{ start: '2024-07', before: 99, after: 99 }, ['2024-01', '2024-07']],
    [{ start: '2024-06', before: 1, after: 1 }, ['2024-04', '2024-06']],
  ])('are those next to the start: %p', (state, range) => {
    const { from, to } = asked(state) ?? {};
    expect([from, to]).toEqual(range);
  });

  it.each([
    ['without a start', { start: undefined }],
    ['from the first month on', { start: '2024-01' }],
    ['after the last month', { start: '2025-01' }],
  ])('are none %s: nothing is asked', (_, state) => {
    expect(asked(state)).toBeUndefined();
  });
});

describe('areas of an evaluation', () => {
  it('are those that its method compares, whatever else is in the address', () => {
    const all = { displacement: c, displacementControl: d, donors: [b, e] };
    expect(Object.keys(asked({ ...all }) ?? {})).toEqual(
      expect.arrayContaining(['treated', 'control', 'displacement', 'displacementControl']),
    );
    expect(asked({ ...all })).not.toHaveProperty('donors');
    expect(asked({ ...all, method: 'did' })).not.toHaveProperty('displacement');
    const mixed = asked({ ...all, method: 'synthetic' });
    expect(mixed?.donors).toEqual([b.cells, e.cells]);
    expect(mixed).not.toHaveProperty('displacement');
  });

  it.each([
    [{ displacement: c }, /control of the displacement area/],
    [{ displacementControl: c }, /the displacement area too/],
    [{ method: 'synthetic' as const }, /two comparison areas/],
    [{ method: 'synthetic' as const, donors: [c] }, /two comparison areas/],
  ])('have to be complete: %p', (state, text) => {
    expect(missingArea(viewOf(state), new Map())).toMatch(text);
    expect(asked(state)).toBeUndefined();
  });

  it('that have no hexagons are named', () => {
    const donors = [{ authority: 'Bristol, City of' }, { authority: 'Nowhere' }];
    const view = viewOf({ method: 'synthetic', donors });
    const areas = new Map(statesOf(view)).set('Nowhere', { step: 'failed', problem: 'none' });
    expect(missingArea(view, areas)).toMatch(/comparison area 2: choose it anew, or remove it/);
  });

  it('are known before anything is asked', () => {
    expect(asked({}, new Map())).toBeUndefined();
    expect(asked({ control: undefined })).toBeUndefined();
  });

  it.each([
    [{ control: a }, /^The treated area and the control area share/],
    [
      { displacement: c, displacementControl: { cells: [parentText(c)] } },
      /^The .* and .* share a hexagon/,
    ],
    [{ method: 'synthetic' as const, donors: [c, c] }, /^Comparison area 1 and comparison area 2/],
    [{ method: 'synthetic' as const, donors: [c, a] }, /^The treated area and comparison area 2/],
  ])('share no place: %p', (state, text) => {
    const view = viewOf(state);
    expect(evaluationProblem(view, statesOf(view))).toMatch(text);
    expect(asked(state)).toBeUndefined();
  });

  it('a comparison area may be the control', () => {
    expect(asked({ method: 'synthetic', donors: [b, c] })?.donors).toEqual([b.cells, c.cells]);
  });

  it('take hexagons that are clicked, also one comparison area after another', () => {
    const [one = '', other = ''] = around;
    expect(withPicked(viewOf({}), 'displacement', one)).toEqual({
      displacement: { cells: [one] },
    });
    expect(withPicked(viewOf({}), 0, one)).toEqual({ donors: [{ cells: [one] }] });
    const state = viewOf({ donors: [c, { cells: [one] }] });
    expect(withPicked(state, 1, other).donors).toEqual([c, { cells: [one, other] }]);
    expect(withPicked(state, 1, one).donors).toEqual([c]);
  });
});

function parentText(area: Area): string {
  return cellToText(parentOf(BigInt(`0x${area.cells?.[0]}`), 7));
}
