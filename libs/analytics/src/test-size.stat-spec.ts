/**
 * Sizes of tests under noise by Monte Carlo. A share measured over n independent cells is compared with its nominal value
 * at 4.9 binomial standard errors: false-alarm probability 1e-6 per assertion.
 */
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { giStarOnGrid } from './getis-ord.js';
import { cellTails, neighbourhoodTails } from './hot-cells.js';
import { normalTwoSided } from './normal.js';
import type { NoiseLaw } from './pmf.js';
import { poissonDraws } from './random-variates.js';
import { discZones, scanP } from './scan.js';
import { trends } from './trend.js';
import { warnings } from './warning.js';

const CELLS = 100_000;
const MONTHS = 12;
const EPSILONS: [epsilon: number, tenths: bigint][] = [
  [0.1, 1n],
  [0.5, 5n],
  [1, 10n],
  [2, 20n],
];
const RATES = [0.02, 0.3, 2, 15];

const lawOf = (epsilon: number): NoiseLaw => ({ mechanism: 'discrete-laplace', epsilon });
const samplerOf = (tenths: bigint) => discreteLaplace({ scale: rational(10n, tenths) });
const sixSigma = (share: number, n: number): number => 4.9 * Math.sqrt((share * (1 - share)) / n);
const shareBelow = (p: Float64Array, alpha: number): number =>
  p.reduce((count, value) => count + (value <= alpha ? 1 : 0), 0) / p.length;

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

describe.each(EPSILONS)('at epsilon %d', (epsilon, tenths) => {
  const rates = mixedRates(CELLS);
  const months = innocentMonths(rates, tenths, MONTHS, `size ${epsilon}`);
  const input = {
    sums: sumOf(months),
    expected: rates.map((rate) => MONTHS * rate),
    terms: new Float64Array(CELLS).fill(MONTHS),
    law: lawOf(epsilon),
  };

  it('the randomised exact tail has its size, the plain one at most that', () => {
    const randomised = cellTails(input, seededRandom(`ties ${epsilon}`));
    const plain = cellTails(input);
    for (const alpha of [0.01, 0.05]) {
      expect(Math.abs(shareBelow(randomised, alpha) - alpha)).toBeLessThan(sixSigma(alpha, CELLS));
      expect(shareBelow(plain, alpha)).toBeLessThan(alpha + sixSigma(alpha, CELLS));
    }
  });

  it('early warning gives 2 to 5 false alarms per 1,000 cell-months', () => {
    const { warned } = warnings(months, rates, new Float64Array(CELLS), { law: lawOf(epsilon) });
    const share = warned.reduce((sum, one) => sum + one, 0) / CELLS;
    expect(share).toBeGreaterThan(0.002);
    expect(share).toBeLessThan(0.005);
  });

  it('neighbourhood tails keep their size although neighbourhoods overlap', () => {
    const cells = disk(cellAt(51.5, -0.1, 9), 70);
    const neighbours = neighbourLists(cells);
    const inner = mixedRates(cells.length);
    const p = neighbourhoodTails(
      {
        sums: sumOf(innocentMonths(inner, tenths, 3, `near ${epsilon}`)),
        expected: inner.map((rate) => 3 * rate),
        terms: new Float64Array(cells.length).fill(3),
        law: lawOf(epsilon),
      },
      neighbours,
      seededRandom(`near ties ${epsilon}`),
    );
    for (const alpha of [0.01, 0.05]) {
      // A neighbourhood shares cells with 18 others: the share is worth at least n / 19 independent ones.
      const tolerance = sixSigma(alpha, cells.length / 19);
      expect(Math.abs(shareBelow(p, alpha) - alpha)).toBeLessThan(tolerance);
    }
  });

  it('Mann-Kendall rejects no more than its size', () => {
    const { z } = trends(months, { slopes: false });
    for (const alpha of [0.01, 0.05]) {
      const share = shareBelow(z.map(normalTwoSided), alpha);
      expect(share).toBeLessThan(alpha + sixSigma(alpha, CELLS));
      // Ties of near-empty cells and the continuity correction make it conservative.
      expect(share).toBeGreaterThan(alpha / 3);
    }
  });

  it('G_i* on alike cells is near its normal size at 5 %', () => {
    const cells = disk(cellAt(51.5, -0.1, 9), 70);
    const alike = new Float64Array(cells.length).fill(2);
    const [month] = innocentMonths(alike, tenths, 1, `gi ${epsilon}`) as [Float64Array];
    const z = giStarOnGrid(month, neighbourLists(cells));
    const share = shareBelow(z.map(normalTwoSided), 0.05);
    // The normal law is a limit, and sums of whole numbers step over it: within one point.
    expect(Math.abs(share - 0.05)).toBeLessThan(0.01);
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

describe('scanP', () => {
  it('rejects one null world in twenty at 5 %', () => {
    const cells = disk(cellAt(51.5, -0.1, 9), 4);
    const zones = discZones(neighbourLists(cells), 1);
    const expected = mixedRates(cells.length);
    const sampler = samplerOf(5n);
    const random = seededRandom('scan');
    const noise = new Int32Array(cells.length);
    const worlds = 800;
    let rejected = 0;
    for (let world = 0; world < worlds; world++) {
      sampler.sampleInto(noise, random);
      const counts = poissonDraws(expected, random).map((count, i) => count + (noise[i] as number));
      const input = {
        counts,
        expected,
        zones,
        model: 'expectation',
        noiseVariance: 7.835,
      } as const;
      if (scanP(input, { sampler, random, draws: 19 }) <= 0.05) rejected++;
    }
    expect(Math.abs(rejected / worlds - 0.05)).toBeLessThan(sixSigma(0.05, worlds));
  });
});
