/** Date formats of a mapping: tokens YYYY MM M DD D HH H mm ss (M, D and H of one digit or two), everything else as it stands. */
import { type Month, monthOf } from './month.js';

const TOKENS: Readonly<Record<string, string>> = {
  YYYY: '(?<year>[0-9]{4})',
  MM: '(?<month>[0-9]{2})',
  M: '(?<month>[0-9]{1,2})',
  DD: '(?<day>[0-9]{2})',
  D: '(?<day>[0-9]{1,2})',
  HH: '(?:[01][0-9]|2[0-3])',
  H: '(?:[01]?[0-9]|2[0-3])',
  mm: '[0-5][0-9]',
  ss: '[0-5][0-9](?:\\.[0-9]{1,9})?',
};

const TOKEN = /YYYY|MM?|DD?|HH?|mm|ss/g;

const EARLIEST_YEAR = 1900;

/** Holds year and month, nothing twice, no other letter but the T of ISO 8601; what may have one digit or two stands between separators. */
export function isTimeFormat(format: string): boolean {
  const tokens: readonly string[] = format.match(TOKEN) ?? [];
  const parts = new Set(tokens.map(([letter]) => letter));
  return (
    parts.size === tokens.length &&
    parts.has('Y') &&
    parts.has('M') &&
    /^[-/. :T]*$/.test(format.replace(TOKEN, '')) &&
    format
      .split(/[-/. :T]/)
      .every(
        (run) =>
          (run.match(TOKEN) ?? []).length < 2 ||
          !/(?<!M)M(?!M)|(?<!D)D(?!D)|(?<!H)H(?!H)/.test(run),
      )
  );
}

const pattern = (format: string): RegExp =>
  new RegExp(
    `^${format.replace(/[./]/g, '\\$&').replace(TOKEN, (token) => TOKENS[token] ?? token)}$`,
  );

const daysIn = (year: number, month: number): number =>
  new Date(Date.UTC(year, month, 0)).getUTCDate();

/** A date as far as its format goes. */
export interface ReadDate {
  readonly month: Month;
  /** Day of the month; 0 where no day is written. */
  readonly day: number;
}

/**
 * A reader of dates: text to month and day, or why not. Formats are tried in order, the first that fits decides. A date is in
 * the future when its day (its month, where no day is written) begins after now everywhere on Earth; `nowMs` is
 * milliseconds since 1970 UTC. Times are taken as written; no zone is applied.
 */
export function timeReader(
  formats: readonly string[],
  nowMs: number,
): (text: string) => ReadDate | 'bad-date' | 'future-date' {
  const patterns = formats.map(pattern);
  const latest = new Date(nowMs + 14 * 3_600_000);
  const latestDay =
    monthOf(latest.getUTCFullYear(), latest.getUTCMonth() + 1) * 32 + latest.getUTCDate();
  return (text) => {
    for (const format of patterns) {
      const found = format.exec(text)?.groups;
      if (!found) continue;
      const year = Number(found.year);
      const month = Number(found.month);
      const day = found.day === undefined ? 1 : Number(found.day);
      if (year < EARLIEST_YEAR || month < 1 || month > 12) return 'bad-date';
      if (day < 1 || day > daysIn(year, month)) return 'bad-date';
      const number = monthOf(year, month);
      if (number * 32 + day > latestDay) return 'future-date';
      return { month: number, day: found.day === undefined ? 0 : day };
    }
    return 'bad-date';
  };
}
