/**
 * `npm run bench -- test-size`: how often each test rejects when nothing is there, over 10^5 null cells (or worlds) with the
 * noise of epsilon 0.1 to 2, and how far that is from its nominal size in binomial standard errors. What the specs assert on
 * fewer cells, at full length. CONCORDAT_BENCH_EPSILONS chooses among the four, CONCORDAT_BENCH_TESTS among counts (tails,
 * trends, neighbourhoods and effects), moran, scan and placebo, each with a seed of its own: the first takes a minute, the others
 * up to six, or less with CONCORDAT_BENCH_WORLDS.
 */
import process from 'node:process';
import {
  cellTails,
  differenceInDifferences,
  discZones,
  gammaDraw,
  giStarTails,
  knownBaseline,
  moran,
  moranPermutation,
  neighbourhoodTails,
  noiseVariance,
  placeboTest,
  poissonDraws,
  type ScanModel,
  scanP,
  trendTails,
  uniforms,
  type WeightTriple,
  warnings,
  weightedDisplacement,
  weightsFromTriples,
} from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import { discreteLaplace, type RandomSource, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import type { Emit } from './line.js';
import { seededWords } from './seeded-words.js';

const {
  CONCORDAT_BENCH_EPSILONS: EPSILONS = '0.1,0.5,1,2',
  CONCORDAT_BENCH_WORLDS = '100000',
  CONCORDAT_BENCH_TESTS: TESTS = 'counts,moran,scan,placebo',
} = process.env;

const CELLS = 100_000;
const WORLDS = Number(CONCORDAT_BENCH_WORLDS);
const MONTHS = 12;
/** Newest months that early warning watches; `npm run bench -- early-warning` has estimated baselines. */
const WATCHED = 3;
const RATES = [0.02, 0.3, 2, 15];

function report(emit: Emit, name: string, p: ArrayLike<number>, alpha: number) {
  const share = Array.from(p).filter((value) => value <= alpha).length / p.length;
  const errors = (share - alpha) / Math.sqrt((alpha * (1 - alpha)) / p.length);
  emit({
    name: `${name}, size at ${100 * alpha} %`,
    figure: Number((100 * share).toFixed(3)),
    unit: '%',
  });
  emit({
    name: `${name}, size at ${100 * alpha} %, off by`,
    figure: Number(errors.toFixed(2)),
    unit: 'standard errors',
  });
}

function reportBoth(emit: Emit, name: string, p: ArrayLike<number>): void {
  for (const alpha of [0.01, 0.05]) report(emit, name, p, alpha);
}

/** One draw of noisy counts with these means. */
type Draw = (means: Float64Array) => Float64Array;

/** What a group of tests is measured under. */
interface Setting {
  readonly epsilon: number;
  readonly draw: Draw;
  readonly random: RandomSource;
}

const samplerOf = (epsilon: number) =>
  discreteLaplace({ scale: rational(10n, BigInt(Math.round(10 * epsilon))) });

function drawer(epsilon: number, random: RandomSource): Draw {
  const sampler = samplerOf(epsilon);
  return (means) => {
    const noise = new Int32Array(means.length);
    sampler.sampleInto(noise, random);
    return poissonDraws(means, random).map((count, i) => count + (noise[i] as number));
  };
}

function cellTests(emit: Emit, { epsilon, draw, random }: Setting): void {
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const rates = Float64Array.from({ length: CELLS }, (_, i) => RATES[i % RATES.length] as number);
  const months = Array.from({ length: MONTHS }, () => draw(rates));
  const sums = rates.map((_, i) => months.reduce((sum, month) => sum + (month[i] as number), 0));
  const expected = rates.map((rate) => MONTHS * rate);
  const terms = new Float64Array(CELLS).fill(MONTHS);
  reportBoth(emit, `tail at epsilon ${epsilon}`, cellTails({ sums, expected, terms, law }, random));
  reportBoth(emit, `Mann-Kendall at epsilon ${epsilon}`, trendTails(months, random));
  const { warned } = warnings(months.slice(-WATCHED), knownBaseline(rates), { law });
  const alarms = (1000 * warned.reduce((sum, one) => sum + one, 0)) / CELLS;
  emit({
    name: `early warning at epsilon ${epsilon}, known baseline, false alarms`,
    figure: alarms,
    unit: 'per 1,000 cell-months',
  });
}

/** Whole neighbourhoods without a cell in common: what is measured on them is independent. */
function disjointCentres({ targets, degrees }: ReturnType<typeof neighbourLists>): number[] {
  const taken = new Uint8Array(degrees.length);
  return [...degrees.keys()].filter((i) => {
    const near = [i, ...targets.subarray(6 * i, 6 * i + 6)];
    if (near.includes(-1) || near.some((cell) => taken[cell])) return false;
    for (const cell of near) taken[cell] = 1;
    return true;
  });
}

function neighbourhoodTests(emit: Emit, { epsilon, draw, random }: Setting): void {
  const neighbours = neighbourLists(disk(cellAt(51.5, -0.1, 9), 70));
  const cells = neighbours.degrees.length;
  const centres = disjointCentres(neighbours);
  const uniform = uniforms(random);
  const terms = new Float64Array(cells).fill(1);
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const hot: number[] = [];
  const clustered: number[] = [];
  while (hot.length < CELLS) {
    // Cells that differ at random, in no order: exchangeable.
    const expected = Float64Array.from({ length: cells }, () => 2 * gammaDraw(0.5, uniform));
    const sums = draw(expected);
    const tails = neighbourhoodTails({ sums, expected, terms, law }, neighbours, random);
    const exchanged = giStarTails(sums, neighbours, random);
    for (const i of centres) {
      hot.push(tails[i] as number);
      clustered.push(exchanged[i] as number);
    }
  }
  reportBoth(emit, `neighbourhood tail at epsilon ${epsilon}`, hot);
  reportBoth(emit, `G_i* at epsilon ${epsilon}`, clustered);
}

function scanTests(emit: Emit, { epsilon, draw, random }: Setting): void {
  const cells = disk(cellAt(51.5, -0.1, 9), 2);
  const zones = discZones(neighbourLists(cells), 1);
  const expected = Float64Array.from(cells, (_, i) => [4, 9, 15][i % 3] as number);
  const sampler = samplerOf(epsilon);
  const variance = noiseVariance({ mechanism: 'discrete-laplace', epsilon });
  for (const model of ['expectation', 'conditional'] as ScanModel[]) {
    const p = Array.from({ length: WORLDS }, () => {
      const input = { counts: draw(expected), expected, zones, model, noiseVariance: variance };
      return scanP(input, { sampler, random, draws: 99 });
    });
    reportBoth(emit, `${model} scan at epsilon ${epsilon}`, p);
  }
}

function evaluationTests(emit: Emit, { epsilon, draw }: Setting): void {
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const means = Float64Array.of(80, 80, 90, 90, 40, 40, 30, 30);
  const displacement = Array.from({ length: WORLDS }, () => {
    const n = draw(means) as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const counts = {
      treatedBefore: n[0],
      treatedAfter: n[1],
      controlBefore: n[2],
      controlAfter: n[3],
      displacementBefore: n[4],
      displacementAfter: n[5],
      displacementControlBefore: n[6],
      displacementControlAfter: n[7],
    };
    return weightedDisplacement(counts, { law, terms: 8 }).p;
  });
  reportBoth(emit, `WDD at epsilon ${epsilon}`, displacement);
  const noise = noiseVariance(law);
  const year = new Float64Array(24).fill(12);
  const series = () => ({ counts: draw(year), noiseVariance: noise, law });
  const differences = Array.from(
    { length: WORLDS },
    () => differenceInDifferences(series(), series(), 12).p,
  );
  reportBoth(emit, `difference-in-differences at epsilon ${epsilon}`, differences);
}

function placeboTests(emit: Emit, { epsilon, draw }: Setting): void {
  const still = new Float64Array(18).fill(60);
  const placebos = Array.from({ length: WORLDS }, () => {
    const donors = Array.from({ length: 19 }, () => draw(still));
    return placeboTest(draw(still), donors, 12).p;
  });
  // Nineteen donors: the smallest p is 1 in 20.
  report(emit, `synthetic-control placebo at epsilon ${epsilon}`, placebos, 0.05);
}

/** Moran's I over 217 places that differ at random, in no order: by deals of the values, and by its moments in the normal limit. */
function moranTests(emit: Emit, { epsilon, draw, random }: Setting): void {
  const cells = disk(cellAt(51.5, -0.1, 9), 8);
  const { degrees, targets } = neighbourLists(cells);
  const pairs = Array.from(cells).flatMap((_, i) => {
    const near = targets.subarray(6 * i, 6 * i + (degrees[i] as number));
    return Array.from(near, (j): WeightTriple => [i, j, 1]);
  });
  const weights = weightsFromTriples(cells.length, pairs, false);
  const uniform = uniforms(random);
  const byDeals = new Float64Array(WORLDS);
  const byMoments = new Float64Array(WORLDS);
  for (let world = 0; world < WORLDS; world++) {
    const month = draw(Float64Array.from(cells, () => 2 * gammaDraw(0.5, uniform)));
    byDeals[world] = moranPermutation(month, weights, { random, draws: 99 });
    byMoments[world] = moran(month, weights).p;
  }
  reportBoth(emit, `Moran's I by deals at epsilon ${epsilon}`, byDeals);
  reportBoth(emit, `Moran's I by moments at epsilon ${epsilon}`, byMoments);
}

type Test = (emit: Emit, setting: Setting) => void;

/** Tests that draw from one stream, in this order, and where its seeds begin. */
const GROUPS: Readonly<Record<string, { readonly tests: readonly Test[]; readonly seed: number }>> =
  {
    counts: { tests: [cellTests, neighbourhoodTests, evaluationTests], seed: 0 },
    moran: { tests: [moranTests], seed: 2000 },
    scan: { tests: [scanTests], seed: 4000 },
    placebo: { tests: [placeboTests], seed: 5000 },
  };

export async function run(emit: Emit): Promise<void> {
  const asked = TESTS.split(',').map((name) => {
    const group = GROUPS[name];
    if (group) return group;
    const known = Object.keys(GROUPS).join(', ');
    throw new ConcordatError('unknown-test', `CONCORDAT_BENCH_TESTS takes ${known}, not ${name}`);
  });
  for (const epsilon of EPSILONS.split(',').map(Number)) {
    for (const { tests, seed } of asked) {
      const random = seededWords(Math.round(10 * epsilon) + seed);
      const setting = { epsilon, random, draw: drawer(epsilon, random) };
      for (const test of tests) test(emit, setting);
    }
  }
}
