import { describe, expect, it } from '@jest/globals';
import { cellToText } from '#libs/grid';
import { daysOf, weeksWithin } from '#libs/query';
import { area, bristol, Published, publish } from './published.fixture-spec.js';

const store = new Published();
const hot = area.indexOf(bristol);
const cellNow = cellToText(bristol);
const beside = cellToText(area[hot + 1] as bigint);

describe('weeks', () => {
  const weeks = weeksWithin(daysOf('2024-01').firstDay, daysOf('2024-03').lastDay);
  const weekly = (from: number, to: number, seed: string) =>
    publish(store, {
      rho: '4',
      seed,
      counts: {
        asb: Object.fromEntries(
          weeks
            .slice(from, to)
            .map((week, t) => [
              week,
              (cell: number) => (cell === hot && from + t >= weeks.length - 2 ? 60 : 2),
            ]),
        ),
      },
    });

  it('make a line of their own, with a warning in the newest', async () => {
    const result = await store.compute('warnings', { category: 'asb', resolution: 9, recent: 2 }, [
      weekly(0, weeks.length, 'weeks'),
    ]);
    expect(result.summary.periods).toEqual(weeks);
    expect(result.summary.watched).toEqual(weeks.slice(-2));
    expect(result.rows.map(([cell]) => cell)).toContain(cellNow);
    expect(result.rows.length).toBeLessThan(8);
  });

  it('that nobody counted are missing, and a range of months takes those within it', async () => {
    const parts = [weekly(0, 5, 'early'), weekly(6, weeks.length, 'late')];
    const { summary } = await store.compute('hotspots', { category: 'asb', resolution: 9 }, parts);
    expect(summary.periods).toEqual(weeks);
    expect(summary.missingCellPeriods).toBe(area.length);
    const march = await store.compute(
      'hotspots',
      { category: 'asb', resolution: 9, from: '2024-03' },
      parts,
    );
    expect(march.summary.periods).toEqual(['2024-W10', '2024-W11', '2024-W12', '2024-W13']);
  });

  it('are not read together with months, nor evaluated', async () => {
    const id = weekly(0, weeks.length, 'weeks');
    const month = publish(store, {
      rho: '4',
      seed: 'april',
      counts: { asb: { '2024-05': () => 2 } },
    });
    await expect(
      store.compute('trend', { category: 'asb', resolution: 9 }, [id, month]),
    ).rejects.toMatchObject({ code: 'mixed-periods' });
    await expect(
      store.compute(
        'evaluation',
        { category: 'asb', start: '2024-02', treated: [cellNow], control: [beside] },
        [id],
      ),
    ).rejects.toMatchObject({ code: 'week-period' });
  });
});
