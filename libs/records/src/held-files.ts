/** The source files an index holds: what was read, how, and what gives way to what. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { digestOf } from '#libs/bytes';
import { declaredCategories, type Mapping, type Taxonomy } from '#libs/harmonise';

export interface HeldFile {
  readonly id: number;
  readonly name: string;
  /** SHA-256 of the unpacked bytes, hex: the file's identity. */
  readonly content: string;
  /** SHA-256 of the bytes as they lay on disk, hex: to know the file again without unpacking it. */
  readonly stored: string;
  readonly reading: string;
  /** Days since 1970 UTC when it was read. */
  readonly day: number;
  /** JSON of counts by reason. */
  readonly rejected: string;
}

export async function heldFiles(
  connection: DuckDBConnection,
  dataset: string,
): Promise<HeldFile[]> {
  const result = await connection.runAndReadAll(
    'SELECT id, name, content, stored, reading, day, rejected FROM source WHERE dataset = $dataset',
    { dataset },
  );
  return result.getRowObjectsJson() as unknown as HeldFile[];
}

export async function dropFiles(
  connection: DuckDBConnection,
  files: readonly HeldFile[],
): Promise<void> {
  for (const { id } of files) {
    await connection.run('DELETE FROM incident WHERE source = $id', { id });
    await connection.run('DELETE FROM source WHERE id = $id', { id });
  }
}

/**
 * Names everything, besides its bytes, that decides what a file's rows become. Titles do not; neither do other mappings
 * that were offered. The number is the version of the reading code: raise it when the same bytes come to other rows.
 */
export function readingDigest(
  mapping: Mapping,
  taxonomy: Taxonomy,
  categories: readonly string[] | undefined,
): string {
  return digestOf('concordat/records/reading/v2', {
    mapping: { ...mapping, title: undefined },
    categories: declaredCategories(mapping, taxonomy, categories),
    taxonomy: { categories: taxonomy.categories, labels: [...taxonomy.labels].sort() },
  });
}

/** A row refused for its future date may be due by now; such a file is read again on a later day. */
export const isRipe = (held: HeldFile, day: number): boolean =>
  day > held.day && 'future-date' in (JSON.parse(held.rejected) as object);
