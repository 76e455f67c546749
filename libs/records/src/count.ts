/** Exact counts over a whole public domain: the only thing that is ever read out of the index. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { ConcordatError } from '#libs/bytes';
import { type ExactCounts, exactCounts } from '#libs/dp';
import { parentOf, type Resolution } from '#libs/grid';
import { formatMonth, parseMonth } from '#libs/harmonise';
import { daysOf, isWeek, monthsOf } from '#libs/query';

export interface CountGroup {
  readonly category: string;
  /** A month `YYYY-MM`, an inclusive window `YYYY-MM/YYYY-MM` or an ISO week `YYYY-Www`; weeks and months not in one request. */
  readonly period: string;
}

export interface CountRequest {
  readonly dataset: string;
  /** Digest that the data must still have, before and after; else `version-changed`. */
  readonly version?: string | undefined;
  /** `people`: different persons, each once a category and month, in one cell. Incidents when left out. */
  readonly measure?: 'incidents' | 'people';
  readonly groups: readonly CountGroup[];
  /** Ascending cells of `resolution`: the agency's public domain, empty cells included. */
  readonly leaves: BigUint64Array;
  readonly resolution: Resolution;
  /**
   * Most incidents of one person in a month (c) and in a year (M), over all categories; needed where the unit is the person, and
   * without effect (c = M = 1) where it is the incident. Of `people`, M bounds the groups that count one person in a year.
   */
  readonly bounds?: { readonly perMonth: number; readonly perYear: number };
}

/** What a group adds up: months by their number, or days of the month within them. */
interface Window {
  readonly first: number;
  readonly last: number;
}

function parsePeriod(period: string): Window {
  if (isWeek(period)) {
    const months = monthsOf(period).map(parseMonth);
    return { first: months[0] as number, last: months.at(-1) as number };
  }
  const [from = '', to = from, more] = period.split('/');
  const window = { first: parseMonth(from), last: parseMonth(to) };
  if (more !== undefined || window.last < window.first) {
    throw new ConcordatError('malformed-period', 'write YYYY-MM or YYYY-MM/YYYY-MM, earlier first');
  }
  return window;
}

/** Days of the month have this many numbers, 0 (none known) with them; the unit of a slot where only months are asked. */
const DAYS = 32;
const SLOTS = DAYS * 65_536;

/** Slots `DAYS * month + day` that a period adds up; day 0 stands for the whole month. */
function slotsOf(period: string, { first, last }: Window): number[] {
  if (!isWeek(period)) {
    return Array.from({ length: last - first + 1 }, (_, i) => DAYS * (first + i));
  }
  const { firstDay, lastDay } = daysOf(period);
  const slots: number[] = [];
  for (let month = first; month <= last; month++) {
    const start = daysOf(formatMonth(month));
    const until = Math.min(lastDay, start.lastDay);
    for (let day = Math.max(firstDay, start.firstDay); day <= until; day++) {
      slots.push(DAYS * month + day - start.firstDay + 1);
    }
  }
  return slots;
}

function checkBounds(
  { bounds, measure, groups }: CountRequest,
  windows: readonly Window[],
  hasPersons: boolean,
): { perMonth: number; perYear: number } {
  if (!hasPersons) {
    if (measure === 'people') {
      throw new ConcordatError('measure-not-held', 'the records name no persons: count incidents');
    }
    return { perMonth: 1, perYear: 1 };
  }
  if (!bounds || ![bounds.perMonth, bounds.perYear].every((n) => Number.isInteger(n) && n >= 1)) {
    throw new ConcordatError('missing-bounds', 'the unit is the person: give both bounds, from 1');
  }
  if (windows.some(({ first, last }) => first !== last) || groups.some((g) => isWeek(g.period))) {
    // Ranks are per month, so a window would let one person count perMonth times in each of its months, a week in each of its parts.
    throw new ConcordatError('unbounded-window', 'the unit is the person: ask month by month');
  }
  return bounds;
}

/** Rows that count, by ranks that were fixed with the dataset version. */
const COUNTED = {
  incidents: 'rank_in_month <= $perMonth AND rank_in_year <= $perYear',
  people: 'people_rank BETWEEN 1 AND $perYear',
} as const;

/** Numbers of the asked categories in this index. One it never met gets -1: no row can have it. */
async function categoryIndex(connection: DuckDBConnection): Promise<(id: string) => number> {
  const result = await connection.runAndReadAll('SELECT id, number FROM category');
  const numbers = new Map(result.getRows().map(([id, number]) => [String(id), Number(number)]));
  return (id) => numbers.get(id) ?? -1;
}

/** `groups.length` x `leaves.length` counts, row-major. See `Records.count`. */
export async function countCells(
  connection: DuckDBConnection,
  request: CountRequest,
  hasPersons: boolean,
): Promise<ExactCounts> {
  const { dataset, measure = 'incidents', groups, leaves, resolution } = request;
  for (let i = 1; i < leaves.length; i++) {
    if ((leaves[i] ?? 0n) <= (leaves[i - 1] ?? 0n)) {
      throw new ConcordatError('unsorted-cells', 'leaves must ascend without repetition');
    }
  }
  const windows = groups.map((group) => parsePeriod(group.period));
  const { perMonth, perYear } = checkBounds(request, windows, hasPersons);
  const numberOf = await categoryIndex(connection);

  const weekly = groups.some(({ period }) => isWeek(period));
  if (weekly && !groups.every(({ period }) => isWeek(period))) {
    throw new ConcordatError('malformed-period', 'count weeks or months, not both at once');
  }
  // Which rows of the result each (category, slot) adds to; windows may overlap.
  const adds = new Map<number, number[]>();
  groups.forEach((group, index) => {
    for (const slot of slotsOf(group.period, windows[index] as Window)) {
      const key = numberOf(group.category) * SLOTS + slot;
      adds.set(key, [...(adds.get(key) ?? []), index]);
    }
  });

  const result = await connection.run(
    `SELECT cell, category, month, ${weekly ? 'day' : '0::UTINYINT'} AS day, count(*)::INTEGER FROM kept
     WHERE dataset = $dataset AND cell <> 0 AND ${COUNTED[measure]} AND month BETWEEN $first AND $last
     GROUP BY ALL ORDER BY cell`,
    {
      dataset,
      ...(measure === 'people' ? {} : { perMonth }),
      perYear,
      first: Math.min(...windows.map(({ first }) => first), 65_535),
      last: Math.max(...windows.map(({ last }) => last), 0),
    },
  );
  const counts = new Int32Array(groups.length * leaves.length);
  let at = 0;
  for (const chunk of await result.fetchAllChunks()) {
    const [cells, categories, months, days, numbers] = [0, 1, 2, 3, 4].map((column) =>
      chunk.getColumnValues(column),
    ) as [bigint[], number[], number[], number[], number[]];
    cells.forEach((cell, row) => {
      const rows = adds.get(
        (categories[row] ?? 0) * SLOTS + DAYS * (months[row] ?? 0) + (days[row] ?? 0),
      );
      if (!rows) return;
      // Cells ascend and so do their parents: one pass over the leaves serves all rows.
      const leaf = resolution === 9 ? cell : parentOf(cell, resolution);
      while (at < leaves.length && (leaves[at] ?? 0n) < leaf) at++;
      if (leaves[at] !== leaf) return;
      for (const group of rows) {
        const slot = group * leaves.length + at;
        counts[slot] = (counts[slot] ?? 0) + (numbers[row] ?? 0);
      }
    });
  }
  return exactCounts(counts);
}
