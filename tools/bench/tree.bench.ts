/**
 * The hierarchy estimate: time and memory for England and Wales, and how much closer to the truth it is than noise on the
 * cells alone ("flat") with the same rho, on real police records.
 *
 * Real figures are of Avon and Somerset: the bundled samples of its force and two of its councils, or a folder of police.uk street
 * CSVs that CONCORDAT_BENCH_STREET names. Distance is total variation: half the sum of |released - true| over
 * resolution-9 cells, divided by the true total.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import {
  discreteGaussian,
  type EstimatePlan,
  estimateHierarchy,
  integerMap,
  levelVariances,
  type NoiseSampler,
  noisyCountsFromWire,
  parseRho,
  planEstimate,
  rational,
} from '#libs/dp';
import {
  buildTree,
  cellAt,
  findArea,
  type GridTree,
  indexOf,
  parseAreas,
  parseDomainFile,
  rollUp,
} from '#libs/grid';
import {
  compileMapping,
  formatMonth,
  type Mapping,
  matchesFiles,
  parseAgency,
  parseMapping,
  parseTaxonomy,
} from '#libs/harmonise';
import { seededRandom } from '#libs/testing';
import type { Emit } from './line.js';

const DRAWS = 5;
const LEVELS = levelVariances({ rho: parseRho('1/8'), finest: 9, l2SensitivitySquared: 1n });
/** All of rho 1/8 on the cells: sigma^2 = 1 / (2 rho). */
const FLAT = discreteGaussian({ sigma2: rational(4n) });

const gunzipped = (path: string): string => gunzipSync(readFileSync(path)).toString();
const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;
const total = (counts: Int32Array): number => counts.reduce((a, b) => a + b, 0);

interface Measured {
  readonly tree: GridTree;
  readonly plan: EstimatePlan;
  readonly samplers: readonly NoiseSampler[];
}

const measured = (tree: GridTree): Measured => ({
  tree,
  plan: planEstimate(
    tree,
    LEVELS.map(({ sigma2 }) => sigma2),
  ),
  samplers: LEVELS.map(({ sigma2 }) => discreteGaussian({ sigma2 })),
});

/** Both releases of one vector of true leaf counts. */
function releaseBoth({ tree, plan, samplers }: Measured, leaves: Int32Array, seed: string) {
  const random = seededRandom(seed);
  const exact = rollUp(tree, leaves);
  const noisy = new Int32Array(tree.nodeCount);
  samplers.forEach((sampler, level) => {
    sampler.sampleInto(noisy.subarray(tree.levelStart[level], tree.levelStart[level + 1]), random);
  });
  for (let v = 0; v < noisy.length; v++) noisy[v] = (noisy[v] as number) + (exact[v] as number);
  const estimates = estimateHierarchy(plan, noisyCountsFromWire(noisy));
  const flat = new Int32Array(leaves.length);
  FLAT.sampleInto(flat, random);
  for (let i = 0; i < flat.length; i++) flat[i] = (flat[i] as number) + (leaves[i] as number);
  return { exact, estimates, map: integerMap(tree, estimates), flat: rollUp(tree, flat) };
}

type Release = ReturnType<typeof releaseBoth>;
type Values = Int32Array | Float64Array;

function levelErrors(tree: GridTree, level: number, values: Values, exact: Int32Array): number[] {
  const nodes = Array.from(
    { length: (tree.levelStart[level + 1] as number) - (tree.levelStart[level] as number) },
    (_, k) => (tree.levelStart[level] as number) + k,
  );
  return nodes.map((v) => (values[v] as number) - (exact[v] as number));
}
const distance = (tree: GridTree, values: Values, exact: Int32Array): number =>
  levelErrors(tree, tree.levelResolution.length - 1, values, exact).reduce(
    (a, e) => a + Math.abs(e),
    0,
  ) /
  2 /
  (exact[0] as number);
const rootMeanSquare = (tree: GridTree, values: Values, exact: Int32Array): number =>
  Math.sqrt(mean(levelErrors(tree, 1, values, exact).map((e) => e * e)));

/** Files of one kind and how they are read. */
interface Source {
  readonly files: readonly string[];
  readonly mapping: Mapping;
}

/** Agencies of the samples that record what happens in Avon and Somerset: the force, and two councils for anti-social behaviour. */
const SAMPLES = ['avon-and-somerset-police', 'bristol-council', 'somerset-council'];
const MAPPINGS = 'policies/mappings';
const NOW_MS = Date.UTC(2026, 0, 1);

const readMapping = (name: string): Mapping =>
  parseMapping(readFileSync(join(MAPPINGS, `${name}.yaml`), 'utf8'));

function sampleSources(): Source[] {
  return SAMPLES.flatMap((id) => {
    const folder = join('samples/agencies', id);
    const { datasets } = parseAgency(readFileSync(join(folder, 'agency.yaml'), 'utf8'));
    return datasets.map(({ files, mapping }) => ({
      files: readdirSync(folder)
        .filter((name) => matchesFiles(files, name))
        .map((name) => join(folder, name)),
      mapping: readMapping(mapping),
    }));
  });
}

const streetSources = (folder: string): Source[] => [
  {
    files: readdirSync(folder)
      .filter((name) => name.endsWith('-street.csv.gz'))
      .map((name) => join(folder, name)),
    mapping: readMapping('police-uk-street'),
  },
];

/** True counts by `month|category` and `month|all` on the leaves of `tree`; rows without a place or outside are left out. */
function readCounts(sources: readonly Source[], tree: GridTree): Map<string, Int32Array> {
  const taxonomy = parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8'));
  const leafStart = tree.levelStart.at(-2) as number;
  const counts = new Map<string, Int32Array>();
  for (const { files, mapping } of sources) {
    const delimiter = mapping.format.delimiter === 'semicolon' ? ';' : ',';
    for (const file of files) {
      const [header = [], ...rows] = parse(gunzipped(file), { delimiter }) as string[][];
      const read = compileMapping(mapping, taxonomy, { header, nowMs: NOW_MS });
      for (const fields of rows) {
        const row = read(fields);
        if (row.rejected !== undefined || !row.located) continue;
        const node = indexOf(tree, cellAt(row.latitude, row.longitude, 9));
        if (node < 0) continue;
        const month = formatMonth(row.month);
        for (const key of [`${month}|all`, `${month}|${taxonomy.categories[row.category]}`]) {
          const vector = counts.get(key) ?? new Int32Array(tree.nodeCount - leafStart);
          vector[node - leafStart] = (vector[node - leafStart] as number) + 1;
          counts.set(key, vector);
        }
      }
    }
  }
  return counts;
}

/** A total spread down the tree by random, very unequal shares: what crime looks like, at national size. */
function cascade(tree: GridTree, all: number): Int32Array {
  const random = seededRandom('cascade');
  const word = new Uint32Array(1);
  const uniform = (): number => {
    random.fillWords(word);
    return ((word[0] as number) + 0.5) / 2 ** 32;
  };
  const share = new Float64Array(tree.nodeCount);
  share[0] = all;
  const leafStart = tree.levelStart.at(-2) as number;
  for (let v = 0; v < leafStart; v++) {
    const first = tree.firstChild[v] as number;
    const weights = Array.from(
      { length: (tree.firstChild[v + 1] as number) - first },
      () => (-Math.log(uniform())) ** 3,
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    weights.forEach((weight, k) => {
      share[first + k] = ((share[v] as number) * weight) / sum;
    });
  }
  // Each cell keeps its whole part, and the fraction by chance.
  return Int32Array.from(share.subarray(leafStart), (x) => Math.floor(x + uniform()));
}

function compare(
  emit: Emit,
  name: string,
  unit: string,
  releases: readonly Release[],
  figure: (values: Values, exact: Int32Array) => number,
  of: (release: Release) => Values,
): void {
  const ours = mean(releases.map((release) => figure(of(release), release.exact)));
  const flat = mean(releases.map((release) => figure(release.flat, release.exact)));
  emit({ name, figure: ours, unit, peer: 'flat noise, same rho', ratio: flat / ours });
}

/** Time and peak memory of one vector of England and Wales, in a process of its own. */
export function nationalTree(emit: Emit): void {
  const script = fileURLToPath(new URL('./national-tree.js', import.meta.url));
  const figures = JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8' }));
  const { noiseMs, planMs, estimateMs, mapMs, totalMs, firstCpuMs } = figures;
  const { domainMs, treeMs, peakMegabytes } = figures;
  emit({ name: 'tree/national/noise+plan+estimate+map, best of 3', figure: totalMs, unit: 'ms' });
  emit({ name: 'tree/national/processor time of the first', figure: firstCpuMs, unit: 'ms' });
  const parts = { noise: noiseMs, plan: planMs, estimate: estimateMs, map: mapMs };
  for (const [part, figure] of Object.entries(parts)) {
    emit({ name: `tree/national/${part}`, figure, unit: 'ms' });
  }
  emit({ name: 'tree/national/peak-memory', figure: peakMegabytes, unit: 'MB' });
  emit({ name: 'tree/national/open-domain-file', figure: domainMs, unit: 'ms' });
  emit({ name: 'tree/national/build-tree', figure: treeMs, unit: 'ms' });
}

/** Accuracy on a synthetic national total of half a million incidents. */
function nationalCascade(emit: Emit): void {
  const tree = buildTree(parseDomainFile('ew-2026-1', gunzipped('samples/grid/ew-2026-1.txt.gz')), {
    finest: 9,
  });
  const release = releaseBoth(measured(tree), cascade(tree, 500_000), 'national');
  compare(
    emit,
    'tree/national-cascade/rmse-resolution-4',
    'incidents',
    [release],
    (values, exact) => rootMeanSquare(tree, values, exact),
    ({ estimates }) => estimates,
  );
}

function realForce(emit: Emit, sources: readonly Source[]): void {
  const areas = parseAreas(gunzipped('samples/grid/areas.json.gz'));
  const tree = buildTree(findArea(areas, 'force', 'avon-and-somerset').domain(), { finest: 9 });
  const setting = measured(tree);
  const counts = readCounts(sources, tree);
  const months = [...new Set([...counts.keys()].map((key) => key.slice(0, 7)))].sort().slice(-12);
  const monthly = (category: string) =>
    months.flatMap((month) => counts.get(`${month}|${category}`) ?? []);
  const year = new Int32Array(setting.tree.nodeCount - (tree.levelStart.at(-2) as number));
  for (const vector of monthly('all')) {
    for (let i = 0; i < year.length; i++) year[i] = (year[i] as number) + (vector[i] as number);
  }
  const draw = (vectors: readonly Int32Array[], draws: number) =>
    vectors.flatMap((vector, i) =>
      Array.from({ length: draws }, (_, k) => releaseBoth(setting, vector, `${i}/${k}`)),
    );
  const byDistance = (values: Values, exact: Int32Array) => distance(tree, values, exact);
  const byError = (values: Values, exact: Int32Array) => rootMeanSquare(tree, values, exact);
  const ofMap = (release: Release) => release.map;

  const month = draw(monthly('all'), 1);
  compare(emit, 'tree/force/tvd/all-crime-month', 'of total', month, byDistance, ofMap);
  compare(
    emit,
    'tree/force/tvd/all-crime-year',
    'of total',
    draw([year], DRAWS),
    byDistance,
    ofMap,
  );
  compare(
    emit,
    'tree/force/tvd/violence-month',
    'of total',
    draw(monthly('violence'), 1),
    byDistance,
    ofMap,
  );
  compare(
    emit,
    'tree/force/rmse-resolution-4/month',
    'incidents',
    month,
    byError,
    ({ estimates }) => estimates,
  );

  const rare = [...counts].sort(
    ([, a], [, b]) => Math.abs(total(a) - 66) - Math.abs(total(b) - 66),
  )[0];
  if (rare === undefined) return;
  const name = `tree/force/rare (${rare[0]}, ${total(rare[1])} incidents)`;
  compare(emit, `${name}/tvd`, 'of total', draw([rare[1]], DRAWS), byDistance, ofMap);
  const errors = draw([rare[1]], 200).map(
    ({ map, exact }) => (map[0] as number) - (exact[0] as number),
  );
  const spread = Math.sqrt(mean(errors.map((e) => (e - mean(errors)) ** 2)) / (errors.length - 1));
  emit({
    name: `${name}/bias-of-total`,
    figure: mean(errors) / spread,
    unit: 'standard errors, 200 draws',
  });
}

/** How much closer to the truth the estimate is than flat noise: on a national cascade, and on real records where there are some. */
export function utilityGates(emit: Emit): void {
  nationalCascade(emit);
  const folder = process.env.CONCORDAT_BENCH_STREET;
  realForce(emit, folder === undefined ? sampleSources() : streetSources(folder));
}

export async function run(emit: Emit): Promise<void> {
  nationalTree(emit);
  utilityGates(emit);
}
