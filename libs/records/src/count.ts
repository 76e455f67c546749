/** Exact counts over a whole public domain: the only thing that is ever read out of the index. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { ConcordatError } from '#libs/bytes';
import { type ExactCounts, exactCounts } from '#libs/dp';
import { parentOf, type Resolution } from '#libs/grid';
import { parseMonth } from '#libs/harmonise';

export interface CountGroup {
  readonly category: string;
  /** A month `YYYY-MM` or an inclusive window `YYYY-MM/YYYY-MM`. */
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

interface Window {
  readonly first: number;
  readonly last: number;
}

function parsePeriod(period: string): Window {
  const [from = '', to = from, more] = period.split('/');
  const window = { first: parseMonth(from), last: parseMonth(to) };
  if (more !== undefined || window.last < window.first) {
    throw new ConcordatError('malformed-period', 'write YYYY-MM or YYYY-MM/YYYY-MM, earlier first');
  }
  return window;
}

function checkBounds(
  { bounds, measure }: CountRequest,
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
  if (windows.some(({ first, last }) => first !== last)) {
    // Ranks are per month, so a window would let one person count perMonth times in each of its months.
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

  // Which rows of the result each (category, month) adds to; windows may overlap.
  const adds = new Map<number, number[]>();
  groups.forEach((group, index) => {
    const { first, last } = windows[index] ?? { first: 0, last: -1 };
    for (let month = first; month <= last; month++) {
      const key = numberOf(group.category) * 65_536 + month;
      adds.set(key, [...(adds.get(key) ?? []), index]);
    }
  });

  const result = await connection.run(
    `SELECT cell, category, month, count(*)::INTEGER FROM kept
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
    const [cells, categories, months, numbers] = [0, 1, 2, 3].map((column) =>
      chunk.getColumnValues(column),
    ) as [bigint[], number[], number[], number[]];
    cells.forEach((cell, row) => {
      const rows = adds.get((categories[row] ?? 0) * 65_536 + (months[row] ?? 0));
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
