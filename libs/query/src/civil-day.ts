/**
 * Days of the civil calendar in Europe/London. Months of a query, validity dates of a grant and "per day" limits are
 * civil: an instant belongs to the day a clock on a London wall shows. A day is counted from 1970-01-01 (day 0).
 */
import { ConcordatError } from '#libs/bytes';

const MS_PER_DAY = 86_400_000;
const INSTANT = /^(?:19|20|21)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;
const DATE = /^(?:19|20|21)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

const toDay = (ms: number): number => Math.floor(ms / MS_PER_DAY);

/** 01:00 UTC on the last Sunday of a month of 31 days; month 2 is March, 9 is October. */
const lastSundayAtOne = (year: number, month: number): number => {
  const last = Date.UTC(year, month, 31);
  return last - new Date(last).getUTCDay() * MS_PER_DAY + 3_600_000;
};

/**
 * Milliseconds since 1970 of an ISO 8601 instant in UTC (`2026-03-29T00:59:59Z`, at most three decimals), years 1900
 * to 2199. Anything else, 30 February included, is `bad-instant`.
 */
export function parseInstant(text: unknown): number {
  const ms = typeof text === 'string' && INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (typeof text !== 'string' || Number.isNaN(ms) || dayToDate(toDay(ms)) !== text.slice(0, 10)) {
    throw new ConcordatError('bad-instant', 'write the time in UTC, such as 2026-03-29T09:00:00Z');
  }
  return ms;
}

/**
 * Civil day in Europe/London of an instant in milliseconds. British Summer Time runs from 01:00 UTC on the last Sunday
 * of March to 01:00 UTC on the last Sunday of October (Summer Time Order 2002, SI 2002/262).
 */
export function londonDay(ms: number): number {
  const year = new Date(ms).getUTCFullYear();
  const summer = ms >= lastSundayAtOne(year, 2) && ms < lastSundayAtOne(year, 9);
  return toDay(summer ? ms + 3_600_000 : ms);
}

/** Day number of a date `YYYY-MM-DD`; a date that does not exist is `bad-date`. */
export function dateToDay(date: string): number {
  const day = DATE.test(date) ? toDay(Date.parse(`${date}T00:00:00Z`)) : Number.NaN;
  if (Number.isNaN(day) || dayToDate(day) !== date) {
    throw new ConcordatError('bad-date', 'write an existing date as YYYY-MM-DD');
  }
  return day;
}

/** `YYYY-MM-DD` of a day number. */
export const dayToDate = (day: number): string =>
  new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
