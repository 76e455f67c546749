import { ConcordatError } from '#libs/bytes';

/** A calendar month as one integer, `12 * year + month - 1`: adjacent months differ by one. */
export type Month = number;

export const monthOf = (year: number, month: number): Month => 12 * year + month - 1;

/** `2024-05` to its number; anything else is `malformed-month`. */
export function parseMonth(text: string): Month {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text);
  if (!match) throw new ConcordatError('malformed-month', 'write a month as YYYY-MM');
  return monthOf(Number(match[1]), Number(match[2]));
}

/** The inverse of `parseMonth`. */
export const formatMonth = (month: Month): string =>
  `${String(Math.floor(month / 12)).padStart(4, '0')}-${String((month % 12) + 1).padStart(2, '0')}`;
