/**
 * `npm run bench -- analytics`: every layer over the national domain for twelve months, and G_i* against a plain
 * sparse-matrix implementation of the same formula in the same run. Counts are made up (seeded Poisson over a skewed
 * field); the cost does not depend on them.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { gunzipSync } from 'node:zlib';
import {
  cellsOfShare,
  concentration,
  concentrationUnderNoise,
  denoise,
  emergingClasses,
  forecast,
  gammaDraw,
  giStar,
  giStarOnGrid,
  hotCells,
  noiseVariance,
  poissonDraws,
  rateInterval,
  type SpatialWeights,
  sumPeriods,
  topProbabilities,
  trends,
  uniforms,
  usualBaseline,
  warnings,
} from '#libs/analytics';
import { discreteLaplace, type RandomSource, rational } from '#libs/dp';
import { cellAt, disk, type NeighbourLists, neighbourLists, parseDomainFile } from '#libs/grid';
import type { Emit } from './line.js';

const MONTHS = 12;
/** As the layer asks for it unless told otherwise. */
const INTERVAL = { draws: 200, coverage: 0.95 } as const;
const HELD_SHARES = [0.25, 0.5];
/** Newest months that early warning watches. */
const WATCHED = 3;
const LAW = { mechanism: 'discrete-laplace', epsilon: 0.5 } as const;

/** Weyl sequence through an integer mixer: made-up counts need no better. */
function mixedWords(): RandomSource {
  let state = 1;
  return {
    fillWords(out) {
      for (let i = 0; i < out.length; i++) {
        state = (state + 0x9e3779b9) | 0;
        let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
        word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
        out[i] = word ^ (word >>> 15);
      }
    },
  };
}

function madeUpMonths(cells: number, random: RandomSource): Float64Array[] {
  const sampler = discreteLaplace({ scale: rational(2n) });
  const noise = new Int32Array(cells);
  return Array.from({ length: MONTHS }, () => {
    sampler.sampleInto(noise, random);
    const counts = Float64Array.from(noise);
    // Every hundredth cell has crime, more in each thousandth.
    for (let i = 0; i < cells; i += 100)
      counts[i] = (counts[i] as number) + (i % 1000 === 0 ? 9 : 2);
    return counts;
  });
}

/** Rows of the neighbour lists as a sparse matrix with the cell itself: what a plain implementation multiplies with. */
function sparseRows({ targets, degrees }: NeighbourLists): SpatialWeights {
  const offsets = new Int32Array(degrees.length + 1);
  for (let i = 0; i < degrees.length; i++) {
    offsets[i + 1] = (offsets[i] as number) + (degrees[i] as number) + 1;
  }
  const columns = new Int32Array(offsets[degrees.length] as number);
  for (let i = 0; i < degrees.length; i++) {
    let at = offsets[i] as number;
    columns[at++] = i;
    for (let side = 0; side < (degrees[i] as number); side++) {
      columns[at++] = targets[6 * i + side] as number;
    }
  }
  return { offsets, targets: columns, weights: new Float64Array(columns.length).fill(1) };
}

const seconds = (since: bigint): number => Number(process.hrtime.bigint() - since) / 1e9;

function timed<T>(emit: Emit, name: string, work: () => T): T {
  const start = process.hrtime.bigint();
  const result = work();
  emit({ name, figure: Number(seconds(start).toFixed(3)), unit: 's' });
  return result;
}

function allLayers(emit: Emit, prefix: string, cells: BigUint64Array): void {
  const random = mixedWords();
  const periods = madeUpMonths(cells.length, random);
  const allCrimePeriods = madeUpMonths(cells.length, random);
  const variance = noiseVariance(LAW);
  const release = { periods, noiseVariance: variance, law: LAW, periodsPerYear: MONTHS };
  const allCrime = { periods: allCrimePeriods, noiseVariance: variance };
  const layer = <T>(name: string, work: () => T): T => timed(emit, `${prefix} ${name}`, work);

  const start = process.hrtime.bigint();
  const processor = process.cpuUsage();
  const neighbours = layer('neighbour lists', () => neighbourLists(cells));
  const map = layer('denoised map and concentration', () => {
    const field = denoise(release, neighbours);
    concentration(field);
    return field;
  });
  layer('Gi*', () => giStarOnGrid(sumPeriods(release).sums, neighbours));
  layer('hot cells, exact tail', () =>
    hotCells(
      {
        sums: sumPeriods(release).sums,
        expected: map.map((mean) => MONTHS * mean),
        terms: new Float64Array(cells.length).fill(MONTHS),
        law: LAW,
      },
      0.05,
    ),
  );
  layer('trend, Theil-Sen', () => trends(periods));
  layer('emerging classes', () => emergingClasses(periods, neighbours));
  const next = layer('forecast, interval', () => {
    const result = forecast(release, neighbours, { allCrime });
    rateInterval(result, 0.95);
    return result;
  });
  layer('P(top 1 %)', () => topProbabilities(next, cellsOfShare(cells.length, 0.01)));
  layer('concentration with its intervals', () => {
    const own = forecast(release, neighbours);
    concentration(own.mean);
    const { gini } = concentrationUnderNoise(own, { random, ...INTERVAL }, HELD_SHARES);
    // Where the counts say nothing the work ends early: that would be no measurement.
    if (!gini.isIdentified) throw new Error('the made-up counts identify no Gini');
  });
  layer('early warning with its baseline', () => {
    const earlier = { ...release, periods: periods.slice(0, -WATCHED) };
    const baseline = usualBaseline(forecast(earlier, neighbours));
    return warnings(periods.slice(-WATCHED), baseline, { law: LAW });
  });
  emit({ name: `${prefix} all layers`, figure: Number(seconds(start).toFixed(2)), unit: 's' });
  const { user, system } = process.cpuUsage(processor);
  emit({
    name: `${prefix} all layers, processor time`,
    figure: Number(((user + system) / 1e6).toFixed(2)),
    unit: 's',
  });
}

function compareGiStar(emit: Emit, cells: BigUint64Array): void {
  const neighbours = neighbourLists(cells);
  const [values] = madeUpMonths(cells.length, mixedWords()) as [Float64Array];
  const rows = sparseRows(neighbours);
  const best = (work: () => Float64Array): [number, Float64Array] => {
    let least = Number.POSITIVE_INFINITY;
    let result = new Float64Array();
    for (let round = 0; round < 3; round++) {
      const start = process.hrtime.bigint();
      result = work() as typeof result;
      least = Math.min(least, seconds(start));
    }
    return [least, result];
  };
  const [plain, want] = best(() => giStar(values, rows, true));
  const [ours, have] = best(() => giStarOnGrid(values, neighbours));
  const difference = have.reduce(
    (most, z, i) => Math.max(most, Math.abs(z - (want[i] as number))),
    0,
  );
  emit({
    name: 'Gi* national',
    figure: Number(ours.toFixed(4)),
    unit: 's',
    peer: 'plain sparse matrix',
    ratio: Number((plain / ours).toFixed(2)),
  });
  emit({ name: 'Gi* largest difference from the plain one', figure: difference, unit: 'z' });
}

/** Reliability of P(top 10 %): in each band of claimed probability, the share of cells that were in the top. */
function reliability(emit: Emit): void {
  const cells = disk(cellAt(51.5, -0.1, 9), 60);
  const random = mixedWords();
  const uniform = uniforms(random);
  const rates = Float64Array.from(cells, () => 4 * gammaDraw(1, uniform));
  const sampler = discreteLaplace({ scale: rational(2n) });
  const noise = new Int32Array(cells.length);
  const periods = Array.from({ length: MONTHS }, () => {
    sampler.sampleInto(noise, random);
    return poissonDraws(rates, random).map((count, i) => count + (noise[i] as number));
  });
  const result = forecast(
    { periods, noiseVariance: noiseVariance(LAW), law: LAW },
    neighbourLists(cells),
  );
  const k = cellsOfShare(cells.length, 0.1);
  const p = topProbabilities(result, k);
  const limit = rates.slice().sort()[cells.length - k] as number;
  const BANDS = 5;
  for (let band = 0; band < BANDS; band++) {
    let count = 0;
    let claimed = 0;
    let found = 0;
    p.forEach((value, i) => {
      if (Math.min(BANDS - 1, Math.floor(value * BANDS)) !== band) return;
      count++;
      claimed += value;
      found += (rates[i] as number) >= limit ? 1 : 0;
    });
    emit({
      name: `P(top 10 %) claimed ${(claimed / count).toFixed(3)} in ${count} cells, found`,
      figure: Number((found / count).toFixed(3)),
      unit: 'share',
    });
  }
}

export async function run(emit: Emit): Promise<void> {
  const file = 'samples/grid/ew-2026-1.txt.gz';
  const { cells } = parseDomainFile('ew-2026-1', gunzipSync(readFileSync(file)).toString('utf8'));
  allLayers(emit, 'national', cells);
  emit({
    name: 'largest resident memory',
    figure: Math.round(process.resourceUsage().maxRSS / 1024),
    unit: 'MB',
  });
  allLayers(emit, 'force', cells.slice(0, 52_241));
  compareGiStar(emit, cells);
  reliability(emit);
}
