import { beforeAll, describe, expect, it } from '@jest/globals';
import { fromUtf8, utf8ToBytes } from '#libs/bytes';
import { cellToText, parentOf } from '#libs/grid';
import { computeLayer, layerKey, layerRequest, parseResult } from './index.js';
import { area, bristol, months, numberOf, Published, publish } from './published.fixture-spec.js';

const store = new Published();
const hot = area.indexOf(bristol);
const year = months(12);
const everyMonth = (count: (cell: number, t: number) => number) =>
  Object.fromEntries(year.map((month, t) => [month, (cell: number) => count(cell, t)]));
/** Twelve months: much in one cell, more every month in its neighbour, little elsewhere. */
const busy = (cell: number, t: number): number =>
  cell === hot ? 40 : cell === hot + 1 ? 4 * t : (cell + t) % 29 === 0 ? 1 : 0;
const cellNow = cellToText(bristol);
const rising = cellToText(area[hot + 1] as bigint);

let release: string;
/** The same counts, asked month by month. */
let monthly: string[];
beforeAll(() => {
  const counts = {
    robbery: everyMonth(busy),
    burglary: everyMonth((cell) => (cell % 7 === 0 ? 1 : 0)),
  };
  release = publish(store, { rho: '4', counts });
  monthly = year.map((month, t) =>
    publish(store, {
      rho: '4',
      seed: month,
      counts: { robbery: { [month]: (cell: number) => busy(cell, t) } },
    }),
  );
});

const deprivation = (): string =>
  store.put(
    utf8ToBytes(
      `cell,quintile,people\n${Array.from(area, (cell, i) => `${cellToText(cell)},${(i % 5) + 1},0.5`).join('\n')}\n`,
    ),
  );
const rowOf = (result: { rows: readonly (readonly unknown[])[] }, cell: string) =>
  result.rows.find(([first]) => first === cell);

describe('a layer', () => {
  it('has the same bytes each time, and other bytes for another question', async () => {
    const request = layerRequest('emerging', { category: 'robbery', resolution: 9 }, [release]);
    const once = await computeLayer(request, store);
    expect(await computeLayer(request, store)).toEqual(once);
    const other = layerRequest('emerging', { category: 'robbery', resolution: 9, draws: 60 }, [
      release,
    ]);
    expect(layerKey(other)).not.toBe(layerKey(request));
    expect(parseResult(once).key).toBe(layerKey(request));
  });

  it('says what it was computed from, how, and what its uncertainty means', async () => {
    const result = await store.compute('hotspots', { category: 'robbery', resolution: 9 }, [
      release,
    ]);
    expect(result.releases).toEqual([release]);
    expect(result.parameters).toEqual({
      category: 'robbery',
      resolution: 9,
      rate: '0.05',
      top: '0.01',
    });
    expect(result.citation).toMatch(/19\d\d/);
    expect(result.uncertainty.length).toBeGreaterThan(20);
    expect(result.limitations.length).toBeGreaterThan(1);
  });

  it('holds no number but whole ones', async () => {
    const bytes = await computeLayer(
      layerRequest('trend', { category: 'robbery', resolution: 9 }, [release]),
      store,
    );
    expect(fromUtf8(bytes)).not.toMatch(/[:[,]-?\d+\.\d/);
  });

  it('stops between steps when it is not wanted any more', async () => {
    const abort = new AbortController();
    const request = layerRequest('concentration', { category: 'robbery', resolution: 9 }, [
      release,
    ]);
    const computing = computeLayer(request, store, {
      signal: abort.signal,
      onProgress: (share) => {
        if (share > 0) abort.abort();
      },
    });
    await expect(computing).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('methods on known counts', () => {
  it('finds the hot cell and says how sure that is', async () => {
    const result = await store.compute('hotspots', { category: 'robbery', resolution: 9 }, [
      release,
    ]);
    const row = rowOf(result, cellNow);
    expect(row?.[result.columns.indexOf('hot')]).toBe(1);
    expect(Math.abs(Number(row?.[result.columns.indexOf('sum')]) - 480)).toBeLessThan(20);
    expect(Number(row?.[result.columns.indexOf('p')])).toBeLessThan(1e-6);
    expect(Number(row?.[result.columns.indexOf('probabilityTop')])).toBeGreaterThan(0.99);
  });

  it('finds the rising cell and its slope', async () => {
    const result = await store.compute('trend', { category: 'robbery', resolution: 9 }, [release]);
    expect(
      Math.abs(Number(rowOf(result, rising)?.[result.columns.indexOf('slope')]) - 4),
    ).toBeLessThan(0.5);
  });

  it('warns where the newest months leave the usual rate', async () => {
    const jump = (cell: number, t: number): number => (cell === hot && t >= 10 ? 60 : 0);
    const id = publish(store, { rho: '4', seed: 'jump', counts: { asb: everyMonth(jump) } });
    const result = await store.compute('warnings', { category: 'asb', resolution: 9, recent: 2 }, [
      id,
    ]);
    expect(rowOf(result, cellNow)).toBeDefined();
    expect(result.rows.length).toBeLessThan(8);
    expect(result.summary.watched).toEqual(['2023-11', '2023-12']);
  });

  it('tests clusters by the exact law of the released sums', async () => {
    const { columns, rows, summary } = await store.compute(
      'hotspots',
      { category: 'robbery', resolution: 9 },
      [release],
    );
    const p = Number(rows.find(([cell]) => cell === cellNow)?.[columns.indexOf('clusterP')]);
    expect(summary.clusterLaw).toBe('exact');
    expect(p).toBeGreaterThan(0);
    expect(p).toBeLessThan(0.5);
  });

  it('gives emerging classes with their stability', async () => {
    const result = await store.compute('emerging', { category: 'robbery', resolution: 9 }, [
      release,
    ]);
    const row = rowOf(result, cellNow);
    expect(String(row?.[1])).toMatch(/hot$/);
    expect(Number(row?.[2])).toBeGreaterThanOrEqual(0.8);
  });

  it('measures concentration with an interval', async () => {
    const { summary, rows } = await store.compute(
      'concentration',
      { category: 'robbery', resolution: 9 },
      [release],
    );
    expect(numberOf(summary.giniLow)).toBeLessThan(numberOf(summary.giniHigh));
    expect(numberOf(summary.gini)).toBeGreaterThan(0.5);
    for (const share of ['25', '50']) {
      const cells = Number(summary[`cellsHolding${share}`]);
      expect(cells).toBeGreaterThanOrEqual(Number(summary[`cellsHolding${share}Low`]));
      expect(cells).toBeLessThanOrEqual(Number(summary[`cellsHolding${share}High`]));
    }
    expect(rows[0]).toEqual(['0', '0']);
    expect(rows.at(-1)).toEqual(['1', '1']);
  });

  it('forecasts with back-test, drift, fairness and limits in the same document', async () => {
    const { summary, rows, limitations } = await store.compute(
      'forecast',
      { category: 'robbery', resolution: 9, deprivation: deprivation() },
      [release],
    );
    const { backTest, drift, fairness, companions } = summary as Record<string, never> & {
      backTest: { hitRate: string; months: string[] };
      drift: { alarm: boolean };
      fairness: { quintile: number; patrolShare: string }[];
      companions: string[];
    };
    expect(companions).toEqual(['burglary', 'robbery']);
    // Two cells of five chosen hold nearly all of what happened in the last months.
    expect(numberOf(backTest.hitRate)).toBeGreaterThan(0.7);
    expect(backTest.months).toHaveLength(6);
    expect(drift.alarm).toBe(false);
    expect(fairness.map(({ quintile }) => quintile)).toEqual([1, 2, 3, 4, 5]);
    const shares = fairness.reduce((sum, { patrolShare }) => sum + Number(patrolShare), 0);
    expect(shares).toBeCloseTo(1, 4);
    const row = rows.find(([cell]) => cell === cellNow);
    expect(Number(row?.[3])).toBeLessThan(40);
    expect(Number(row?.[4])).toBeGreaterThan(36);
    expect(limitations.join(' ')).toMatch(/never people/);
  });

  it('raises the alarm when the newest months are hit far less than those before', async () => {
    const moved = (cell: number, t: number): number =>
      cell === (t < 9 ? hot : hot - 60) ? 200 : 0;
    const id = publish(store, { rho: '4', seed: 'moved', counts: { drugs: everyMonth(moved) } });
    const { summary } = await store.compute(
      'forecast',
      { category: 'drugs', resolution: 9, deprivation: deprivation() },
      [id],
    );
    expect((summary.drift as { alarm: boolean }).alarm).toBe(true);
  });

  it('evaluates an intervention between named areas', async () => {
    const treatedCell = parentOf(bristol, 8);
    const control = parentOf(area[3] as bigint, 8);
    const counts = (cell: number, t: number): number => {
      const parent = parentOf(area[cell] as bigint, 8);
      return parent === treatedCell ? (t < 6 ? 40 : 20) : parent === control ? 40 : 0;
    };
    const id = publish(store, {
      rho: '4',
      seed: 'treated',
      counts: { burglary: everyMonth(counts) },
    });
    const { summary, rows } = await store.compute(
      'evaluation',
      {
        category: 'burglary',
        start: '2023-07',
        treated: [cellToText(treatedCell)],
        control: [cellToText(control)],
      },
      [id],
    );
    const wdd = summary.weightedDisplacement as Record<string, string | boolean>;
    expect(Math.abs(Number(wdd.change) + 7 * 20 * 6)).toBeLessThan(60);
    expect(wdd.isSignificant).toBe(true);
    expect(Number(wdd.low)).toBeLessThan(-7 * 20 * 6);
    expect(Number(wdd.high)).toBeGreaterThan(-7 * 20 * 6);
    expect(Number(wdd.high)).toBeLessThan(0);
    const did = summary.differenceInDifferences as Record<string, string>;
    expect(Number(did.low)).toBeLessThan(Number(did.effectPerMonth));
    expect(Number(did.high)).toBeGreaterThan(Number(did.effectPerMonth));
    expect(rows).toHaveLength(12);
    const falls = summary.power as readonly { fall: string; found: string }[];
    expect(falls.map(({ fall }) => fall)).toEqual(['0.1', '0.2', '0.3', '0.5']);
    const found = falls.map(({ found }) => Number(found));
    expect(found).toEqual([...found].sort((a, b) => a - b));
    expect(found.at(-1)).toBeGreaterThan(0.99);
  });

  describe('an evaluation', () => {
    const treated = parentOf(bristol, 8);
    const around = [...new Set(Array.from(area, (cell) => parentOf(cell, 8)))].filter(
      (cell) => cell !== treated,
    );
    const evaluated = (more: Record<string, unknown>) =>
      store.compute(
        'evaluation',
        { category: 'robbery', start: '2023-07', treated: [cellToText(treated)], ...more },
        [release],
      );
    const errorOf = ({ summary }: Awaited<ReturnType<typeof evaluated>>): number =>
      Number((summary.weightedDisplacement as { standardError: string }).standardError);

    it('sees less once displacement areas add their counts', async () => {
      const [control, displacement, displacementControl] = around.map((cell) => [cellToText(cell)]);
      const alone = await evaluated({ control });
      const displaced = await evaluated({ control, displacement, displacementControl });
      expect(errorOf(displaced)).toBeGreaterThan(errorOf(alone));
      const [least, most] = [displaced, alone].map(({ summary }) =>
        Number((summary.power as { found: string }[])[0]?.found),
      );
      expect(least).toBeLessThan(Number(most));
    });

    it('counts the noise that siblings share: more than that of both alone', async () => {
      const sibling = around.find((cell) => parentOf(cell, 7) === parentOf(treated, 7)) as bigint;
      const result = await evaluated({ control: [cellToText(sibling)] });
      const columns = (names: readonly string[]): number[] =>
        result.rows.flatMap((row) =>
          names.map((name) => Number(row[result.columns.indexOf(name)])),
        );
      const add = (values: readonly number[]): number => values.reduce((sum, value) => sum + value);
      const poisson = add(columns(['treated', 'control']));
      const apart = add(columns(['treatedNoiseSd', 'controlNoiseSd']).map((sd) => sd * sd));
      expect(errorOf(result) ** 2 - poisson).toBeGreaterThan(1.02 * apart);
    });
  });

  it('plans questions within the budget of the year', async () => {
    const { summary, rows } = await store.compute('plan', { rhoPerYear: '6' }, [release]);
    const queries = summary.queries as { categories: string[]; resolution: number; rho: string }[];
    expect(queries.flatMap(({ categories }) => categories)).toContain('robbery');
    const [whole = '', parts = '1'] = String(summary.rhoPerYear).split('/');
    expect(Number(whole) / Number(parts)).toBeLessThanOrEqual(6);
    expect(rows).toHaveLength(12);
  });

  it('plans weeks by their share of the year', async () => {
    const runsOf = async (runs: number) => {
      const { rows } = await store.compute('plan', { rhoPerYear: '6', runs }, [release]);
      return rows.map((row) => row[3]);
    };
    const [monthly12, weekly53] = [await runsOf(12), await runsOf(53)];
    // As much noise in the year and as many incidents: more runs of less budget cannot see more.
    monthly12.forEach((power, i) => {
      expect(Number(weekly53[i])).toBeLessThanOrEqual(Number(power));
    });
  });
});

describe('what was not counted', () => {
  it('is missing and not zero, in a month that nobody asked for', async () => {
    const ids = monthly.filter((_, t) => t !== 5);
    const { summary, rows, columns } = await store.compute(
      'hotspots',
      { category: 'robbery', resolution: 9 },
      ids,
    );
    expect(summary.missingCellPeriods).toBe(area.length);
    expect(summary.periods).toHaveLength(12);
    const row = rows.find(([cell]) => cell === cellNow);
    expect(row?.[columns.indexOf('periods')]).toBe(11);
    // Sums of eleven and of twelve months are not exchangeable; here all cells miss the same month.
    expect(summary.clusterLaw).toBe('exact');
  });

  it('is asked for by months once each', async () => {
    await expect(
      store.compute('trend', { category: 'robbery', resolution: 9 }, [
        release,
        monthly[3] as string,
      ]),
    ).rejects.toMatchObject({ code: 'overlapping-periods' });
  });

  it.each([
    ['no-such-layer', 'hotspots', { category: 'weapons', resolution: 9 }],
    ['no-such-layer', 'hotspots', { category: 'robbery', resolution: 9, from: '2025-01' }],
    [
      'period-order',
      'hotspots',
      { category: 'robbery', resolution: 9, from: '2023-06', to: '2023-01' },
    ],
    ['too-few-periods', 'warnings', { category: 'robbery', resolution: 9, recent: 10 }],
    ['too-few-periods', 'trend', { category: 'robbery', resolution: 9, to: '2023-03' }],
    ['bad-parameter', 'trend', { category: 'robbery', resolution: 9, rate: '1.5' }],
    ['bad-parameter', 'trend', { category: 'robbery', resolution: 9, rates: '0.5' }],
    ['bad-parameter', 'trend', { category: 'jaywalking', resolution: 9 }],
    ['bad-parameter', 'forecast', { category: 'robbery', resolution: 9 }],
    ['unknown-method', 'horoscope', {}],
    [
      'area-not-covered',
      'evaluation',
      { category: 'robbery', start: '2023-07', treated: ['89194ad32a3ffff'], control: [cellNow] },
    ],
    [
      'overlapping-areas',
      'evaluation',
      { category: 'robbery', start: '2023-07', treated: [cellNow], control: [cellNow] },
    ],
    [
      'overlapping-areas',
      'evaluation',
      {
        category: 'robbery',
        start: '2023-07',
        treated: [cellToText(parentOf(area[0] as bigint, 8))],
        control: [rising],
        donors: [[cellToText(area[0] as bigint)], [cellNow]],
      },
    ],
  ])('%s: %s', async (code, method, parameters) => {
    await expect(store.compute(method, parameters, [release])).rejects.toMatchObject({ code });
  });

  it.each([
    [{ resolution: 10 }, /resolution .*<=9/],
    [{ category: 'jaywalking' }, /category .*"robbery"/],
    [{ from: '2024-13' }, /from .*YYYY-MM/],
    [{ rate: '1.5' }, /rate .*above 0 and below 1/],
    [{ rates: '0.5' }, /it has category, resolution/],
  ])('and what is asked wrongly is told what it may be: %j', (change, message) => {
    const asked = { category: 'robbery', resolution: 9, ...change };
    expect(() => layerRequest('trend', asked, [release])).toThrow(message);
  });

  it.each([{ category: 'weapons' }, { category: 'robbery', from: '2025-01' }])(
    'and what no release holds is told what they do: %j',
    async (change) => {
      await expect(store.compute('trend', { resolution: 9, ...change }, [release])).rejects.toThrow(
        /they hold (.*, )?robbery.*, from 2023-01 to 2023-12$/,
      );
    },
  );

  it('mixed budgets are refused, and a window is not a month', async () => {
    const cheap = publish(store, {
      rho: '1/8',
      seed: 'cheap',
      counts: { robbery: Object.fromEntries(year.slice(6).map((month) => [month, () => 1])) },
    });
    const half = monthly.slice(0, 6);
    await expect(
      store.compute('trend', { category: 'robbery', resolution: 9 }, [...half, cheap]),
    ).rejects.toMatchObject({ code: 'mixed-noise' });
    const window = publish(store, {
      seed: 'window',
      counts: { robbery: { '2023-01/2023-06': () => 3 } },
    });
    await expect(
      store.compute('trend', { category: 'robbery', resolution: 9 }, [window]),
    ).rejects.toMatchObject({ code: 'window-period' });
  });
});
