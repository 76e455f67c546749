/**
 * Random neighbouring datasets through files, DuckDB and counts: what one unit of privacy moves never exceeds the sensitivity that
 * the noise is drawn for, on any level of the tree. Removing a unit removes its lines from the files, and nothing else. Many pairs
 * of neighbours ("worlds") lie side by side in one dataset, each with persons, references and cells of its own.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mergedBounds, querySensitivity, treeL2SensitivitySquared } from '#libs/dp';
import { buildTree, cellAt, domainFromCells, type GridTree, rollUp, sortedCells } from '#libs/grid';
import { parseMapping, parseTaxonomy } from '#libs/harmonise';
import {
  answerBounds,
  type Category,
  INCIDENT_UNIT,
  type Measure,
  type PrivacyUnit,
} from '#libs/query';
import { openRecords, type Records } from './records.js';

const taxonomy = parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8'));
const street = parseMapping(readFileSync('policies/mappings/police-uk-street.yaml', 'utf8'));

const TYPES = ['Drugs', 'Robbery', 'Burglary'];
const CATEGORIES: Category[] = ['drugs', 'robbery', 'burglary'];
const MONTHS = ['2023-12', '2024-01', '2024-02', '2024-03'];
const GROUPS = CATEGORIES.flatMap((category) => MONTHS.map((period) => ({ category, period })));
const OF_2024 = GROUPS.map(({ period }) => period.startsWith('2024'));

interface Row {
  readonly world: number;
  readonly file: number;
  readonly person: string;
  readonly reference: string;
  readonly month: string;
  readonly type: string;
  /** Index of a place of the world; NOWHERE: the row has none. */
  readonly place: number;
}
const NOWHERE = 4;
const WORLDS = 60;
/** Four places of a world: neighbours, and one far away. */
const placesOf = (world: number): readonly (readonly [number, number])[] => {
  const [latitude, longitude] = [51 + 0.02 * world, -2.59];
  return [0, 0.005, 0.01, 0.6].map((east) => [latitude, longitude + east]);
};
const cellsOf = (world: number): bigint[] =>
  placesOf(world).map(([latitude, longitude]) => cellAt(latitude, longitude, 9));
const domain = domainFromCells(
  'test',
  sortedCells(Array.from({ length: WORLDS }, (_, world) => cellsOf(world)).flat()),
);

/** Few persons with many rows; incidents that several persons share; rows without a reference; rows that name nobody. */
const rowsOf = (world: number): fc.Arbitrary<Row[]> =>
  fc.array(
    fc.record<Row>({
      world: fc.constant(world),
      file: fc.nat(1),
      person: fc.constantFrom('P', 'P', 'P', 'Q', 'R', ''),
      reference: fc.constantFrom('', '', '1', '2', '3', '4', '5'),
      month: fc.constantFrom(...MONTHS),
      type: fc.constantFrom(...TYPES),
      place: fc.nat(NOWHERE),
    }),
    { minLength: 20, maxLength: 60 },
  );
const worlds: readonly (readonly Row[])[] = Array.from(
  { length: WORLDS },
  (_, world) => fc.sample(rowsOf(world), { numRuns: 1, seed: 20_261_121 + world })[0] ?? [],
);
const UNITS = (
  [
    [1, 1],
    [1, 3],
    [2, 2],
    [2, 5],
    [3, 4],
    [4, 9],
  ] as const
).map(([c, m]): PrivacyUnit => ({ unit: 'person-year', maxPerRelease: c, maxPerYear: m }));

let dir: string;
let records: Records;
let datasets = 0;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-neighbours-'));
  records = await openRecords({ dir: join(dir, 'store'), secret: new Uint8Array(32).fill(7) });
});
afterAll(async () => {
  await records.close();
  rmSync(dir, { recursive: true });
});

/** Takes rows in as a dataset of its own. File names, which key the order of rows, are the same in every dataset. */
async function ingest(all: readonly Row[], persons: boolean): Promise<string> {
  datasets += 1;
  const dataset = `d${datasets}`;
  const named = (name: string, world: number): string => (name === '' ? '' : `${name}${world}`);
  const files = [0, 1].map((number) => {
    const lines = all
      .filter(({ file }) => file === number)
      .map(({ world, reference, month, person, place, type }) => {
        const [latitude = '', longitude = ''] = placesOf(world)[place] ?? [];
        const id = named(reference, world);
        return [id, month, named(person, world), longitude, latitude, type].join();
      });
    const path = join(dir, `${dataset}-${number}.csv`);
    const header = 'Crime ID,Month,Falls within,Longitude,Latitude,Crime type';
    writeFileSync(path, `${[header, ...lines].join('\n')}\n`);
    return { path, name: `${number}.csv` };
  });
  const mapping = persons ? { ...street, person: 'Falls within' } : street;
  const nowMs = Date.UTC(2025, 0, 10);
  const report = await records.ingestFiles({ dataset, files, mapping, taxonomy, domain, nowMs });
  expect(report.files.map(({ status }) => status)).toEqual(['ingested', 'ingested']);
  return dataset;
}

/** One world's answer: the tree of its cells, and a vector over its nodes for each group. */
interface Answer {
  readonly tree: GridTree;
  readonly vectors: readonly Int32Array[];
}

/** Counts a dataset once and takes every world's part out of it. */
async function answers(
  dataset: string,
  measure: 'incidents' | 'people',
  unit: PrivacyUnit,
): Promise<Answer[]> {
  const width = domain.cells.length;
  const counts = await records.count({
    dataset,
    measure,
    groups: GROUPS,
    leaves: domain.cells,
    resolution: 9,
    bounds: { perMonth: unit.maxPerRelease, perYear: unit.maxPerYear },
  });
  return worlds.map((_, world) => {
    const tree = buildTree(domainFromCells('world', sortedCells(cellsOf(world))), { finest: 9 });
    const leaves = tree.cells.subarray(tree.levelStart.at(-2));
    const vectors = GROUPS.map((_, g) =>
      rollUp(
        tree,
        Int32Array.from(leaves, (cell) => counts[g * width + domain.cells.indexOf(cell)] ?? 0),
      ),
    );
    return { tree, vectors };
  });
}

/** L1 and squared L2 by which vectors differ: each at its largest over the levels, and the squared L2 of all levels. */
function change(tree: GridTree, a: readonly Int32Array[], b: readonly Int32Array[]) {
  const levels = tree.levelStart.length - 1;
  const l1: number[] = Array(levels).fill(0);
  const l2: number[] = Array(levels).fill(0);
  a.forEach((vector, g) => {
    for (let level = 0; level < levels; level++) {
      const [from, to] = [tree.levelStart[level] ?? 0, tree.levelStart[level + 1] ?? 0];
      for (let node = from; node < to; node++) {
        const d = Math.abs((vector[node] ?? 0) - (b[g]?.[node] ?? 0));
        l1[level] = (l1[level] ?? 0) + d;
        l2[level] = (l2[level] ?? 0) + d * d;
      }
    }
  });
  return { l1: Math.max(...l1), l2: Math.max(...l2), tree: l2.reduce((x, y) => x + y), levels };
}

/** The groups of one year added up after bounding: one merged vector. */
const merged = (vectors: readonly Int32Array[]): Int32Array[] => {
  const sum = new Int32Array(vectors[0]?.length ?? 0);
  vectors.forEach((vector, g) => {
    if (OF_2024[g]) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (vector[i] ?? 0);
  });
  return [sum];
};

/** Where the true change exceeds the claimed one, and whether it reaches it. */
function compare(before: Answer, after: Answer, measure: Measure, unit: PrivacyUnit) {
  const { tree } = before;
  const { bounds, groups } = answerBounds(measure, GROUPS, unit);
  const claimed = querySensitivity(bounds, groups);
  const moved = change(tree, before.vectors, after.vectors);
  const once = querySensitivity(mergedBounds(bounds, groups), 1);
  const together = change(tree, merged(before.vectors), merged(after.vectors));
  const excesses = [
    moved.l1 > claimed.l1 && 'l1',
    BigInt(moved.l2) > claimed.l2Squared && 'l2',
    BigInt(moved.tree) > treeL2SensitivitySquared(claimed, moved.levels) && 'tree',
    BigInt(together.l2) > once.l2Squared && 'merged',
  ].filter((fault) => fault !== false);
  return { excesses, reached: BigInt(moved.l2) === claimed.l2Squared };
}

const wider = (unit: PrivacyUnit): PrivacyUnit => ({
  ...unit,
  maxPerRelease: unit.maxPerRelease + 1,
  maxPerYear: unit.maxPerYear + 1,
});

describe('removing one person of one year', () => {
  it.each(['incidents', 'people'] as const)(
    'never moves a level of %s by more than the sensitivity, which is reached; a bound off by one does',
    async (measure) => {
      const all = worlds.flat();
      const whole = await ingest(all, true);
      const rest = await ingest(
        all.filter(({ person, month }) => person !== 'P' || !month.startsWith('2024')),
        true,
      );
      let reached = 0;
      let caught = 0;
      for (const unit of UNITS) {
        const before = await answers(whole, measure, unit);
        const after = await answers(rest, measure, unit);
        const loose = await answers(whole, measure, wider(unit));
        const looseRest = await answers(rest, measure, wider(unit));
        before.forEach((answer, w) => {
          const checked = compare(answer, after[w] ?? answer, measure, unit);
          expect({ w, unit, excesses: checked.excesses }).toEqual({ w, unit, excesses: [] });
          if (checked.reached) reached += 1;
          const mutant = compare(loose[w] ?? answer, looseRest[w] ?? answer, measure, unit);
          if (mutant.excesses.length > 0) caught += 1;
        });
      }
      expect(reached).toBeGreaterThan(0);
      expect(caught).toBeGreaterThan(WORLDS);
    },
  );

  it('never lowers a count of others, whatever they shared and wherever their lines stand', async () => {
    const [unit = INCIDENT_UNIT] = UNITS;
    const all = worlds.flat();
    const theirs = await ingest(
      all.filter(({ person }) => person !== 'P'),
      true,
    );
    const before = await answers(await ingest(all, true), 'incidents', unit);
    const after = await answers(theirs, 'incidents', unit);
    before.forEach(({ vectors }, w) => {
      vectors.forEach((vector, g) => {
        vector.forEach((value, node) => {
          expect(value).toBeGreaterThanOrEqual(after[w]?.vectors[g]?.[node] ?? 0);
        });
      });
    });
  });
});

describe('removing one incident where no person is named', () => {
  it('moves every level by at most one', async () => {
    const gone = (row: Row): boolean => {
      const first = worlds[row.world]?.[0];
      const same = row.reference === first?.reference && row.month === first.month;
      return row === first || (same && row.reference !== '');
    };
    const all = worlds.flat();
    const whole = await ingest(all, false);
    const rest = await ingest(
      all.filter((row) => !gone(row)),
      false,
    );
    const before = await answers(whole, 'incidents', INCIDENT_UNIT);
    const after = await answers(rest, 'incidents', INCIDENT_UNIT);
    const checked = before.map((answer, w) =>
      compare(answer, after[w] ?? answer, 'incidents', INCIDENT_UNIT),
    );
    expect(checked.flatMap(({ excesses }) => excesses)).toEqual([]);
    expect(checked.filter(({ reached }) => reached).length).toBeGreaterThan(WORLDS / 2);
  });
});

describe('people', () => {
  const unit: PrivacyUnit = { unit: 'person-year', maxPerRelease: 9, maxPerYear: 99 };
  const row = (person: string, month: string, type: string, place: number): Row => ({
    ...{ world: 0, file: 0, reference: '', person, month, type, place },
  });

  it('are counted once a category and month, in one cell, and add up over the tree', async () => {
    const drugs = (person: string, place: number) => row(person, '2024-01', 'Drugs', place);
    const dataset = await ingest(
      [
        ...[0, 1, 3, 0, 1, 3].map((place) => drugs('P', place)),
        row('P', '2024-01', 'Robbery', 0),
        row('P', '2024-02', 'Drugs', 0),
        ...[drugs('Q', NOWHERE), drugs('Q', 1), drugs('R', NOWHERE), drugs('', 0)],
        { ...drugs('S', 0), file: 1 },
      ],
      true,
    );
    const [people] = await answers(dataset, 'people', unit);
    const at = (answer: Answer | undefined, category: Category, period: string) =>
      answer?.vectors[GROUPS.findIndex((g) => g.category === category && g.period === period)];
    // P once although in six rows, Q in the one place it has, S; R has no place and one row names nobody.
    expect(at(people, 'drugs', '2024-01')?.[0]).toBe(3);
    expect(at(people, 'robbery', '2024-01')?.[0]).toBe(1);
    expect(at(people, 'drugs', '2024-02')?.[0]).toBe(1);
    const leaves = at(people, 'drugs', '2024-01')?.subarray(people?.tree.levelStart.at(-2)) ?? [];
    expect([...leaves].reduce((sum, value) => sum + value, 0)).toBe(3);
    expect((await answers(dataset, 'people', unit))[0]).toEqual(people);
    const [incidents] = await answers(dataset, 'incidents', unit);
    expect(at(incidents, 'drugs', '2024-01')?.[0]).toBe(9);
    // Of at most two groups a year P is in two; which, the keyed order says.
    const [bounded] = await answers(dataset, 'people', { ...unit, maxPerYear: 2 });
    expect(bounded?.vectors.reduce((sum, vector) => sum + (vector[0] ?? 0), 0)).toBe(4);
  });

  it('of records that name nobody are refused', async () => {
    const dataset = await ingest(
      [row('', '2024-01', 'Drugs', 0), { ...row('', '2024-02', 'Drugs', 0), file: 1 }],
      false,
    );
    await expect(answers(dataset, 'people', INCIDENT_UNIT)).rejects.toMatchObject({
      code: 'measure-not-held',
    });
  });
});
