import type { DuckDBConnection } from '@duckdb/node-api';
import type { Rejection } from '#libs/harmonise';

/**
 * The operator's local view; never part of an answer. rows = located + noLocation + duplicates + all rejected; `outside` are
 * those of the located that lie outside the agency's public domain and so are in no answer.
 */
export interface FileCounts {
  readonly rows: number;
  readonly located: number;
  readonly noLocation: number;
  readonly outside: number;
  /** Rows of an incident that an earlier row already stands for. */
  readonly duplicates: number;
  readonly rejected: Readonly<Partial<Record<Rejection, number>>>;
}

/** Counts of each source of a dataset, by source number. */
export async function sourceCounts(
  connection: DuckDBConnection,
  dataset: string,
): Promise<Map<number, FileCounts>> {
  const result = await connection.runAndReadAll(
    'SELECT id, row_count, located, no_location, outside, duplicates, rejected FROM source WHERE dataset = $dataset',
    { dataset },
  );
  return new Map(
    result.getRows().map(([id, rows, located, noLocation, outside, duplicates, rejected]) => [
      Number(id),
      {
        rows: Number(rows),
        located: Number(located),
        noLocation: Number(noLocation),
        outside: Number(outside),
        duplicates: Number(duplicates),
        rejected: JSON.parse(String(rejected)) as FileCounts['rejected'],
      },
    ]),
  );
}

/** Adds counts up; nothing at all is zero rows. */
export function sumCounts(all: readonly (FileCounts | undefined)[]): FileCounts {
  const rejected: Partial<Record<Rejection, number>> = {};
  const sum = { rows: 0, located: 0, noLocation: 0, outside: 0, duplicates: 0, rejected };
  for (const counts of all) {
    if (!counts) continue;
    sum.rows += counts.rows;
    sum.located += counts.located;
    sum.noLocation += counts.noLocation;
    sum.outside += counts.outside;
    sum.duplicates += counts.duplicates;
    for (const [reason, count] of Object.entries(counts.rejected)) {
      rejected[reason as Rejection] = (rejected[reason as Rejection] ?? 0) + count;
    }
  }
  return sum;
}
