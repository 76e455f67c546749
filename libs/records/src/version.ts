/** The dataset version: what is counted, fixed once per change of data, and the digest that names it. */
import { createHmac } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import { canonicalBytes } from '#libs/bytes';
import type { Domain } from '#libs/grid';

/** One row of each set of rows with the same `identity`: the first by file name, then by row, whatever the order of arrival. */
const accepted = (identity: string): string => `
  SELECT i.* FROM incident i JOIN source s ON s.id = i.source WHERE s.dataset = $dataset
  QUALIFY row_number() OVER (PARTITION BY ${identity} ORDER BY s.name, i.row) = 1`;

const NO_PERSONS = `
INSERT INTO kept
SELECT $dataset, source, month, day, category, cell, 1, 1, 0 FROM (${accepted('key_high, key_low')})
`;

/**
 * With person references, ranks of a row among the rows of its person are fixed here by keyed hash, so that a query bounds
 * contributions by comparisons. They run over all categories. `people_rank` is the rank in the year among the rows that stand for the
 * person in their category and month (one each, a row with a place if there is one), and 0 for every other row. A row that names
 * nobody stands alone and for no person.
 *
 * Rows of different persons are never one: if they were, removing one person could put another's row in its place, and
 * with it move rows of everyone who ever shared an incident.
 */
const person = 'person_high, person_low';
const rank = (within: string, first = ''): string =>
  `row_number() OVER (PARTITION BY ${person}, ${within} ORDER BY ${first} key_high, key_low)`;
const PERSONS = `
INSERT INTO kept
WITH ranked AS (
  SELECT *, person_high <> 0 OR person_low <> 0 AS named, ${rank('month')} AS in_month,
    ${rank('month // 12')} AS in_year, ${rank('month, category', 'cell = 0,')} AS in_group
  FROM (${accepted(`key_high, key_low, ${person}`)}))
SELECT $dataset, source, month, day, category, cell,
  CASE WHEN named THEN in_month ELSE 1 END, CASE WHEN named THEN in_year ELSE 1 END,
  CASE WHEN named AND in_group = 1 AND cell <> 0
    THEN ${rank('month // 12, in_group = 1 AND cell <> 0')} ELSE 0 END
FROM ranked
`;

/**
 * HMAC-SHA256 over the set of files and how they were read, in hex. It changes when, and only when, a file or its reading
 * does; without the secret it says nothing, not even whether a known file is held.
 */
export async function versionDigest(
  connection: DuckDBConnection,
  secret: Uint8Array,
  dataset: string,
): Promise<string> {
  const sources = await connection.runAndReadAll(
    'SELECT name, content, reading, row_count, rejected FROM source WHERE dataset = $dataset ORDER BY name',
    { dataset },
  );
  return createHmac('sha256', secret)
    .update(canonicalBytes(['concordat/records/version/v1', dataset, sources.getRowsJson()]))
    .digest('hex');
}

/** Fixes the version of a dataset after its sources changed, inside the caller's transaction. */
export async function fixVersion(
  connection: DuckDBConnection,
  secret: Uint8Array,
  dataset: string,
  domain: Domain,
): Promise<void> {
  await connection.run('DELETE FROM kept WHERE dataset = $dataset', { dataset });
  const persons = await connection.runAndReadAll(
    'SELECT bool_and(has_person) FROM source WHERE dataset = $dataset',
    { dataset },
  );
  await connection.run(persons.getRows()[0]?.[0] === true ? PERSONS : NO_PERSONS, { dataset });
  await connection.run('DELETE FROM dataset WHERE name = $dataset', { dataset });
  await connection.run('INSERT INTO dataset VALUES ($dataset, $version, $domain)', {
    dataset,
    version: await versionDigest(connection, secret, dataset),
    domain: domain.hash,
  });
  await countPlaces(connection, dataset, domain);
}

/** Writes each source's places, duplicates and rows outside the domain: the operator's local view. */
async function countPlaces(
  connection: DuckDBConnection,
  dataset: string,
  domain: Domain,
): Promise<void> {
  const places = await connection.runAndReadAll(
    'SELECT cell, source, count(*)::INTEGER FROM kept WHERE dataset = $dataset GROUP BY ALL ORDER BY cell',
    { dataset },
  );
  const counts = new Map<number, { located: number; noLocation: number; outside: number }>();
  let at = 0;
  for (const [cell, source, count] of places.getRows() as [bigint, number, number][]) {
    const tally = counts.get(source) ?? { located: 0, noLocation: 0, outside: 0 };
    counts.set(source, tally);
    if (cell === 0n) {
      tally.noLocation += count;
      continue;
    }
    while (at < domain.cells.length && (domain.cells[at] ?? 0n) < cell) at++;
    tally.located += count;
    if (domain.cells[at] !== cell) tally.outside += count;
  }
  const accepted = await connection.runAndReadAll(
    `SELECT s.id, count(i.source)::INTEGER FROM source s LEFT JOIN incident i ON i.source = s.id
     WHERE s.dataset = $dataset GROUP BY ALL`,
    { dataset },
  );
  for (const [id, rows] of accepted.getRows() as [number, number][]) {
    const { located, noLocation, outside } = counts.get(id) ?? {
      located: 0,
      noLocation: 0,
      outside: 0,
    };
    await connection.run(
      `UPDATE source SET located = $located, no_location = $noLocation, outside = $outside, duplicates = $duplicates
       WHERE id = $id`,
      { id, located, noLocation, outside, duplicates: rows - located - noLocation },
    );
  }
}
