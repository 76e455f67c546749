/**
 * Counts of every cell over time, from public releases: the raw sums of one resolution, whose noise is independent between
 * cells and periods and has a published law. What was not counted is NaN, never zero.
 */
import type { NoiseLaw, Periods } from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import { type GridTree, type NeighbourLists, neighbourLists, sortedCells } from '#libs/grid';
import type { Category } from '#libs/query';
import { groupsOfCategory, type PeriodGroup, periodLine, type Range } from './periods.js';
import type { OpenRelease } from './release-blobs.js';

/** Which counts: the parameters that every method over cells has. */
export interface CellsQuestion extends Range {
  readonly category: Category;
  readonly resolution: number;
}

export interface CellSeries {
  readonly category: Category;
  /** Ascending: the union of every area counted. */
  readonly cells: BigUint64Array;
  readonly neighbours: NeighbourLists;
  /** One a column of `periods`. */
  readonly names: readonly string[];
  /** Raw sums; NaN where not counted, or counted by fewer agencies than in another period. */
  readonly periods: Periods;
  /** Parameter sigma^2 of the discrete Gaussian noise in one count of each cell. */
  readonly sigma2: Float64Array;
  /** The same of most cells. */
  readonly typicalSigma2: number;
  /** Largest sigma^2 of any cell. */
  readonly mostSigma2: number;
  /** Cells whose noise is not the typical one: areas of two agencies that overlap. */
  readonly otherCells: number;
  /** Cell-periods without a count. */
  readonly missing: number;
}

/** More of the counts than this must not be dropped for another noise. */
const MOST_MIXED = 0.1;
/** A method that knows one noise law only bears this ratio of noise between cells: twice is where two areas overlap. */
const MOST_RATIO = 2.5;

interface Counted {
  readonly tree: GridTree;
  readonly from: number;
  readonly to: number;
  readonly raw: Int32Array;
  readonly rawVariance: Float64Array;
}

const levelOf = (tree: GridTree, resolution: number): number => {
  const level = tree.levelResolution.indexOf(resolution, 1);
  if (level >= 0) return level;
  throw new ConcordatError(
    'no-such-resolution',
    'a release has no counts at this resolution: ask for a coarser one',
  );
};

async function readGroup({ release, group }: PeriodGroup, resolution: number): Promise<Counted> {
  const { tree, rawVariance } = await release.classOf(group);
  const level = levelOf(tree, resolution);
  return {
    tree,
    from: tree.levelStart[level] as number,
    to: tree.levelStart[level + 1] as number,
    raw: await release.raw(group),
    rawVariance,
  };
}

/** Cells of all groups, ascending. Months of a series share a tree, so most unions are of one set. */
function unionCells(counted: readonly Counted[]): BigUint64Array {
  const byTree = new Map(counted.map((one) => [one.tree, one]));
  const sets = [...byTree.values()].map(({ tree, from, to }) => tree.cells.slice(from, to));
  const [only] = sets;
  if (only && sets.length === 1) return only;
  return sortedCells(
    (function* () {
      for (const set of sets) yield* set;
    })(),
  );
}

/** Position in `cells` of every cell of a level. Both ascend. */
function positions({ tree, from, to }: Counted, cells: BigUint64Array): Int32Array {
  const found = new Int32Array(to - from);
  if (cells.length === found.length) return found.map((_, i) => i);
  let at = 0;
  for (let node = from; node < to; node++) {
    while (cells[at] !== tree.cells[node]) at++;
    found[node - from] = at;
  }
  return found;
}

/** The value that most entries have; the lowest of several. */
function mostFrequent(values: Float64Array): number {
  const sorted = values.slice().sort();
  let best = sorted[0] ?? 0;
  let bestRun = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1;
    while (to < sorted.length && sorted[to] === sorted[from]) to++;
    if (to - from > bestRun) {
      bestRun = to - from;
      best = sorted[from] as number;
    }
    from = to;
  }
  return best;
}

/**
 * Series of one category at one resolution, by months or by weeks; those between that nobody counted are columns of NaN. A cell is comparable over time only when the same agencies count it: its noise tells how many do, so a
 * count with less noise than another of the same cell is partial and dropped. Throws as `groupsOfCategory` and `periodLine`,
 * `no-such-resolution`, `mixed-noise` (too many are dropped: the releases were asked with different budgets).
 */
export function readSeries(
  releases: readonly OpenRelease[],
  { category, resolution, ...range }: CellsQuestion,
): Promise<CellSeries> {
  return assemble(category, groupsOfCategory(releases, category, range), resolution);
}

async function assemble(
  category: Category,
  groups: readonly PeriodGroup[],
  resolution: number,
): Promise<CellSeries> {
  const names = periodLine(groups);
  const counted = await Promise.all(groups.map((group) => readGroup(group, resolution)));
  const cells = unionCells(counted);
  const placed = new Map<GridTree, Int32Array>();
  const places = counted.map((one) => {
    const known = placed.get(one.tree) ?? positions(one, cells);
    placed.set(one.tree, known);
    return known;
  });
  const sigma2 = new Float64Array(cells.length);
  counted.forEach(({ from, to, rawVariance }, g) => {
    const place = places[g] as Int32Array;
    for (let node = from; node < to; node++) {
      const at = place[node - from] as number;
      sigma2[at] = Math.max(sigma2[at] as number, rawVariance[node] as number);
    }
  });
  const periods = names.map(() => new Float64Array(cells.length).fill(Number.NaN));
  let present = 0;
  let dropped = 0;
  counted.forEach(({ from, to, raw, rawVariance }, g) => {
    const place = places[g] as Int32Array;
    const period = periods[names.indexOf(groups[g]?.group.period ?? '')] as Float64Array;
    for (let node = from; node < to; node++) {
      const at = place[node - from] as number;
      if (rawVariance[node] !== sigma2[at]) {
        dropped++;
        continue;
      }
      period[at] = raw[node] as number;
      present++;
    }
  });
  if (dropped > MOST_MIXED * (present + dropped)) {
    throw new ConcordatError(
      'mixed-noise',
      'the releases were asked with different budgets, or different agencies answered: analyse those apart',
    );
  }
  const typicalSigma2 = mostFrequent(sigma2);
  return {
    category,
    cells,
    neighbours: neighbourLists(cells),
    names,
    periods,
    sigma2,
    typicalSigma2,
    mostSigma2: sigma2.reduce((most, value) => Math.max(most, value), 0),
    otherCells: sigma2.reduce((sum, value) => sum + (value === typicalSigma2 ? 0 : 1), 0),
    missing: names.length * cells.length - present,
  };
}

/** Positions of the cells under each law of noise, by its sigma^2. */
export function cellsByLaw({ sigma2 }: CellSeries): ReadonlyMap<number, Int32Array> {
  const members = new Map<number, number[]>();
  sigma2.forEach((law, i) => {
    const known = members.get(law);
    if (known) known.push(i);
    else members.set(law, [i]);
  });
  return new Map([...members].map(([law, cells]) => [law, Int32Array.from(cells)]));
}

/** Law of the noise in one count of most cells. Throws `mixed-noise` when others have far more. */
export function typicalLaw({ sigma2, typicalSigma2 }: CellSeries): NoiseLaw {
  const far = sigma2.reduce(
    (sum, value) =>
      sum + (value > MOST_RATIO * typicalSigma2 || value * MOST_RATIO < typicalSigma2 ? 1 : 0),
    0,
  );
  if (far > MOST_MIXED * sigma2.length) {
    throw new ConcordatError(
      'mixed-noise',
      'the agencies answered with very different noise, and this method knows one: ask with --agencies, those alike together',
    );
  }
  return { mechanism: 'discrete-gaussian', sigma2: typicalSigma2 };
}

/**
 * The sum of every category that the same agencies counted in the same periods, this one included: where crime is at all.
 * Undefined when there is no other category.
 */
export async function readCompanions(
  releases: readonly OpenRelease[],
  series: CellSeries,
  resolution: number,
  range: Range,
): Promise<{ readonly periods: Periods; readonly categories: readonly Category[] } | undefined> {
  const own = groupsOfCategory(releases, series.category, range);
  const shared = own
    .map(({ release, group }) =>
      release.header.groups.filter(
        (other) => other.period === group.period && other.coverageClass === group.coverageClass,
      ),
    )
    .map((groups) => new Set(groups.map(({ category }) => category)));
  const categories = [...(shared[0] ?? [])].filter((category) =>
    shared.every((set) => set.has(category)),
  );
  if (categories.length < 2) return undefined;
  const periods = series.periods.map((period) => period.slice());
  for (const category of categories) {
    if (category === series.category) continue;
    const groups = own.map(({ release, group }) => {
      const same = release.header.groups.find(
        (other) => other.category === category && other.period === group.period,
      );
      return { release, group: same ?? group };
    });
    const other = await assemble(category, groups, resolution);
    other.periods.forEach((counts, t) => {
      const sum = periods[t] as Float64Array;
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (counts[i] as number);
    });
  }
  return { periods, categories };
}
