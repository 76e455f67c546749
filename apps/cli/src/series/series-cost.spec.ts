import { describe, expect, it } from '@jest/globals';
import { checkBudget, costOf, dueQueries, yearsOf } from './series-cost.js';
import { checkedSeries, type Series, type SeriesRun } from './series-file.js';

const release = 'a'.repeat(64);
const ran = (period: string, query: number, made: string | null = release): SeriesRun => ({
  period,
  query,
  at: '2024-03-15T06:00:00.000Z',
  release: made,
  code: made === null ? 'no-contribution' : null,
});
const series = (change: object = {}): Series =>
  checkedSeries({
    version: 1,
    name: 'monthly',
    url: 'http://127.0.0.1:4100',
    analyst: 'demo-analyst',
    key: 'signing.pem',
    purpose: 'hotspot-policing',
    first: '2024-01',
    queries: [
      { categories: ['asb'], resolution: 8, rho: '1/10' },
      { categories: ['robbery', 'weapons'], resolution: 7, rho: '1/50' },
    ],
    rhoPerYear: '3/2',
    cron: '0 6 * * *',
    stopped: false,
    runs: [],
    ...change,
  });

describe('the cost of a series', () => {
  it('is exact: twelve runs of every question', () => {
    expect(costOf(series())).toMatchObject({ rhoPerRun: '3/25', rhoOfYear: '36/25', fits: true });
    expect(costOf(series({ rhoPerYear: '143/100' })).fits).toBe(false);
    expect(costOf(series()).epsilonOfYear).toBeGreaterThan(1);
  });

  it('counts what was released, of the year of the data', () => {
    const started = series({
      runs: [ran('2023-12', 0), ran('2024-01', 0), ran('2024-01', 1, null), ran('2024-02', 1)],
    });
    expect(yearsOf(started, [{ period: '2024-03', query: 0 }])).toEqual([
      { year: '2024', rhoSpent: '3/25', rhoDue: '1/10' },
    ]);
  });

  it('stops the question that would spend more, and only that one', () => {
    const tight = series({ rhoPerYear: '3/25', runs: [ran('2024-01', 0)] });
    expect(() => checkBudget(tight, { period: '2024-02', query: 0 })).toThrow(
      expect.objectContaining({ code: 'series-budget' }),
    );
    expect(() => checkBudget(tight, { period: '2024-01', query: 1 })).not.toThrow();
    expect(() => checkBudget(tight, { period: '2025-01', query: 0 })).not.toThrow();
  });
});

describe('what is due', () => {
  const offered = [
    ['2023-12', '2024-01', '2024-02', '2024-03'],
    ['2024-01', '2024-02'],
  ];

  it('is every month that all agencies hold and that has no release, oldest first', () => {
    const started = series({ runs: [ran('2024-01', 0), ran('2024-01', 1, null)] });
    expect(dueQueries(started, offered)).toEqual([
      { period: '2024-01', query: 1 },
      { period: '2024-02', query: 0 },
      { period: '2024-02', query: 1 },
    ]);
    expect(dueQueries(started, [])).toEqual([]);
  });
});

describe('a series file', () => {
  it.each([
    ['queries.0.rho', { queries: [{ categories: ['asb'], resolution: 8, rho: '0.1' }] }],
    ['queries.0.resolution', { queries: [{ categories: ['asb'], resolution: 12, rho: '1/8' }] }],
    ['queries', { queries: [] }],
    ['first', { first: '2024' }],
    ['name', { name: '../elsewhere' }],
    ['a run', { runs: [ran('2024-01', 7)] }],
    ['document', { colour: 'blue' }],
  ])('is refused by its %s', (place, change) => {
    expect(() => series(change)).toThrow(
      expect.objectContaining({ code: 'bad-series', message: expect.stringContaining(place) }),
    );
  });
});
