/**
 * Sizes of tests under noise by Monte Carlo. A share measured over n independent cells is compared with its nominal value
 * at 4.9 binomial standard errors: false-alarm probability 1e-6 per assertion. 6,000 cells tell a size of 5 % from one of 6.4 %, and 1 % from
 * 1.7 %; CONCORDAT_NIGHTLY=1 takes 10^5 cells, which tell 5 % from 5.4 % and 1 % from 1.2 %. The scan and Moran's I have fewer worlds,
 * 200 and 400 over the four epsilons: they tell 5 % from 13 % and from 11 %.
 */
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, type NeighbourLists, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { giStarOnGrid } from './detect/getis-ord.js';
import { cellTails, neighbourhoodTails } from './detect/hot-cells.js';
import { moran, moranPermutation } from './detect/moran.js';
import { giStarTails } from './detect/permutation-law.js';
import { discZones, type ScanModel, scanP } from './detect/scan.js';
import { type WeightTriple, weightsFromTriples } from './detect/spatial-weights.js';
import { normalTwoSided } from './laws/normal.js';
import { type NoiseLaw, noiseVariance } from './laws/pmf.js';
import { gammaDraw, poissonDraws, uniforms } from './laws/random-variates.js';
import { forecast, type Release } from './predict/forecast.js';
import { type Baseline, knownBaseline, usualBaseline } from './track/baseline.js';
import { trends, trendTails } from './track/trend.js';
import { warnings } from './track/warning.js';

const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';
const CELLS = NIGHTLY ? 100_000 : 6_000;
/** A disk of this radius has as many cells or a few more. */
const RADIUS = NIGHTLY ? 183 : 45;
const MONTHS = 12;
/** Newest months that early warning watches. */
const WATCHED = 3;
const EPSILONS: [epsilon: number, tenths: bigint][] = [
  [0.1, 1n],
  [0.5, 5n],
  [1, 10n],
  [2, 20n],
];
const ALPHAS = [0.01, 0.05];
const RATES = [0.02, 0.3, 2, 15];

const lawOf = (epsilon: number): NoiseLaw => ({ mechanism: 'discrete-laplace', epsilon });
const samplerOf = (tenths: bigint) => discreteLaplace({ scale: rational(10n, tenths) });
const tolerance = (share: number, n: number): number => 4.9 * Math.sqrt((share * (1 - share)) / n);
const shareBelow = (p: ArrayLike<number>, alpha: number): number =>
  Array.from(p).filter((value) => value <= alpha).length / p.length;

/** The share of p-values up to alpha is alpha. */
function expectSize(p: ArrayLike<number>): void {
  for (const alpha of ALPHAS) {
    expect(Math.abs(shareBelow(p, alpha) - alpha)).toBeLessThan(tolerance(alpha, p.length));
  }
}

/** It is not above alpha. */
function expectConservative(p: ArrayLike<number>): void {
  for (const alpha of ALPHAS) {
    expect(shareBelow(p, alpha)).toBeLessThan(alpha + tolerance(alpha, p.length));
  }
}

/** Noisy monthly counts of cells whose rates never change. */
function innocentMonths(rates: Float64Array, tenths: bigint, months: number, seed: string) {
  const random = seededRandom(seed);
  const sampler = samplerOf(tenths);
  const noise = new Int32Array(rates.length);
  return Array.from({ length: months }, () => {
    sampler.sampleInto(noise, random);
    return poissonDraws(rates, random).map((count, i) => count + (noise[i] as number));
  });
}

const mixedRates = (cells: number): Float64Array =>
  Float64Array.from({ length: cells }, (_, i) => RATES[i % RATES.length] as number);

const sumOf = (months: readonly Float64Array[]): Float64Array =>
  (months[0] as Float64Array).map((_, i) =>
    months.reduce((sum, month) => sum + (month[i] as number), 0),
  );

describe.each(EPSILONS)('cells at epsilon %d', (epsilon, tenths) => {
  const rates = mixedRates(CELLS);
  const months = innocentMonths(rates, tenths, MONTHS, `size ${epsilon}`);
  const input = {
    sums: sumOf(months),
    expected: rates.map((rate) => MONTHS * rate),
    terms: new Float64Array(CELLS).fill(MONTHS),
    law: lawOf(epsilon),
  };

  it('the exact tail has its size, the plain one at most that', () => {
    expectSize(cellTails(input, seededRandom(`ties ${epsilon}`)));
    expectConservative(cellTails(input));
  });

  it('Mann-Kendall has its size, the plain one and its z-score at most that', () => {
    expectSize(trendTails(months, seededRandom(`trend ${epsilon}`)));
    expectConservative(trendTails(months));
    expectConservative(trends(months, { slopes: false }).z.map(normalTwoSided));
  });

  it.each<[string, (release: Release, neighbours: NeighbourLists) => Baseline]>([
    ['known', () => knownBaseline(rates)],
    ['estimated', (release, neighbours) => usualBaseline(forecast(release, neighbours))],
  ])(
    'early warning gives 2 to 5 false alarms per 1,000 cell-months, its baseline %s',
    (_, baselineOf) => {
      const law = lawOf(epsilon);
      const neighbours = neighbourLists(disk(cellAt(51.5, -0.1, 9), RADIUS).slice(0, CELLS));
      const periods = months.slice(0, MONTHS - WATCHED);
      const baseline = baselineOf({ periods, noiseVariance: noiseVariance(law), law }, neighbours);
      const { warned } = warnings(months.slice(MONTHS - WATCHED), baseline, { law });
      const share = warned.reduce((sum, one) => sum + one, 0) / CELLS;
      expect(share).toBeGreaterThan(0.002 - tolerance(0.002, CELLS));
      expect(share).toBeLessThan(0.005 + tolerance(0.005, CELLS));
    },
  );
});

describe.each(EPSILONS)('neighbourhoods at epsilon %d', (epsilon, tenths) => {
  const cells = disk(cellAt(51.5, -0.1, 9), 70);
  const neighbours = neighbourLists(cells);
  /** Whole neighbourhoods without a cell in common: what is measured on them is independent. */
  const centres = disjointCentres();
  const worlds = Math.ceil(CELLS / centres.length);

  function disjointCentres(): number[] {
    const taken = new Uint8Array(cells.length);
    return [...cells.keys()].filter((i) => {
      const near = [i, ...neighbours.targets.subarray(6 * i, 6 * i + 6)];
      if (near.includes(-1) || near.some((cell) => taken[cell])) return false;
      for (const cell of near) taken[cell] = 1;
      return true;
    });
  }

  function measured(of: (world: number) => Float64Array): number[] {
    return Array.from({ length: worlds }, (_, world) => {
      const p = of(world);
      return centres.map((i) => p[i] as number);
    }).flat();
  }

  it('the tails of sums keep their size', () => {
    const rates = mixedRates(cells.length);
    const terms = new Float64Array(cells.length).fill(1);
    const p = measured((world) => {
      const seed = `near ${epsilon} ${world}`;
      const [sums] = innocentMonths(rates, tenths, 1, seed) as [Float64Array];
      const input = { sums, expected: rates, terms, law: lawOf(epsilon) };
      return neighbourhoodTails(input, neighbours, seededRandom(`ties ${seed}`));
    });
    expectSize(p);
  });

  it('G_i* has its size by the exact law, and by the normal law only nearly', () => {
    // Cells that differ at random, in no order: exchangeable.
    const uniform = uniforms(seededRandom(`rates ${epsilon}`));
    const month = (world: number): Float64Array => {
      const rates = Float64Array.from(cells, () => 2 * gammaDraw(0.5, uniform));
      return innocentMonths(rates, tenths, 1, `gi ${epsilon} ${world}`)[0] as Float64Array;
    };
    const months = Array.from({ length: worlds }, (_, world) => month(world));
    const random = seededRandom(`gi ties ${epsilon}`);
    expectSize(measured((world) => giStarTails(months[world] as Float64Array, neighbours, random)));
    expectConservative(measured((world) => giStarTails(months[world] as Float64Array, neighbours)));
    const byNormal = measured((world) =>
      giStarOnGrid(months[world] as Float64Array, neighbours).map(normalTwoSided),
    );
    expect(shareBelow(byNormal, 0.01)).toBeGreaterThan(0.01);
    expect(Math.abs(shareBelow(byNormal, 0.05) - 0.05)).toBeLessThan(0.01);
  });
});

describe('what happens without knowing the noise', () => {
  it('a Poisson test rejects a third of innocent cells at epsilon 0.1', () => {
    const rates = mixedRates(20_000);
    const [month] = innocentMonths(rates, 1n, 1, 'naive') as [Float64Array];
    const p = cellTails({
      sums: month,
      expected: rates,
      terms: new Float64Array(rates.length).fill(1),
      law: { mechanism: 'none' },
    });
    expect(shareBelow(p, 0.05)).toBeGreaterThan(0.3);
  });
});

describe.each(['expectation', 'conditional'] as ScanModel[])('the %s scan', (model) => {
  it('rejects as many null worlds as its size says, over the four epsilons together', () => {
    const cells = disk(cellAt(51.5, -0.1, 9), 2);
    const zones = discZones(neighbourLists(cells), 1);
    const expected = Float64Array.from(cells, (_, i) => [4, 9, 15][i % 3] as number);
    const worlds = NIGHTLY ? 2000 : 50;
    const p = EPSILONS.flatMap(([epsilon, tenths]) => {
      const sampler = samplerOf(tenths);
      const variance = noiseVariance(lawOf(epsilon));
      const random = seededRandom(`scan ${model} ${epsilon}`);
      return Array.from({ length: worlds }, (_, world) => {
        const [counts] = innocentMonths(expected, tenths, 1, `scan ${epsilon} ${world}`) as [
          Float64Array,
        ];
        const input = { counts, expected, zones, model, noiseVariance: variance };
        return scanP(input, { sampler, random, draws: 99 });
      });
    });
    expectSize(p);
  });
});

it('the scan rejects as many null worlds as its size says where most of them tie', () => {
  // One place that expects one incident: four or more come in 1.9 % of worlds, three or more in 8 %, so 5 % lies inside a tie.
  const expected = Float64Array.of(1);
  const zones = { offsets: Int32Array.of(0, 1), members: Int32Array.of(0) };
  const random = seededRandom('scan ties');
  const p = Array.from({ length: 4000 }, () => {
    const counts = poissonDraws(expected, random);
    const input = { counts, expected, zones, model: 'expectation', noiseVariance: 0 } as const;
    return scanP(input, { random, draws: 99 });
  });
  expectSize(p);
});

describe("Moran's I under noise", () => {
  const cells = disk(cellAt(51.5, -0.1, 9), 8);
  const { degrees, targets } = neighbourLists(cells);
  const rows = weightsFromTriples(
    cells.length,
    Array.from(cells).flatMap((_, i) =>
      Array.from(
        targets.subarray(6 * i, 6 * i + (degrees[i] as number)),
        (j): WeightTriple => [i, j, 1],
      ),
    ),
    false,
  );
  const WORLDS = NIGHTLY ? 10_000 : 100;

  it('has its size by deals and by its moments, over the four epsilons together', () => {
    const byDeals: number[] = [];
    const byMoments: number[] = [];
    for (const [epsilon, tenths] of EPSILONS) {
      const uniform = uniforms(seededRandom(`moran rates ${epsilon}`));
      const random = seededRandom(`moran deals ${epsilon}`);
      for (let world = 0; world < WORLDS; world++) {
        const rates = Float64Array.from(cells, () => 2 * gammaDraw(0.5, uniform));
        const seed = `moran ${epsilon} ${world}`;
        const [month] = innocentMonths(rates, tenths, 1, seed) as [Float64Array];
        byDeals.push(moranPermutation(month, rows, { random, draws: 99 }));
        byMoments.push(moran(month, rows).p);
      }
    }
    expectSize(byDeals);
    // By the normal limit, with 217 places: 5 % within half a point, 1 % within a third of one.
    const n = byMoments.length;
    expect(Math.abs(shareBelow(byMoments, 0.05) - 0.05)).toBeLessThan(0.005 + tolerance(0.05, n));
    expect(Math.abs(shareBelow(byMoments, 0.01) - 0.01)).toBeLessThan(0.0035 + tolerance(0.01, n));
  });
});
