import {
  type DuckDBConnection,
  DuckDBDataChunk,
  INTEGER,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
} from '@duckdb/node-api';
import type { RowKey } from './row-key.js';

/** Rows of one DuckDB data chunk. */
const CHUNK = 2048;
const TYPES = [
  INTEGER,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  UTINYINT,
  UBIGINT,
  UBIGINT,
  UBIGINT,
  UBIGINT,
  UBIGINT,
];

interface StoredRow {
  readonly row: number;
  readonly month: number;
  /** Day of the month; 0 where none is known. */
  readonly day: number;
  readonly category: number;
  /** 0n where the row has no place. */
  readonly cell: bigint;
  readonly key: RowKey;
  readonly person: RowKey | undefined;
}

export interface IncidentWriter {
  write(row: StoredRow): void;
  close(): void;
}

/** Appends accepted rows of one source in columns, inside whatever transaction the connection is in. */
export async function incidentWriter(
  connection: DuckDBConnection,
  source: number,
): Promise<IncidentWriter> {
  const appender = await connection.createAppender('incident');
  const columns: (number | bigint)[][] = TYPES.map(() => []);
  let size = 0;
  const flush = (): void => {
    if (size === 0) return;
    const chunk = DuckDBDataChunk.create(TYPES, size);
    chunk.setColumns(columns);
    appender.appendDataChunk(chunk);
    for (const column of columns) column.length = 0;
    size = 0;
  };
  const [sources, rows, months, days, categories, cells, highs, lows, personHighs, personLows] =
    columns as [
      number[],
      number[],
      number[],
      number[],
      number[],
      bigint[],
      bigint[],
      bigint[],
      bigint[],
      bigint[],
    ];
  return {
    write(row) {
      sources.push(source);
      rows.push(row.row);
      months.push(row.month);
      days.push(row.day);
      categories.push(row.category);
      cells.push(row.cell);
      highs.push(row.key.high);
      lows.push(row.key.low);
      personHighs.push(row.person?.high ?? 0n);
      personLows.push(row.person?.low ?? 0n);
      if (++size === CHUNK) flush();
    },
    close() {
      flush();
      appender.flushSync();
      appender.closeSync();
    },
  };
}
