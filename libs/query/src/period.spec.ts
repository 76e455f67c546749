import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  accountingYears,
  canonicalPeriod,
  dateToDay,
  daysOf,
  dayToDate,
  londonDay,
  monthsOf,
  parseInstant,
  periodsOverlap,
  weekOfDay,
  weeksWithin,
} from './index.js';

describe('periods', () => {
  it('lists the months of a window over a year end', () => {
    expect(monthsOf('2023-11/2024-02')).toEqual(['2023-11', '2023-12', '2024-01', '2024-02']);
    expect(monthsOf('2024-02')).toEqual(['2024-02']);
    expect(canonicalPeriod('2024-02/2024-02')).toBe('2024-02');
    expect(accountingYears(['2023-11/2024-02', '2024-05'])).toEqual(['2023', '2024']);
  });

  it('counts a leap day once, in leap years only', () => {
    const length = (period: string) => daysOf(period).lastDay - daysOf(period).firstDay + 1;
    expect(length('2024-02')).toBe(29);
    expect(length('2023-02')).toBe(28);
    expect(length('2100-02')).toBe(28);
    expect(length('2000-02')).toBe(29);
    expect(length('2023-07/2024-06')).toBe(366);
    expect(length('2022-07/2023-06')).toBe(365);
  });

  it('overlaps exactly when a month is shared', () => {
    const index = fc.integer({ min: 0, max: 60 });
    const month = (i: number) =>
      `${2020 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, '0')}`;
    const window = fc
      .tuple(index, index)
      .map(([a, b]) => `${month(Math.min(a, b))}/${month(Math.max(a, b))}`);
    fc.assert(
      fc.property(window, window, (a, b) => {
        const shared = monthsOf(a).some((m) => monthsOf(b).includes(m));
        expect(periodsOverlap(a, b)).toBe(shared);
      }),
    );
  });
});

describe('weeks', () => {
  // https://www.rfc-editor.org/rfc/rfc3339#appendix-A has the grammar; the dates are those of a wall calendar.
  it.each([
    ['2020-W53', '2020-12-28', '2021-01-03'],
    ['2021-W01', '2021-01-04', '2021-01-10'],
    ['2025-W01', '2024-12-30', '2025-01-05'],
    ['2024-W07', '2024-02-12', '2024-02-18'],
    ['2026-W53', '2026-12-28', '2027-01-03'],
  ])('%s runs from %s to %s', (week, monday, sunday) => {
    expect(daysOf(week)).toEqual({ firstDay: dateToDay(monday), lastDay: dateToDay(sunday) });
    expect(weekOfDay(dateToDay(monday))).toBe(week);
    expect(weekOfDay(dateToDay(sunday))).toBe(week);
  });

  it.each(['2021-W53', '2024-W00', '2024-W54', '2024-W7', '2024W07', '2024-W07/2024-W08'])(
    'does not know %s',
    (week) => {
      expect(() => canonicalPeriod(week)).toThrow(expect.objectContaining({ code: 'bad-period' }));
    },
  );

  it('follow each other without gap, each in one year of its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: -25_000, max: 80_000 }), (day) => {
        const { firstDay, lastDay } = daysOf(weekOfDay(day));
        expect(lastDay - firstDay).toBe(6);
        expect(firstDay <= day && day <= lastDay).toBe(true);
        expect(new Date(firstDay * 86_400_000).getUTCDay()).toBe(1);
        const next = weekOfDay(lastDay + 1);
        expect(daysOf(next).firstDay).toBe(lastDay + 1);
        expect(next > weekOfDay(day)).toBe(true);
      }),
    );
  });

  it('of a span are those that lie in it whole', () => {
    const { firstDay, lastDay } = daysOf('2024-02');
    expect(weeksWithin(firstDay, lastDay)).toEqual(['2024-W06', '2024-W07', '2024-W08']);
    expect(weeksWithin(firstDay, firstDay + 3)).toEqual([]);
  });

  it('touch months and are charged to every year they touch', () => {
    expect(monthsOf('2024-W05')).toEqual(['2024-01', '2024-02']);
    expect(monthsOf('2024-W07')).toEqual(['2024-02']);
    expect(accountingYears(['2025-W01', '2025-W02'])).toEqual(['2024', '2025']);
    expect(periodsOverlap('2024-W05', '2024-02')).toBe(true);
    expect(periodsOverlap('2024-W05', '2024-W06')).toBe(false);
  });
});

describe('civil days in Europe/London', () => {
  it('agrees with the time zone database at every change of clocks', () => {
    const civil = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London' });
    for (let year = 1996; year <= 2037; year++) {
      for (const month of [3, 10]) {
        for (let day = 24; day <= 31; day++) {
          for (const time of ['00:59:59.999', '01:00:00.000', '22:59:59.999', '23:00:00.000']) {
            const ms = parseInstant(`${year}-${String(month).padStart(2, '0')}-${day}T${time}Z`);
            expect(dayToDate(londonDay(ms))).toBe(civil.format(ms));
          }
        }
      }
    }
  });

  it.each(['2026-02-30', '2026-2-1', '2025-02-29', '2026-01-01T00:00:00Z', ''])(
    'refuses the date %p',
    (date) => {
      expect(() => dateToDay(date)).toThrow(expect.objectContaining({ code: 'bad-date' }));
    },
  );

  it.each([
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00+00:00',
    '2026-01-01T00:00:00.0000Z',
    '2026-01-01',
    '',
    null,
    1,
    Number.NaN,
    {},
  ])('refuses the instant %p', (text) => {
    expect(() => parseInstant(text)).toThrow(expect.objectContaining({ code: 'bad-instant' }));
  });
});
